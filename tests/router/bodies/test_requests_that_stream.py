"""Requests whose bodies stream: when they do, how they travel, and every way to end early."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from router.config import DataPlaneConfig, Limits, LogConfig
from tests.kit.client import request
from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import early, echo, raw, render, stall
from tests.router.bodies.plane import LAST, Plane, chunk
from tests.router.bodies.plane import head as answer_head
from tests.router.upstream.asking import table
from tests.router.whole import source

LARGE = bytes(range(256)) * 4096  # 1 MiB
LONG = b"x" * 65_537  # just long enough to be a stream
CHUNKED = "Transfer-Encoding: chunked\r\n"


def begin(length: int | None, path: str = "/graphs/test/g", extra: str = "") -> bytes:
    framing = CHUNKED if length is None else f"Content-Length: {length}\r\n"
    return f"POST {path} HTTP/1.1\r\nHost: test\r\n{framing}{extra}\r\n".encode()


def graph(predictor: Predictor, *conditions: str) -> object:
    """A Splitter that needs no body, or a Switch that looks into it."""
    if conditions:
        steps = [{"serviceUrl": predictor.url("/m"), "condition": c} for c in conditions]
        return source("g", {"root": {"routerType": "Switch", "steps": steps}})
    steps = [{"serviceUrl": predictor.url("/m"), "weight": 100}]
    return source("g", {"root": {"routerType": "Splitter", "steps": steps}})


@contextlib.asynccontextmanager
async def plane_to(predictor: Predictor, *conditions: str, **limits: float) -> AsyncIterator[Plane]:
    config = DataPlaneConfig(log=LogConfig(access=False), limits=Limits(**limits))
    plane = Plane(config)
    with contextlib.closing(plane):
        await plane.install(graph(predictor, *conditions))
        yield plane
        await plane.at_rest()


@pytest.fixture
async def plane(predictor: Predictor) -> AsyncIterator[Plane]:
    async with plane_to(predictor) as plane:
        yield plane


def received(predictor: Predictor) -> bytes:
    return bytes(predictor.connections[-1].received) if predictor.connections else b""


# what travels


async def test_the_body_is_on_its_way_before_it_is_whole(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", echo())
    async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
        await eventually(lambda: received(predictor).endswith(LARGE[:1000]), "the first part")
        await client.send(LARGE[1000:])
        answer = await client.response()
        assert answer.body == LARGE
        assert not answer.head.closes
        assert (await client.ask(request("/graphs/test/g"))).status == 200
    seen = predictor.requests[0]
    assert seen.header(b"content-length") == b"%d" % len(LARGE)
    assert len(predictor.connections) == 1
    assert plane.count("graphway_requests_total", code="200") == 2


async def test_chunks_stay_chunks(plane: Plane, predictor: Predictor) -> None:
    predictor.on("/m", echo())
    async with plane.client(begin(None) + chunk(b"one") + chunk(LONG)) as client:
        await eventually(lambda: received(predictor).endswith(b"x\r\n"), "the beginning")
        await client.send(chunk(b"two") + b"0\r\nX-Late: 1\r\n\r\n" + request("/graphs/test/g"))
        first, second = await client.responses(2)
        assert (first.body, second.body) == (b"one" + LONG + b"two", b"{}")
    seen = predictor.requests[0]
    assert seen.header(b"transfer-encoding") == b"chunked"
    assert seen.header(b"x-late") is None


async def test_chunks_that_come_at_once_travel_with_their_length(
    plane: Plane, predictor: Predictor
) -> None:
    async with plane.client(begin(None) + chunk(b"one") + chunk(b"two") + LAST) as client:
        assert (await client.response()).status == 200
    assert predictor.requests[0].header(b"content-length") == b"6"
    assert predictor.bodies == [b"onetwo"]


async def test_few_chunks_are_gathered_however_they_come(
    plane: Plane, predictor: Predictor
) -> None:
    """Not every server takes chunks, and one that does need not be kept waiting for them."""
    almost = LONG[1:]
    async with plane.client(begin(None)) as client:
        await client.send(chunk(almost[:9]) + chunk(almost[9:]) + LAST)
        assert (await client.response()).status == 200
    assert predictor.requests[0].header(b"content-length") == b"%d" % len(almost)
    assert predictor.bodies == [almost]


async def test_chunks_beyond_a_small_limit_are_refused(predictor: Predictor) -> None:
    async with plane_to(predictor, body_bytes=10) as plane:
        async with plane.client(begin(None) + chunk(b"x" * 6)) as client:
            await client.send(chunk(b"x" * 6) + LAST)
            assert (await client.response()).status == 413
        assert predictor.heads == 0


async def test_a_small_body_in_pieces_is_gathered(plane: Plane, predictor: Predictor) -> None:
    async with plane.client(begin(6) + b"one") as client:
        await client.send(b"two")
        assert (await client.response()).status == 200
    assert predictor.requests[0].header(b"content-length") == b"6"


async def test_a_graph_that_looks_into_the_body_has_it_whole(predictor: Predictor) -> None:
    async with plane_to(predictor, "a") as plane:
        body = b'{"a": "%b"}' % (b"x" * 100_000)
        async with plane.client(begin(len(body)) + body[:1000]) as client:
            await asyncio.sleep(0)
            assert predictor.heads == 0
            await client.send(body[1000:])
            assert (await client.response()).status == 200
        assert predictor.bodies == [body]


async def test_a_service_asked_by_itself_takes_streams(predictor: Predictor) -> None:
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(services=table(("r1", 100, [predictor.origin])))
        predictor.on("/x", echo())
        async with plane.client(begin(len(LARGE), "/services/ns/iris/x") + LARGE) as client:
            assert (await client.response()).body == LARGE
        await plane.at_rest()


async def test_both_ways_at_once(plane: Plane, predictor: Predictor) -> None:
    """The answer begins before the request is whole, and both go on."""

    async def script(exchange: Exchange) -> None:
        exchange.send(answer_head() + chunk(b"began "))
        await eventually(lambda: exchange.connection.received.endswith(LAST), "the whole body")
        exchange.send(chunk(b"ended") + LAST)

    predictor.on("/m", early(script))
    async with plane.client(begin(None) + chunk(LONG)) as client:
        await client.arrived(b"began ")
        await client.send(chunk(b"two") + LAST)
        answer = await client.response()
        assert answer.body == b"began ended"
        assert answer.head.closes, "when it began nobody knew whether the request would end well"


# 100-continue


async def test_a_client_that_asks_is_told_to_go_on_once_the_body_has_where_to_go(
    predictor: Predictor,
) -> None:
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(services=table(("r1", 100, []), hold=True))
        asked = begin(len(LARGE), "/services/ns/iris/x", "Expect: 100-continue\r\n")
        async with plane.client(asked) as client:
            await eventually(
                lambda: plane.count("graphway_service_requests_held") == 1, "the call is held"
            )
            predictor.on("/x", echo())
            await plane.install(services=table(("r1", 100, [predictor.origin]), hold=True))
            assert await client.arrived(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(LARGE)
            assert (await client.response()).body == LARGE
        assert predictor.requests[0].header(b"expect") is None
        await plane.at_rest()


async def test_a_client_that_asks_may_be_told_no_at_once(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.refuse()
    async with plane.client(begin(len(LARGE), extra="Expect: 100-continue\r\n")) as client:
        answer = await client.response()
        assert (answer.status, answer.head.closes) == (502, True)


# back-pressure


async def test_a_predictor_that_reads_nothing_stops_the_client(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", early(stall()))
    size = 200 << 20
    async with plane.client() as client:
        client.write(begin(size))
        taken = 0
        with contextlib.suppress(TimeoutError):
            while taken < size:
                async with asyncio.timeout(0.5):
                    await client.send(b"x" * 65_536)
                taken += 65_536
        assert taken < 64 << 20
    predictor.close_connections()  # the client's end stands behind what nobody reads


async def test_a_call_that_waits_for_a_replica_leaves_the_body_with_the_client(
    predictor: Predictor,
) -> None:
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(services=table(("r1", 100, []), hold=True))
        predictor.on("/x", echo())
        async with plane.client(begin(len(LARGE), "/services/ns/iris/x") + LARGE[:100]) as client:
            await eventually(lambda: plane.count("graphway_service_requests_held") == 1, "held")
            await client.send(LARGE[100:])
            await plane.install(services=table(("r1", 100, [predictor.origin]), hold=True))
            assert (await client.response()).body == LARGE
        await plane.at_rest()


# ends


async def test_a_client_that_leaves_takes_the_call_with_it(
    plane: Plane, predictor: Predictor
) -> None:
    async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
        await eventually(lambda: received(predictor).endswith(LARGE[:1000]), "the first part")
        client.abort()
    await eventually(lambda: predictor.open_connections == 0, "the predictor sees it")
    await plane.counted("graphway_requests_total", code="499")
    await plane.counted("graphway_step_calls_total", code="cancelled")


async def test_a_client_that_leaves_while_its_call_waits_is_noticed(predictor: Predictor) -> None:
    """Nobody reads its body, so its end stands behind it in the socket."""
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(services=table(("r1", 100, []), hold=True))
        async with plane.client(begin(len(LARGE), "/services/ns/iris/x") + LARGE[:1000]):
            await eventually(lambda: plane.count("graphway_service_requests_held") == 1, "held")
        await eventually(lambda: plane.count("graphway_service_requests_held") == 0, "let go")


async def test_a_client_that_stops_is_told_so(predictor: Predictor) -> None:
    async with plane_to(predictor, body_timeout_s=0.5) as plane:
        async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
            answer = await client.response()
            assert (answer.status, answer.head.closes) == (408, True)
            assert b"did not arrive in time" in answer.body
            await client.closed()
        await eventually(lambda: predictor.open_connections == 0, "the predictor sees it")
        await plane.counted("graphway_requests_total", code="408")


async def test_chunks_that_are_none_are_a_fault_of_the_client(
    plane: Plane, predictor: Predictor
) -> None:
    async with plane.client(begin(None) + chunk(LONG)) as client:
        await eventually(lambda: received(predictor).endswith(b"x\r\n"), "the beginning")
        await client.send(b"no size\r\n" + request("/graphs/test/g"))
        answer = await client.response()
        assert (answer.status, answer.head.closes) == (400, True)
        assert await client.closed() == b""
    await eventually(lambda: predictor.open_connections == 0, "the predictor sees it")
    assert predictor.served == 0


async def test_an_answer_that_comes_early_ends_the_upload(
    plane: Plane, predictor: Predictor
) -> None:
    """Both connections end with it: what is left of the request is in the way."""
    predictor.on("/m", early(raw(render(b'"enough"', 413))))
    async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
        answer = await client.response()
        assert (answer.status, answer.body, answer.head.closes) == (413, b'"enough"', True)
        assert await client.closed() == b""
    await eventually(lambda: predictor.open_connections == 0, "its connection is closed")


async def test_a_predictor_that_breaks_off_is_a_failure(plane: Plane, predictor: Predictor) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.reset()

    predictor.on("/m", early(script))
    async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
        answer = await client.response()
        assert (answer.status, answer.head.closes) == (502, True)


async def test_a_graph_that_asks_nobody_answers_at_once(predictor: Predictor) -> None:
    """Nothing matches, and no byte of the body was needed to know it."""
    steps = [{"serviceUrl": predictor.url("/m"), "condition": "cel: method == 'PUT'"}]
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(source("g", {"root": {"routerType": "Switch", "steps": steps}}))
        async with plane.client(begin(len(LARGE)) + LARGE[:1000]) as client:
            answer = await client.response()
            assert (answer.status, answer.head.closes) == (404, True)
            await client.closed()


async def test_the_next_body_finds_a_stale_connection_replaced(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", raw(render(), close=True), echo())
    async with plane.client(request("/graphs/test/g")) as client:
        await client.response()
        await eventually(lambda: predictor.open_connections == 0, "it went stale")
        await client.send(begin(len(LARGE)) + LARGE)
        assert (await client.response()).body == LARGE


async def test_the_limit_of_bodies_is_for_those_that_are_gathered(predictor: Predictor) -> None:
    predictor.on("/m", echo())
    data = begin(len(LARGE)) + LARGE
    async with plane_to(predictor, body_bytes=100_000) as plane, plane.client(data) as client:
        assert (await client.response()).body == LARGE
    data = begin(len(LARGE))
    async with plane_to(predictor, "a", body_bytes=100_000) as plane, plane.client(data) as client:
        assert (await client.response()).status == 413


async def test_a_call_that_runs_out_of_time_answers_although_the_body_still_comes(
    predictor: Predictor,
) -> None:
    async with plane_to(predictor) as plane:
        late = begin(len(LARGE), extra="X-Graphway-Timeout-Ms: 200\r\n")
        async with plane.client(late + LARGE[:1000]) as client:
            answer = await client.response()
            assert (answer.status, answer.head.closes) == (504, True)
