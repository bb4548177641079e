"""The gRPC port, asked by real grpcio clients."""

import asyncio
import ssl

import grpc
import grpc.aio
import pytest
import trustme

from graph.effects import Failure, FailureKind
from router import failures
from router.config import Limits
from router.messages import Request, Response
from router.wire.grpc.fields import of_stream, text
from tests.kit.eventually import eventually
from tests.router.front.grpc_port import GRPC, INFER, STREAM, channel_to, grpc_port


async def test_a_message_and_its_answer() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        call = channel.unary_unary(INFER)(text(1, b"iris") + b"\x2a\x00", metadata=(("x-a", "b"),))
        assert await call == text(1, b"iris") + b"\x2a\x00"
        told = dict(await call.initial_metadata())
        assert told["x-request-id"] == "id-1"
        (request,) = port.requests
        assert request.head.method == b"POST"
        assert request.head.path == INFER.encode()
        assert request.head.fields[b"x-a"] == b"b"
        assert request.head.fields[b"host"] == b"127.0.0.1:%d" % port.number
        assert request.head.fields[b"content-type"] == b"application/grpc"
        assert request.model == b"iris"
        assert request.client == "127.0.0.1"
        assert not {b"te", b"grpc-timeout", b":path"} & request.head.fields.keys()


@pytest.mark.parametrize("size", [0, 1, 16_379, 70_000, 1_000_000, 9_000_000])
async def test_messages_of_any_size(size: int) -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        message = (bytes(range(251)) * (size // 251 + 1))[:size]
        assert await channel.unary_unary(INFER)(message) == message


async def test_many_calls_on_one_connection() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        ask = channel.unary_unary(INFER)
        calls = [ask(b"%d" % number) for number in range(600)]
        for number, call in enumerate(calls):
            assert await call == b"%d" % number
        assert len(port.front.connections) == 1


async def test_a_blocking_client() -> None:
    async with grpc_port() as port:

        def ask() -> bytes:
            with grpc.insecure_channel(f"127.0.0.1:{port.number}") as channel:
                return bytes(channel.unary_unary(INFER)(b"hello", timeout=10))

        assert await asyncio.to_thread(ask) == b"hello"


@pytest.mark.parametrize(
    ("compression", "name"),
    [(grpc.Compression.Gzip, "gzip"), (grpc.Compression.Deflate, "deflate")],
    ids=["gzip", "deflate"],
)
async def test_compressed_messages(compression: grpc.Compression, name: str) -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        message = b"abc" * 10_000
        answer = await channel.unary_unary(INFER)(message, compression=compression)
        assert answer == message
        assert port.requests[0].document.body == message


async def test_the_deadline_of_the_call_is_that_of_the_request() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        await channel.unary_unary(INFER)(b"x", timeout=7.0)
        await channel.unary_unary(INFER)(b"x")
        first, second = port.requests
        assert first.timeout_s is not None
        assert 6.9 < first.timeout_s < 7.1
        assert second.timeout_s is None


async def test_a_call_that_is_given_up_is_cancelled() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = lambda _: None
        call = channel.unary_unary(INFER)(b"x")
        await eventually(lambda: port.requests, "it came")
        call.cancel()
        await eventually(lambda: port.cancelled == 1, "it is cancelled")


async def test_a_client_that_goes_away_cancels_its_calls() -> None:
    async with grpc_port() as port:
        port.answer = lambda _: None
        async with channel_to(port.number) as channel:
            calls = [channel.unary_unary(INFER)(b"x") for _ in range(3)]
            await eventually(lambda: len(port.requests) == 3, "they came")
        await eventually(lambda: port.cancelled == 3, "they are cancelled")
        del calls


def fails(kind: FailureKind) -> Response:
    return failures.response(Failure(kind, "the cause, nö 100%"), None)


@pytest.mark.parametrize("kind", list(FailureKind), ids=lambda kind: kind.value)
async def test_a_failure_by_the_table(kind: FailureKind) -> None:
    def answer(request: Request) -> Response:
        request.failure = Failure(kind, "the cause, nö 100%")
        return fails(kind)

    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = answer
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(INFER)(b"x")
        assert error.value.code().value[0] == failures.FAILURES[kind].code
        assert error.value.details() == "the cause, nö 100%"
        assert dict(error.value.trailing_metadata() or ())["x-request-id"] == "id-1"


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, b'{"error":"bad shape"}', "INVALID_ARGUMENT", "bad shape"),
        (404, b'{"error":"e","cause":"no such model"}', "NOT_FOUND", "no such model"),
        (422, b'{"detail":[1]}', "INVALID_ARGUMENT", '{"detail":[1]}'),
        (429, b"slow down", "RESOURCE_EXHAUSTED", "slow down"),
        (503, b"", "UNAVAILABLE", None),
        (418, b"teapot", "INVALID_ARGUMENT", "teapot"),
        (599, b"\xff", "UNKNOWN", "�"),
        (200, b"{}", "INTERNAL", "the answer of the graph is no message of gRPC"),
    ],
)
async def test_an_answer_in_http(status: int, body: bytes, code: str, words: str | None) -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = lambda _: Response(status, ((b"content-type", b"application/json"),), body)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(INFER)(b"x")
        assert error.value.code().name == code
        assert (error.value.details() or None) == words


