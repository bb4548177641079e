"""Bodies that are too long, broken off or late, and what happens while they come."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.api import request
from controller.api.request import MAX_BODY_BYTES
from tests.controller.api.kit import (
    CONFIG_MAP,
    CONFIGS,
    JSON,
    SERVICES,
    Api,
    config,
)


async def test_an_upload_without_end_is_refused_while_it_comes(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {2**40}\r\n\r\n".encode() + b"x" * (MAX_BODY_BYTES + 9))
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    body = await reader.readuntil(b'"code":413}')
    writer.close()
    await writer.wait_closed()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "connection: close" in answer.lower()
    assert b"too large" in body


async def test_a_body_that_is_not_encoded_as_it_says(api: Api) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    refused = await api.refused("POST", SERVICES, data=b"{}", headers=headers)
    assert refused == (400, "BadRequest")


@pytest.mark.parametrize("sent", [b'{"kind":', b"5\r\n{\r\n\r\nzz\r\n"], ids=["cut", "garbled"])
async def test_a_body_that_breaks_off_is_nobodys_bug(
    api: Api, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    framing = "Content-Length: 99" if sent.endswith(b":") else "Transfer-Encoding: chunked"
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}{framing}\r\n\r\n".encode() + sent)
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    await api.ok("GET", SERVICES)
    assert "failed" not in caplog.text


async def test_what_goes_while_a_deletion_is_asked_for_is_no_fault(api: Api) -> None:
    for name in "ab":
        await api.ok("POST", CONFIGS, json=config(name))
    came = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await came.wait()
        yield b"}"

    async with asyncio.TaskGroup() as tasks:
        deleting = tasks.create_task(api.ok("DELETE", CONFIGS, data=body()))
        await api.ok("DELETE", f"{CONFIGS}/a")
        came.set()
    assert (await deleting)["status"] == "Success"
    assert api.store.list(CONFIG_MAP).items == []


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "BODY_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    head = f"POST {CONFIGS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    assert (await reader.readline()).split()[1] == b"408"
    await reader.read()  # to its end: the connection is not kept
    writer.close()
