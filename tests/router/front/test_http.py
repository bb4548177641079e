"""The data port on real sockets, on asyncio's loop and on uvloop: what the code takes for granted
of transports (half-closed ends, resets, ends of stream within an answer) holds on both.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.config import Limits
from router.front import http
from router.front.http import HttpFront
from router.messages import Cancellable, Request, Respond
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.router.front.held import Held


class Port:
    """A front that listens; requests to /now are answered at once, others held."""

    def __init__(self, limits: Limits) -> None:
        self.loop = asyncio.get_running_loop()
        self.held: list[Held] = []
        self.refused: list[int] = []
        self.http = HttpFront(
            self._handle,
            limits,
            lambda path, host: None,
            lambda fault, client: self.refused.append(fault.status),
            self.loop,
        )
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.number = self.socket.getsockname()[1]
        self.http.listen([self.socket])

    async def close(self) -> None:
        self.http.close()
        await eventually(lambda: not self.http.connections, "no connection left")
        self.socket.close()

    def _handle(self, request: Request, respond: Respond) -> Cancellable:
        held = Held(request, respond)
        if request.head.path == b"/now":
            held.answer(b"now")
        elif request.head.path == b"/large":
            held.answer(b"x" * 5_000_000)
        else:
            self.held.append(held)
        return held


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port(Limits(body_bytes=100_000))
    yield port
    await port.close()


async def test_requests_are_answered(port: Port) -> None:
    async with Client.to(port.number) as client:
        for _ in range(3):
            assert (await client.ask(request("/now"))).body == b"now"
        await client.send(request("/now") * 50)
        assert [answer.body for answer in await client.responses(50)] == [b"now"] * 50


async def test_a_client_that_hangs_up_cancels_its_request(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(request())
        await eventually(lambda: port.held)
    await eventually(lambda: not port.http.connections)
    assert port.held[0].cancelled == 1


async def test_a_client_that_resets_cancels_its_request(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(request())
        await eventually(lambda: port.held)
        client.reset()
    await eventually(lambda: not port.http.connections)
    assert port.held[0].cancelled == 1


async def test_half_closing_is_hanging_up(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(request())
        await eventually(lambda: port.held)
        client.half_close()
        assert await client.closed() == b""
    assert port.held[0].cancelled == 1


async def test_an_answer_that_was_written_survives_a_half_close(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(request("/large"))
        client.half_close()
        assert len((await client.response()).body) == 5_000_000
        assert await client.closed() == b""


async def test_a_refusal_reaches_a_client_that_is_still_sending(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n")
        answer = await client.response()
        assert answer.status == 413
        assert answer.closes
        await client.send(bytes(1_000_000))
        assert await client.closed() == b""
    assert port.refused == [413]


async def test_close_with_requests_behind_it_does_not_lose_the_answer(port: Port) -> None:
    last = request("/large", headers={"Connection": "close"})
    async with Client.to(port.number) as client:
        await client.send(last + request("/now") * 1000)
        assert len((await client.response()).body) == 5_000_000
        assert await client.closed() == b""


async def test_a_client_that_does_not_read_holds_up_nobody_else(port: Port) -> None:
    async with Client.to(port.number) as slow, Client.to(port.number) as other:
        await slow.send(request("/large") * 4)
        for _ in range(20):
            assert (await other.ask(request("/now"))).body == b"now"
        for answer in await slow.responses(4):
            assert len(answer.body) == 5_000_000


async def test_a_flood_of_pipelined_requests_is_answered_in_the_end(port: Port) -> None:
    async with Client.to(port.number) as client:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.send(request("/now") * 2000))
            answers = tasks.create_task(client.responses(2000))
        assert len(answers.result()) == 2000


async def test_bytes_behind_a_running_request_fill_the_socket_and_not_us(port: Port) -> None:
    async with Client.to(port.number) as client:
        await client.send(request())
        await eventually(lambda: port.held)
        sending = asyncio.get_running_loop().create_task(client.send(request("/now") * 500_000))
        await eventually(lambda: [c for c in port.http.connections if c._reading_paused])
        port.held[0].answer()
        assert (await client.response()).body == b"ok"
        assert (await client.response()).body == b"now"
        sending.cancel()
        await asyncio.wait([sending])


async def test_a_drain_takes_those_in_the_queue_and_ends_the_idle(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DRAIN_GRACE_S", 0.05)
    async with Client.to(port.number) as idle, Client.to(port.number) as busy:
        assert (await idle.ask(request("/now"))).status == 200
        await busy.send(request())
        await eventually(lambda: port.held)
        async with Client.to(port.number) as queued:
            port.http.drain()
            assert (await queued.ask(request("/now"))).closes
            assert await queued.closed() == b""
        assert await idle.closed() == b""
        assert not port.http.drained.is_set()
        port.held[0].answer()
        assert (await busy.response()).closes
        assert await busy.closed() == b""
    await eventually(port.http.drained.is_set)


async def test_no_more_connections_than_the_limit() -> None:
    port = Port(Limits(connections=2))
    try:
        async with Client.to(port.number) as first, Client.to(port.number) as second:
            for client in (first, second):
                assert (await client.ask(request("/now"))).status == 200
            async with Client.to(port.number) as third:
                await third.send(request("/now"))
                await eventually(lambda: port.http._listener._paused)
                assert len(port.http.connections) == 2
                await first.aclose()
                assert (await third.response()).status == 200
    finally:
        await port.close()


async def test_out_of_descriptors_is_waited_out(port: Port) -> None:
    class Exhausted:
        """The listening socket of a process that may open no more files."""

        def accept(self) -> Any:
            raise OSError(24, "Too many open files")

    assert port.http._listener._accept(Exhausted()) is False  # type: ignore[arg-type]
    async with Client.to(port.number) as client:
        assert (await client.ask(request("/now"))).status == 200