async def test_a_status_of_a_step_is_given_back_as_it_was() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        headers = ((b"grpc-status", b"9"), (b"grpc-message", b"not%20now"))
        port.answer = lambda _: Response(400, headers, b"{}")
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(INFER)(b"x")
        assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert error.value.details() == "not now"


async def test_what_is_not_served() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary("/other.Service/Do")(b"x" * 3_000_000)
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert not port.requests


async def test_a_message_that_is_too_large() -> None:
    async with grpc_port(Limits(body_bytes=1000)) as port, channel_to(port.number) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(INFER)(b"x" * 1001)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await channel.unary_unary(INFER)(b"x" * 1000) == b"x" * 1000


async def test_a_stream_of_requests_is_answered_in_order() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:

        def answer(request: Request) -> Response:
            if request.document.body == b"bad":
                return Response(400, (), b'{"error":"bad shape"}')
            return Response(200, GRPC, b"got " + request.document.body)

        port.answer = answer
        call = channel.stream_stream(STREAM)()
        for message in (b"one", b"bad", b"two"):
            await call.write(message)
        answers = [of_stream(await call.read()) for _ in range(3)]
        assert answers == [("", b"got one"), ("bad shape", b""), ("", b"got two")]
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_a_stream_without_requests() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        call = channel.stream_stream(STREAM)()
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_a_stream_that_is_given_up() -> None:
    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = lambda _: None
        call = channel.stream_stream(STREAM)()
        await call.write(b"x")
        await eventually(lambda: port.requests, "it came")
        call.cancel()
        await eventually(lambda: port.cancelled == 1, "it is cancelled")


async def test_a_reader_that_is_slow_makes_us_wait_and_not_grow() -> None:
    """Each answer is as large as what a stream may have on its way; nobody reads."""
    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = lambda _: Response(200, GRPC, b"z" * 500_000)
        call = channel.stream_stream(STREAM)()
        for _ in range(200):
            await call.write(b"x")
        await eventually(lambda: port.requests, "the first came")
        (connection,) = port.front.connections
        await eventually(
            lambda: any(stream.waiting for stream in connection._http.streams.values()),  # type: ignore[union-attr]
            "the window is used up",
        )
        assert len(port.requests) < 150
        for _ in range(200):
            _, answer = of_stream(await call.read())
            assert len(answer) == 500_000
        assert len(port.requests) == 200
        call.cancel()


async def test_over_tls() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    async with grpc_port(tls=context) as port, channel_to(port.number, credentials) as channel:
        assert await channel.unary_unary(INFER)(b"secret") == b"secret"


async def test_a_drain_lets_calls_end_and_sends_the_next_elsewhere() -> None:
    async with grpc_port() as port:
        port.answer = lambda _: None
        async with channel_to(port.number) as channel:
            call = channel.unary_unary(INFER)(b"last")
            await eventually(lambda: port.requests, "it came")
            port.front.drain()
            await eventually(lambda: all(c._leaving for c in port.front.connections), "left")
            call.cancel()
            async with asyncio.timeout(10):
                await port.front.drained.wait()


async def test_json_is_decoded_only_for_its_words() -> None:
    deep = b"[" * 100_000
    async with grpc_port() as port, channel_to(port.number) as channel:
        port.answer = lambda _: Response(500, (), deep)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary(INFER)(b"x")
        assert error.value.details() == "[" * 1024
