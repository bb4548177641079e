"""ModelStreamInfer from end to end: several answers to one message, as they come."""

import grpc
import grpc.aio
import pytest

from router.wire.grpc.fields import of_stream, text
from tests.conftest import Serve
from tests.kit.eventually import eventually
from tests.kit.grpc_predictor import grpc_predictor
from tests.live.test_grpc import GRPC, graph, port_of
from tests.router.front.grpc_port import STREAM, channel_to


def numbered(number: int) -> tuple[str, bytes]:
    return "", text(1, b"%d" % number) + text(5, b"")


async def test_answers_come_one_by_one(serve: Serve) -> None:
    async with (
        grpc_predictor(streams=True) as predictor,
        serve(graph(predictor.url), *GRPC) as router,
        channel_to(port_of(router)) as channel,
    ):
        call = channel.stream_stream(STREAM)()
        for words in (b"m|3", b"m|2|plain", b"m|1|error", b"m|1|fail", b"m|1"):
            await call.write(words)
        expected = [
            *(numbered(0), numbered(1), numbered(2)),
            *(numbered(0), numbered(1)),
            *(numbered(0), ("no more", b"")),
            *(numbered(0), ("torn", b"")),
            numbered(0),
        ]
        assert [of_stream(await call.read()) for _ in expected] == expected
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_a_client_that_leaves_ends_the_stream_of_the_predictor(serve: Serve) -> None:
    async with (
        grpc_predictor(streams=True) as predictor,
        serve(graph(predictor.url), *GRPC) as router,
        channel_to(port_of(router)) as channel,
    ):
        call = channel.stream_stream(STREAM)()
        await call.write(b"m|1|hang")
        assert of_stream(await call.read()) == numbered(0)
        call.cancel()
        await eventually(lambda: predictor.cancelled == 1, "the predictor hears of it")


async def test_a_slow_reader_slows_the_predictor_down(serve: Serve) -> None:
    async with (
        grpc_predictor(streams=True) as predictor,
        serve(graph(predictor.url), *GRPC) as router,
        channel_to(port_of(router)) as channel,
    ):
        call = channel.stream_stream(STREAM)()
        await call.write(b"m|100|large")
        await eventually(lambda: predictor.sent > 1, "it begins")
        for number in range(100):
            assert of_stream(await call.read()) == numbered(number)
            assert len(of_stream(await call.read())[1]) > 500_000
            if number == 0:
                assert predictor.sent < 60
        call.cancel()


async def test_a_predictor_that_has_no_streams_gives_one_answer(serve: Serve) -> None:
    async with (
        grpc_predictor() as predictor,
        serve(graph(predictor.url), *GRPC) as router,
        channel_to(port_of(router)) as channel,
    ):
        call = channel.stream_stream(STREAM)()
        for _ in range(2):
            await call.write(b"hello")
            assert of_stream(await call.read()) == ("", b"hello")
        call.cancel()


async def test_a_predictor_that_is_not_there(serve: Serve) -> None:
    async with (
        serve(graph("grpc://127.0.0.1:1"), *GRPC) as router,
        channel_to(port_of(router)) as channel,
    ):
        call = channel.stream_stream(STREAM)()
        await call.write(b"hello")
        error, _ = of_stream(await call.read())
        assert error == "grpc://127.0.0.1:1: connection refused"
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(STREAM.replace("Stream", ""))(b"hello")
