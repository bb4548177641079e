"""The pipe between parent and worker: whole messages, of any size, or a clear end."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from router.channel import (
    LIMIT_BYTES,
    BrokenChannel,
    Channel,
    Configure,
    Drain,
    Drained,
    Install,
    Installed,
    Ready,
    Started,
    ToParent,
    ToWorker,
    parent_end,
    worker_end,
)
from router.config import DataPlaneConfig, EndpointSource, GraphSource, Limits

Ends = tuple[Channel[ToWorker, ToParent], Channel[ToParent, ToWorker]]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    left, right = socket.socketpair()
    parent, worker = await parent_end(left), await worker_end(right)
    yield parent, worker
    parent.close()
    worker.close()


@pytest.mark.parametrize(
    "message",
    [
        Configure(DataPlaneConfig(limits=Limits(body_bytes=5), propagate_headers=("X-.*",))),
        Install(7, (GraphSource("a/b", b"{}"),), {"a/s": EndpointSource.of(("http://h",), "/p")}),
        Ready(False),
        Drain(2.5),
    ],
    ids=lambda message: type(message).__name__,
)
async def test_what_the_parent_says_arrives_as_it_was_said(ends: Ends, message: ToWorker) -> None:
    parent, worker = ends
    await parent.send(message)
    assert await worker.receive() == message


@pytest.mark.parametrize(
    "message",
    [Started(), Installed(3, ("a problem",)), Drained()],
    ids=lambda message: type(message).__name__,
)
async def test_what_the_worker_says_arrives_as_it_was_said(ends: Ends, message: ToParent) -> None:
    parent, worker = ends
    await worker.send(message)
    assert await parent.receive() == message


async def test_twenty_megabytes_of_manifests_pass_while_the_reader_is_slow(ends: Ends) -> None:
    parent, worker = ends
    graphs = tuple(GraphSource(f"ns/g{i}", bytes([i]) * 1_000_000) for i in range(20))

    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(parent.send(Install(1, graphs, {})))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not sending.done()  # the sender waits for the reader: nothing piles up
        received = await worker.receive()

    assert received == Install(1, graphs, {})


async def test_messages_keep_their_order(ends: Ends) -> None:
    parent, worker = ends
    for number in range(100):
        await parent.send(Drain(float(number)))
    assert [await worker.receive() for _ in range(100)] == [Drain(float(n)) for n in range(100)]


async def test_a_closed_end_is_heard_as_the_end(ends: Ends) -> None:
    parent, worker = ends
    parent.close()
    assert await worker.receive() is None


async def test_half_a_message_is_the_end_too() -> None:
    left, right = socket.socketpair()
    worker = await worker_end(right)
    left.sendall(b"\0\0\0\x10half")
    left.close()
    assert await worker.receive() is None
    worker.close()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param((LIMIT_BYTES + 1).to_bytes(4, "big"), id="longer than any message"),
        pytest.param(b"\0\0\0\x04\xc1\xc1\xc1\xc1", id="no msgpack"),
        pytest.param(b"\0\0\0\x01\x80", id="no type"),
    ],
)
async def test_garbage_is_a_broken_channel(raw: bytes) -> None:
    left, right = socket.socketpair()
    worker = await worker_end(right)
    left.sendall(raw)
    with pytest.raises(BrokenChannel):
        await worker.receive()
    left.close()
    worker.close()
