"""gRPC servers of few words: what they break off, refuse or never finish."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from graph.effects import Failure, Reply
from router.wire.http2 import codes, frames
from router.wire.http2.hpack import encode
from tests.kit.eventually import eventually
from tests.router.upstream.asking import Asked
from tests.router.upstream.test_grpc import asked, to
from tests.router.wire.http2.peer import data, frame, headers, reset

HEAD = encode(((b":status", b"200"), (b"content-type", b"application/grpc")))
OK = encode(((b"grpc-status", b"0"),))
BODY = b"\0\0\0\0\x02ok"


class Peer:
    """One connection of a server: which streams were opened, and what a test writes."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.opened: list[int] = []
        self.reset: list[int] = []
        self.closed = False

    def write(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    def answer(self, stream: int) -> None:
        self.write(headers(stream, HEAD), data(stream, BODY), headers(stream, OK, end=True))


OnCall = Callable[[Peer, int], Awaitable[None] | None]


class Scripted:
    def __init__(self, settings: dict[int, int] | None, on_call: OnCall) -> None:
        self.peers: list[Peer] = []
        self.port = 0
        self._settings = settings or {}
        self._on_call = on_call

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(writer)
        self.peers.append(peer)
        try:
            await reader.readexactly(len(codes.PREFACE))
            peer.write(frames.settings(self._settings))
            while True:
                head = await reader.readexactly(9)
                high, low, kind, flags, stream = frames.read_head(head, 0)
                await reader.readexactly(high << 8 | low)
                if kind == codes.HEADERS:
                    peer.opened.append(stream)
                if kind == codes.RST_STREAM:
                    peer.reset.append(stream)
                if kind == codes.DATA and flags & codes.END_STREAM:
                    self._on_call(peer, stream)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            peer.closed = True
            writer.close()


@asynccontextmanager
async def scripted(
    on_call: OnCall, settings: dict[int, int] | None = None
) -> AsyncIterator[Scripted]:
    script = Scripted(settings, on_call)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for peer in script.peers:
            peer.writer.close()


def goaway(last: int) -> bytes:
    return frame(codes.GOAWAY, 0, 0, last.to_bytes(4, "big") + bytes(4))


async def test_what_a_leaving_server_has_not_begun_goes_elsewhere() -> None:
    def on_call(peer: Peer, stream: int) -> None:
        if peer is script.peers[0] and stream == 3:
            peer.write(goaway(1))
            peer.answer(1)
        elif peer is not script.peers[0]:
            peer.answer(stream)

    async with asked() as asking, scripted(on_call) as script:
        calls = [Asked(asking.upstream, to(script.url, b"%d" % n)) for n in range(3)]
        for call in calls:
            answer = await call.answer()
            assert isinstance(answer, Reply)
            assert answer.document.body == b"ok"
        assert [len(peer.opened) for peer in script.peers] == [3, 2]
        await eventually(lambda: script.peers[0].closed, "the old connection ends")


async def test_a_refused_call_is_begun_anew_a_few_times() -> None:
    def on_call(peer: Peer, stream: int) -> None:
        peer.write(reset(stream, 7))

    async with asked() as asking, scripted(on_call) as script:
        kind, cause = await Asked(asking.upstream, to(script.url, b"x")).failure()
        assert (kind, cause) == ("overload", f"{script.url}: it was reset (REFUSED_STREAM)")
        assert sum(len(peer.opened) for peer in script.peers) == 4


async def test_a_call_that_was_begun_is_never_sent_twice() -> None:
    def on_call(peer: Peer, stream: int) -> None:
        peer.writer.transport.abort()

    async with asked() as asking, scripted(on_call) as script:
        kind, _ = await Asked(asking.upstream, to(script.url, b"x")).failure()
        assert kind == "reset"
        assert [len(peer.opened) for peer in script.peers] == [1]


async def test_a_connection_that_was_closed_while_nobody_looked() -> None:
    async with asked() as asking, scripted(lambda peer, stream: peer.answer(stream)) as script:
        for _ in range(3):
            answer = await Asked(asking.upstream, to(script.url, b"x")).answer()
            assert isinstance(answer, Reply)
            script.peers[-1].writer.close()
            await eventually(lambda: script.peers[-1].closed, "it is closed")
        assert len(script.peers) == 3


async def test_no_more_calls_at_a_time_than_the_server_takes() -> None:
    async with asked() as asking:
        most = {codes.MAX_CONCURRENT_STREAMS: 2}
        async with scripted(lambda peer, stream: None, most) as script:
            calls = [Asked(asking.upstream, to(script.url, b"x")) for _ in range(5)]
            await eventually(lambda: len(script.peers) == 3, "as many connections as needed")
            await eventually(lambda: sum(len(p.opened) for p in script.peers) == 5, "all sent")
            assert max(len(peer.opened) for peer in script.peers) == 2
            for call in calls:
                call.running.cancel()


async def test_who_waits_for_room_waits_no_longer_than_allowed_and_may_leave() -> None:
    async with asked(connections=1, queued=2) as asking:
        most = {codes.MAX_CONCURRENT_STREAMS: 1}
        async with scripted(lambda peer, stream: None, most) as script:
            calls = [Asked(asking.upstream, to(script.url, b"x")) for _ in range(2)]
            await eventually(lambda: script.peers and script.peers[0].opened, "one is sent")
            calls.append(Asked(asking.upstream, to(script.url, b"x")))
            kind, cause = await Asked(asking.upstream, to(script.url, b"x")).failure()
            assert kind == "overload"
            assert cause.endswith("too many calls are waiting for a connection")
            calls[1].running.cancel()
            calls[0].running.cancel()
            await eventually(lambda: script.peers[0].opened == [1, 3], "the next one is sent")
            assert script.peers[0].reset == [1]


@pytest.mark.parametrize(
    ("said", "kind", "cause"),
    [
        (headers(1, HEAD) + data(1, BODY, end=True), "protocol", "without a status of gRPC"),
        (headers(1, HEAD) + headers(1, OK, end=True), "protocol", "holds no whole message"),
        (headers(1, HEAD) + data(1, BODY * 2), "protocol", "two answers to one request"),
        (headers(1, HEAD) + data(1, b"\2\0\0\0\0"), "protocol", "an unknown flag"),
        (headers(1, encode(((b"x", b"y"),))), "protocol", "an answer without a status"),
        (headers(1, HEAD) + headers(1, OK), "protocol", "trailers that do not end"),
        (data(1, b"x"), "protocol", "data before its head"),
        (reset(1, 2), "reset", "it was reset (INTERNAL_ERROR)"),
        (reset(1, 11), "overload", "it was reset (ENHANCE_YOUR_CALM)"),
        (frame(codes.PING, 0, 1, bytes(8)), "protocol", "a PING on a stream"),
        (b"\xff" * 20, "protocol", "a frame is larger than allowed"),
    ],
)
async def test_answers_that_are_none(said: bytes, kind: str, cause: str) -> None:
    async with asked() as asking, scripted(lambda peer, stream: peer.write(said)) as script:
        failed = await Asked(asking.upstream, to(script.url, b"x")).answer()
        assert isinstance(failed, Failure), failed
        assert failed.kind.value == kind
        assert cause in failed.cause


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (headers(1, encode(((b":status", b"503"),)), end=True), 503),
        (headers(1, encode(((b":status", b"404"),))) + data(1, b"<html>", end=True), 404),
        (headers(1, HEAD + encode(((b"grpc-status", b"5"),)), end=True), 404),
        (headers(1, HEAD + encode(((b"grpc-status", b"77"),)), end=True), 500),
        (headers(1, HEAD + encode(((b"grpc-status", b"x"),)), end=True), 500),
        (
            headers(1, encode(((b":status", b"100"),)))
            + headers(1, HEAD)
            + data(1, BODY)
            + headers(1, OK, end=True),
            200,
        ),
    ],
    ids=["no gRPC", "a page", "trailers only", "an unknown code", "no code", "1xx"],
)
async def test_answers_of_other_kinds(said: bytes, status: int) -> None:
    async with asked() as asking, scripted(lambda peer, stream: peer.write(said)) as script:
        answer = await Asked(asking.upstream, to(script.url, b"x")).answer()
        assert isinstance(answer, Reply), answer
        assert answer.status == status


async def test_a_server_that_never_greets_is_given_up() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    with listening:
        async with asked(connect_timeout_s=0.1) as asking:
            kind, cause = await Asked(
                asking.upstream, to(f"grpc://127.0.0.1:{port}", b"")
            ).failure()
            assert (kind, cause.split(": ", 1)[1]) == ("connect", "no connection within 0.1 s")
