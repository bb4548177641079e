"""A pipe that the loop watches: what comes, in order, until its end; closed once."""

import asyncio
import os

from controller.local.pipe import READ_BYTES, Pipe
from tests.kit.eventually import eventually


async def test_what_is_written_is_handed_on_until_the_end() -> None:
    chunks: list[bytes] = []
    read_end, write_end = os.pipe()
    pipe = Pipe(read_end, chunks.append)
    sent = os.urandom(3 * READ_BYTES)
    await asyncio.to_thread(write, write_end, sent)
    await eventually(pipe.ended.is_set)
    assert b"".join(chunks) == sent


async def test_once_closed_nothing_is_handed_on() -> None:
    chunks: list[bytes] = []
    read_end, write_end = os.pipe()
    pipe = Pipe(read_end, chunks.append)
    os.write(write_end, b"late")
    pipe.close()
    again = os.open(os.devnull, os.O_RDONLY)
    assert again == read_end  # the number is free, and has another owner now
    pipe.close()
    os.close(again)
    os.close(write_end)
    assert pipe.ended.is_set()
    assert chunks == []


def write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.close(descriptor)
