"""The gRPC port and clients that are slow, wrong or hostile, by their bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from graph.effects import Headers
from router.config import Limits
from router.messages import Response
from router.wire.grpc.framing import framed
from router.wire.grpc.status import Code
from router.wire.http2 import codes, frames
from router.wire.http2.hpack import Decoder, encode
from tests.kit.eventually import eventually
from tests.router.front.grpc_port import GRPC, INFER, STREAM, GrpcPort, grpc_port
from tests.router.wire.http2.peer import SETTINGS, data, headers, reset, update

PSEUDO: Headers = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", INFER.encode()))
KIND = (b"content-type", b"application/grpc")
CALL = encode((*PSEUDO, KIND))


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._decoder = Decoder(1 << 20, 1000)

    def write(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    def greet(self) -> None:
        self.write(codes.PREFACE, SETTINGS)

    async def frame(self) -> tuple[int, int, int, bytes]:
        """Kind, flags, stream, body; of settings and windows none."""
        async with asyncio.timeout(10):
            while True:
                head = await self._reader.readexactly(9)
                high, low, kind, flags, stream = frames.read_head(head, 0)
                body = await self._reader.readexactly(high << 8 | low)
                if kind not in (codes.SETTINGS, codes.WINDOW_UPDATE):
                    return kind, flags, stream, body

    async def fields(self, stream: int) -> dict[bytes, bytes]:
        kind, _, of, body = await self.frame()
        assert (kind, of) == (codes.HEADERS, stream)
        return dict(self._decoder.decode(body).headers)

    async def closed(self) -> bytes:
        """What came until then."""
        async with asyncio.timeout(10):
            return await self._reader.read()


@asynccontextmanager
async def raw(port: GrpcPort) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()


def swept(port: GrpcPort) -> bool:
    """Whether no connection is left after one more sweep."""
    port.front.sweep()
    return not port.front.connections


async def test_what_is_no_http2() -> None:
    async with grpc_port() as port, raw(port) as client:
        client.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await client.closed()
        assert port.refused == ["what was sent is no HTTP/2"]


async def test_a_fault_is_said_and_counted() -> None:
    async with grpc_port() as port, raw(port) as client:
        client.greet()
        client.write(data(1, b"x"))
        said = await client.closed()
        assert said.endswith(b"DATA for a stream that is not open")
        assert port.refused == ["DATA for a stream that is not open"]


async def test_a_fault_cancels_what_runs() -> None:
    async with grpc_port() as port, raw(port) as client:
        port.answer = lambda _: None
        client.greet()
        client.write(headers(1, CALL), data(1, framed(b"x"), end=True))
        await eventually(lambda: port.requests, "it runs")
        client.write(data(0, b""))
        await eventually(lambda: port.cancelled == 1, "it is cancelled")


async def test_who_says_nothing_is_dropped() -> None:
    async with grpc_port(Limits(head_timeout_s=0.0)) as port, raw(port) as client:
        await eventually(lambda: port.front.connections, "it is accepted")
        await eventually(lambda: swept(port), "it is dropped")
        await client.closed()


async def test_who_is_idle_is_told_and_dropped() -> None:
    async with grpc_port(Limits(idle_timeout_s=0.0)) as port, raw(port) as client:
        client.greet()
        client.write(headers(1, CALL), data(1, framed(b"x"), end=True))
        await client.fields(1)
        await eventually(lambda: swept(port), "it is dropped")
        kinds = [(await client.frame())[0] for _ in range(3)]
        assert kinds == [codes.DATA, codes.HEADERS, codes.GOAWAY]
        assert await client.closed() == b""


async def test_a_drain_waits_for_what_runs_and_for_nobody_else() -> None:
    async with grpc_port() as port, raw(port) as client, raw(port) as idle:
        port.answer = lambda _: None
        for each in (client, idle):
            each.greet()
        client.write(headers(1, CALL), data(1, framed(b"x"), end=True))
        await eventually(lambda: port.requests, "it runs")
        await eventually(lambda: len(port.front.connections) == 2, "both are accepted")
        port.front.drain()
        await idle.closed()
        assert len(port.front.connections) == 1
        client.write(reset(1))
        await eventually(lambda: port.cancelled == 1, "the client gave up")
        await eventually(lambda: swept(port), "the connection ends")
        assert port.front.drained.is_set()


async def test_a_message_that_does_not_come() -> None:
    async with grpc_port(Limits(body_timeout_s=0.0)) as port, raw(port) as client:
        client.greet()
        client.write(headers(1, CALL), data(1, b"\0\0\0\0\x05ab"))
        (connection,) = await eventually(lambda: port.front.connections)
        await eventually(lambda: connection._gathered, "some of it came")

        def given_up() -> bool:
            port.front.sweep()
            return not connection._gathered

        await eventually(given_up, "it is given up")
        trailers = await client.fields(1)
        assert trailers[b"grpc-status"] == b"%d" % Code.DEADLINE_EXCEEDED
        kind, _, stream, _ = await client.frame()
        assert (kind, stream) == (codes.RST_STREAM, 1)
        assert connection._gathered == 0


async def test_a_stream_that_waits_between_messages_is_left_alone() -> None:
    async with grpc_port(Limits(body_timeout_s=0.0)) as port, raw(port) as client:
        client.greet()
        path = (*PSEUDO[:2], (b":path", STREAM.encode()), KIND)
        client.write(headers(1, encode(path)), data(1, framed(b"x")))
        await client.fields(1)
        await client.frame()
        port.front.sweep()
        client.write(data(1, framed(b"y")))
        kind, _, _, body = await client.frame()
        assert kind == codes.DATA
        assert body.endswith(b"y")


async def test_many_messages_that_wait_until_the_client_takes_answers() -> None:
    async with grpc_port() as port, raw(port) as client:
        client.write(codes.PREFACE, frames.settings({codes.INITIAL_WINDOW_SIZE: 0}))
        path = (*PSEUDO[:2], (b":path", STREAM.encode()), KIND)
        many = data(1, framed(b"x") * 2000)
        client.write(headers(1, encode(path)), many, many, data(1, b"", end=True))
        await eventually(lambda: port.requests, "the first is answered")
        client.write(update(1, 2**20))
        await client.fields(1)
        kind = codes.DATA
        while kind == codes.DATA:
            kind, *_ = await client.frame()
        assert len(port.requests) == 4000


async def test_many_large_messages_at_a_time() -> None:
    limits = Limits(body_bytes=1000)
    async with grpc_port(limits) as port, raw(port) as client:
        client.greet()
        part = b"\0" + (1000).to_bytes(4, "big") + bytes(900)
        for stream in (1, 3, 5):
            client.write(headers(stream, CALL), data(stream, part))
        trailers = await client.fields(5)
        assert trailers[b"grpc-status"] == b"%d" % Code.RESOURCE_EXHAUSTED
        client.write(data(1, bytes(100), end=True))
        assert (await client.frame())[0] == codes.RST_STREAM  # of 5
        assert (await client.fields(1))[b":status"] == b"200"


async def test_a_client_that_reads_nothing() -> None:
    async with grpc_port(Limits(write_timeout_s=0.0)) as port, raw(port) as client:
        port.answer = lambda _: Response(200, GRPC, bytes(40_000_000))
        client.greet()
        client.write(update(0, 2**30), frames.settings({codes.INITIAL_WINDOW_SIZE: 2**30}))
        client.write(headers(1, CALL), data(1, framed(b"x"), end=True))
        (connection,) = await eventually(lambda: port.front.connections)
        transport = connection._transport
        assert transport is not None
        await eventually(transport.get_write_buffer_size, "the socket is full")

        await eventually(lambda: swept(port), "it is dropped")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ((*PSEUDO, (b"content-type", b"application/json")), b"415"),
        (((b":method", b"GET"), *PSEUDO[1:], KIND), b"405"),
    ],
    ids=["no gRPC", "another method"],
)
async def test_what_is_http2_and_no_grpc(head: Headers, status: bytes) -> None:
    async with grpc_port() as port, raw(port) as client:
        client.greet()
        client.write(headers(1, encode(head), end=True))
        assert await client.fields(1) == {b":status": status}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (framed(b"a") + framed(b"b"), b"two messages where the method takes one"),
        (b"", b"no message where the method takes one"),
        (framed(b"abc")[:-1], b"the last message is cut short"),
        (b"\7\0\0\0\0", b"a message begins with an unknown flag"),
    ],
    ids=["two", "none", "cut", "flag"],
)
async def test_messages_that_are_none(said: bytes, words: bytes) -> None:
    async with grpc_port() as port, raw(port) as client:
        client.greet()
        client.write(headers(1, CALL), data(1, said, end=True))
        trailers = await client.fields(1)
        assert trailers[b"grpc-status"] == b"%d" % Code.INTERNAL
        assert trailers[b"grpc-message"] == words
        assert not port.requests


@pytest.mark.parametrize(
    "head",
    [
        (*PSEUDO, KIND, (b"X-Upper", b"1")),
        (*PSEUDO[:2], KIND),
        (*PSEUDO, KIND, (b"connection", b"close")),
    ],
    ids=["upper case", "no path", "a header of connections"],
)
async def test_malformed_heads_reset_their_stream_alone(head: Headers) -> None:
    async with grpc_port() as port, raw(port) as client:
        client.greet()
        client.write(headers(1, encode(head), end=True))
        kind, _, stream, body = await client.frame()
        assert (kind, stream, int.from_bytes(body, "big")) == (codes.RST_STREAM, 1, 1)
        client.write(headers(3, CALL), data(3, framed(b"x"), end=True))
        assert (await client.fields(3))[b":status"] == b"200"


async def test_a_reset_cancels_the_request() -> None:
    async with grpc_port() as port, raw(port) as client:
        port.answer = lambda _: None
        client.greet()
        client.write(headers(1, CALL), data(1, framed(b"x"), end=True))
        await eventually(lambda: port.requests, "it runs")
        client.write(reset(1))
        await eventually(lambda: port.cancelled == 1, "it is cancelled")


async def test_trailers_of_a_request_are_its_end() -> None:
    async with grpc_port() as port, raw(port) as client:
        client.greet()
        client.write(headers(1, CALL), data(1, framed(b"x")))
        client.write(headers(1, encode(((b"x-sum", b"1"),)), end=True))
        assert (await client.fields(1))[b":status"] == b"200"
        assert len(port.requests) == 1


async def test_byte_by_byte() -> None:
    async with grpc_port() as port, raw(port) as client:
        said = b"".join(
            (codes.PREFACE, SETTINGS, headers(1, CALL), data(1, framed(b"hello"), end=True))
        )
        for byte in said:
            client.write(bytes((byte,)))
            await client.writer.drain()
            await asyncio.sleep(0)
        assert (await client.fields(1))[b":status"] == b"200"
        assert port.requests[0].document.body == b"hello"
