"""Answers that stream: what passes, when it passes, how they end, and what is counted of them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.config import DataPlaneConfig, Limits, LogConfig, UpstreamConfig
from tests.kit.client import Ended, request
from tests.kit.eventually import eventually
from tests.kit.message import take_response
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import Gate, Script, pieces, raw, render, reply
from tests.router.bodies.plane import EVENTS, LAST, Plane, chunk, head
from tests.router.upstream.asking import table
from tests.router.whole import source

ASK = request("/graphs/test/g")
CHUNKED = "Transfer-Encoding: chunked\r\n"
LARGE = bytes(range(256)) * 4096  # 1 MiB


@contextlib.asynccontextmanager
async def plane_to(predictor: Predictor, **spec: object) -> AsyncIterator[Plane]:
    plane = Plane()
    steps = [{"serviceUrl": predictor.url("/m")}]
    await plane.install(source("g", {"root": {"routerType": "Sequence", "steps": steps}}, **spec))
    with contextlib.closing(plane):
        yield plane
        await plane.at_rest()


@pytest.fixture
async def plane(predictor: Predictor) -> AsyncIterator[Plane]:
    async with plane_to(predictor) as plane:
        yield plane


def gated(first: bytes, gate: Gate, then: bytes, *, close: bool = False) -> Script:
    """The one, and once the gate is open the other."""

    async def script(exchange: Exchange) -> None:
        exchange.send(first)
        await gate.opened()
        exchange.send(then)
        if close:
            exchange.close()

    return script


# what passes


async def test_a_piece_is_there_before_the_next_is_sent(plane: Plane, predictor: Predictor) -> None:
    gate = Gate()
    begun = head(CHUNKED + EVENTS) + chunk(b"data: 1\n\n")
    predictor.on("/m", gated(begun, gate, chunk(b"data: 2\n\n") + LAST))
    async with plane.client(ASK) as client:
        came = await client.arrived(b"data: 1\n\n")
        assert b"content-type: text/event-stream" in came
        assert b"transfer-encoding: chunked" in came
        gate.open()
        answer = await client.response()
        assert answer.body == b"data: 1\n\ndata: 2\n\n"
        assert answer.header(b"x-graphway-revision")
        again = await client.ask(ASK)  # both connections live on
        assert again.body == answer.body
    assert len(predictor.connections) == 1


async def test_the_length_that_a_predictor_tells_is_told(
    plane: Plane, predictor: Predictor
) -> None:
    gate = Gate()
    whole = render(LARGE)
    predictor.on("/m", gated(whole[:1000], gate, whole[1000:]))
    async with plane.client(ASK) as client:
        await client.began()
        gate.open()
        answer = await client.response()
        assert answer.header(b"content-length") == b"%d" % len(LARGE)
        assert answer.body == LARGE
        assert not answer.head.closes


async def test_an_answer_until_close_becomes_chunks(plane: Plane, predictor: Predictor) -> None:
    predictor.on(
        "/m", raw(head("Content-Type: application/x-ndjson\r\n") + b"{}\n{}\n", close=True)
    )
    async with plane.client(ASK) as client:
        answer = await client.response()
        assert answer.body == b"{}\n{}\n"
        assert answer.header(b"content-type") == b"application/x-ndjson"
        assert answer.header(b"transfer-encoding") == b"chunked"
        assert not answer.head.closes


async def test_a_client_of_http_1_0_gets_it_until_close(plane: Plane, predictor: Predictor) -> None:
    predictor.on("/m", pieces([head(), chunk(b"one"), chunk(b"two") + LAST]))
    old = ASK.replace(b"HTTP/1.1", b"HTTP/1.0")
    async with plane.client(old) as client:
        came = await client.closed()
    assert b"transfer-encoding" not in came
    assert came.endswith(b"\r\n\r\nonetwo")


async def test_chunks_that_come_all_at_once_are_one_answer(
    plane: Plane, predictor: Predictor
) -> None:
    """Nothing is gained by a stream, and its length is good to know."""
    predictor.on("/m", raw(head() + chunk(b"one") + chunk(b"two") + LAST))
    async with plane.client(ASK) as client:
        answer = await client.response()
        assert (answer.body, answer.header(b"content-length")) == (b"onetwo", b"6")


async def test_what_comes_before_and_behind_an_answer_stays_behind(
    plane: Plane, predictor: Predictor
) -> None:
    """Informational answers and trailers."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    parts = [early, head(), chunk(b"one"), b"0\r\nX-Late: 1\r\n\r\n"]
    predictor.on("/m", pieces(parts))
    async with plane.client(ASK) as client:
        answer = await client.response()
        assert (answer.status, answer.body) == (200, b"one")
        assert answer.header(b"x-late") is None


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_is_no_stream(
    plane: Plane, predictor: Predictor, status: int
) -> None:
    predictor.on("/m", raw(head(status=status)))
    async with plane.client(ASK) as client:
        assert (await client.response()).status == status


async def test_head_gets_the_head_alone(plane: Plane, predictor: Predictor) -> None:
    """A graph is asked by POST, whatever its caller's method."""
    predictor.on("/m", pieces([head(), chunk(b"one"), LAST]), reply(b'"next"'))
    async with plane.client(request("/graphs/test/g", method="HEAD")) as client:
        answer = await client.response(to_head=True)
        assert (answer.status, answer.body) == (200, b"")
        assert (await client.ask(ASK)).body == b'"next"'
    assert plane.count("graphway_requests_total", code="200") == 2


async def test_the_status_and_an_error_pass_as_they_come(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", pieces([head(status=503), chunk(b"no"), chunk(b"pe"), LAST]))
    async with plane.client(ASK) as client:
        answer = await client.response()
        assert (answer.status, answer.body) == (503, b"nope")


async def test_compressed_events_pass_as_they_are(plane: Plane, predictor: Predictor) -> None:
    gate = Gate()
    packed = CHUNKED + EVENTS + "Content-Encoding: gzip\r\n"
    predictor.on("/m", gated(head(packed) + chunk(b"\x1f\x8b1"), gate, chunk(b"2") + LAST))
    async with plane.client(ASK) as client:
        await client.arrived(b"\x1f\x8b1")
        gate.open()
        answer = await client.response()
        assert answer.body == b"\x1f\x8b12"
        assert answer.header(b"content-encoding") == b"gzip"


async def test_requests_behind_a_stream_wait_for_its_end(
    plane: Plane, predictor: Predictor
) -> None:
    gate = Gate()
    predictor.on("/m", gated(head() + chunk(b"1"), gate, chunk(b"2") + LAST), reply(b'"next"'))
    async with plane.client(ASK + ASK) as client:
        await client.arrived(b"1\r\n1\r\n")
        assert predictor.heads == 1
        gate.open()
        first, second = await client.responses(2)
        assert (first.body, second.body) == (b"12", b'"next"')


# which way


async def test_streams_pass_splitters_switches_and_the_last_step_of_a_sequence(
    predictor: Predictor,
) -> None:
    begun = head() + chunk(b"first ")
    url = predictor.url("/last")
    nodes = {
        "root": {
            "routerType": "Sequence",
            "steps": [
                {"serviceUrl": predictor.url("/m")},
                {"nodeName": "way", "data": "$response"},
            ],
        },
        "way": {
            "routerType": "Switch",
            "steps": [{"nodeName": "split", "condition": "a"}],
        },
        "split": {
            "routerType": "Splitter",
            "steps": [{"serviceUrl": url, "weight": 60}, {"serviceUrl": url, "weight": 40}],
        },
    }
    gate = Gate()
    predictor.on("/m", pieces([head(), chunk(b'{"a"'), chunk(b": 1}"), LAST]))
    predictor.on("/last", gated(begun, gate, chunk(b"second") + LAST))
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(source("g", nodes))
        async with plane.client(ASK) as client:
            await client.arrived(b"first ")
            gate.open()
            assert (await client.response()).body == b"first second"
        assert predictor.requests[-1].body == b'{"a": 1}', "a step that is not the last is gathered"


async def test_an_ensemble_is_gathered(predictor: Predictor) -> None:
    steps = [{"name": "a", "serviceUrl": predictor.url("/m")}]
    predictor.on("/m", pieces([head(), chunk(b'{"a"'), chunk(b": 1}"), LAST]))
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(source("g", {"root": {"routerType": "Ensemble", "steps": steps}}))
        async with plane.client(ASK) as client:
            assert (await client.response()).body == b'{"a":{"a": 1}}'


async def test_a_service_asked_by_itself_streams_and_is_busy_until_the_end(
    predictor: Predictor,
) -> None:
    gate = Gate()
    predictor.on(
        "/x", gated(head("X-Own: 1\r\n" + CHUNKED) + chunk(b"1"), gate, chunk(b"2") + LAST)
    )
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(services=table(("r1", 100, [predictor.origin])))
        async with plane.client(request("/services/ns/iris/x")) as client:
            came = await client.arrived(b"1\r\n1\r\n")
            assert b"x-own: 1" in came
            assert b"x-graphway-revision: r1" in came
            labels = {"service": "ns/iris", "revision": "r1"}
            assert plane.count("graphway_service_requests_in_flight", **labels) == 1
            assert plane.count("graphway_service_requests_total", **labels) == 0
            gate.open()
            assert (await client.response()).body == b"12"
        await plane.counted("graphway_service_requests_total", code="200", **labels)
        assert plane.count("graphway_service_requests_in_flight", **labels) == 0


async def test_a_step_that_is_a_service_streams_from_the_revision_that_was_drawn(
    predictor: Predictor,
) -> None:
    gate = Gate()
    predictor.on("/p", gated(head() + chunk(b"1"), gate, chunk(b"2") + LAST))
    steps = [{"serviceName": "iris"}]
    graph = source("g", {"root": {"routerType": "Sequence", "steps": steps}}, namespace="ns")
    plane = Plane()
    with contextlib.closing(plane):
        shares = ("old", 0, [predictor.origin]), ("new", 100, [predictor.origin])
        await plane.install(graph, services=table(*shares))
        async with plane.client(request("/graphs/ns/g")) as client:
            await client.arrived(b"1\r\n1\r\n")
            assert plane.count("graphway_service_requests_in_flight", revision="new") == 1
            gate.open()
            assert (await client.response()).body == b"12"
        await plane.counted("graphway_service_requests_total", code="200", revision="new")
        await plane.counted("graphway_step_calls_total", code="200", step="0")


# back-pressure


async def sent_until_stuck(exchange: Exchange, piece: bytes, most: int) -> int:
    """How much of it the other side takes before it takes no more."""
    sent = 0
    while sent < most:
        exchange.send(chunk(piece))
        sent += len(piece)
        try:
            async with asyncio.timeout(0.3):
                await exchange.flushed()
        except TimeoutError:
            break
    return sent


async def test_a_client_that_reads_nothing_stops_the_predictor(
    plane: Plane, predictor: Predictor
) -> None:
    """What both sockets and our buffers hold is all that was taken; then all of it arrives."""
    sent: list[int] = []
    piece = b"x" * 65_536

    async def script(exchange: Exchange) -> None:
        exchange.send(head())
        sent.append(await sent_until_stuck(exchange, piece, 200 << 20))
        await exchange.flushed()
        exchange.send(LAST)

    predictor.on("/m", script)
    async with plane.client() as client:
        client.pause_reading()
        await client.send(ASK)
        await eventually(lambda: sent, "the predictor is stopped")
        assert sent[0] < 64 << 20
        client.resume_reading()
        answer = await client.response()
        assert len(answer.body) == sent[0]


async def test_a_connection_whose_stream_was_held_back_serves_the_next_call(
    plane: Plane, predictor: Predictor
) -> None:
    """Also if it was the last piece that was one too many."""
    whole = render(LARGE * 16)
    predictor.on("/m", raw(whole), reply(b'"next"'))
    async with plane.client() as client, plane.client() as other:
        client.pause_reading()
        await client.send(ASK)
        await eventually(lambda: predictor.served, "it is asked")
        client.resume_reading()
        assert len((await client.response()).body) == 16 * len(LARGE)
        assert (await other.ask(ASK)).body == b'"next"'
    assert len(predictor.connections) == 1


async def test_a_client_that_is_slow_for_a_predictor_over_tls(
    server_tls: ssl.SSLContext, authority_file: Path
) -> None:
    upstream = UpstreamConfig(ca_file=str(authority_file))
    plane = Plane(DataPlaneConfig(log=LogConfig(access=False), upstream=upstream))
    async with Predictor(tls=server_tls) as predictor:
        steps = [{"serviceUrl": predictor.url("/m")}]
        predictor.on("/m", raw(render(LARGE * 16)), reply(b'"next"'))
        with contextlib.closing(plane):
            await plane.install(source("g", {"root": {"routerType": "Sequence", "steps": steps}}))
            async with plane.client() as client:
                client.pause_reading()
                await client.send(ASK)
                await eventually(lambda: predictor.served, "it is asked")
                client.resume_reading()
                assert (await client.response()).body == LARGE * 16
                assert (await client.ask(ASK)).body == b'"next"'
            assert len(predictor.connections) == 1


# how they end


async def test_a_client_that_leaves_ends_the_call_at_once(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", gated(head() + chunk(b"1"), Gate(), b""))
    async with plane.client(ASK) as client:
        await client.arrived(b"1\r\n1\r\n")
        client.abort()
        await eventually(lambda: predictor.cancelled == 1, "the predictor sees it")
    await plane.counted("graphway_requests_total", code="499")
    await plane.counted("graphway_step_calls_total", code="cancelled")


async def test_a_client_that_ends_its_side_has_left(plane: Plane, predictor: Predictor) -> None:
    predictor.on("/m", gated(head() + chunk(b"1"), Gate(), b""))
    async with plane.client(ASK) as client:
        await client.arrived(b"1\r\n1\r\n")
        client.half_close()
        await eventually(lambda: predictor.cancelled == 1, "the predictor sees it")


BREAKS = {
    "chunks": head() + chunk(b"one"),
    "within a chunk": head() + b"8\r\nhal",
    "a length": head("Content-Length: 100000\r\n") + b"half",
    "events, within an event": head(CHUNKED + EVENTS) + chunk(b"data: 1\n\ndata:"),
    "events, behind a line": head(CHUNKED + EVENTS) + chunk(b"data: 1\n\ndata: 2\n"),
    "compressed events": head(CHUNKED + EVENTS + "Content-Encoding: gzip\r\n") + chunk(b"1\n\n"),
    "events of a known length": head("Content-Length: 99999\r\n" + EVENTS) + b"data: 1\n\n",
}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_stream_that_breaks_off_does_not_look_whole(
    plane: Plane, predictor: Predictor, name: str
) -> None:
    gate = Gate()
    predictor.on("/m", gated(BREAKS[name], gate, b"", close=True))
    async with plane.client(ASK) as client:
        await client.began()
        gate.open()
        with pytest.raises(Ended):
            await client.response()
    await plane.counted("graphway_requests_total", code="502")
    await plane.counted("graphway_step_calls_total", code="reset")


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b""])
async def test_events_that_break_off_between_two_end_with_an_error_event(
    plane: Plane, predictor: Predictor, end: bytes
) -> None:
    gate = Gate()
    first = chunk(b"data: 1" + end) if end else b""
    predictor.on("/m", gated(head(CHUNKED + EVENTS) + first, gate, b"", close=True))
    async with plane.client(ASK) as client:
        await client.began()
        gate.open()
        answer = await client.response()
        assert answer.body.startswith(b"data: 1" + end if end else b"event:")
        event = answer.body[answer.body.index(b"event: error") :]
        assert event.startswith(
            b'event: error\ndata: {"error":"Failed to process request","cause":'
        )
        assert event.endswith(b'the connection broke within the answer"}\n\n')
    await plane.counted("graphway_requests_total", code="502")


async def test_a_break_is_an_error_to_a_client_of_http_1_0_too(
    plane: Plane, predictor: Predictor
) -> None:
    """The end of the connection would be the end of the answer: it is reset."""
    gate = Gate()
    predictor.on("/m", gated(head() + chunk(b"one"), gate, b"", close=True))
    reader, writer = await asyncio.open_connection("127.0.0.1", plane.port)
    with contextlib.closing(writer):
        writer.write(ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
        await reader.readuntil(b"one")
        gate.open()
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_chunks_that_are_none_break_the_stream(plane: Plane, predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/m", gated(head() + chunk(b"one"), gate, b"no size\r\n"))
    async with plane.client(ASK) as client:
        await client.arrived(b"one")
        gate.open()
        with pytest.raises(Ended):
            await client.response()
    await plane.counted("graphway_step_calls_total", code="protocol")


async def test_bytes_behind_the_end_cost_the_predictor_its_connection(
    plane: Plane, predictor: Predictor
) -> None:
    predictor.on("/m", pieces([head(), chunk(b"1"), LAST + b"HTTP/1.1 200 OK\r\n"]), reply(b'"2"'))
    async with plane.client(ASK) as client:
        assert (await client.response()).body == b"1"
        assert (await client.ask(ASK)).body == b'"2"'
    assert len(predictor.connections) == 2


# limits


async def test_the_time_of_a_call_holds_for_all_of_its_answer(predictor: Predictor) -> None:
    predictor.on("/m", gated(head(CHUNKED + EVENTS), Gate(), b""))
    async with plane_to(predictor, routerTimeouts={"serviceClient": 1}) as plane:
        async with plane.client(ASK) as client:
            answer = await client.response()
            assert b"not all of the answer within 1 s" in answer.body
        await plane.counted("graphway_requests_total", code="504")
        await plane.counted("graphway_step_calls_total", code="timeout")


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        pytest.param({"timeout": 1}, {}, id="of the graph"),
        pytest.param({"timeout": 90}, {"X-Graphway-Timeout-Ms": "300"}, id="of the caller"),
        pytest.param(
            {"timeout": 2, "routerTimeouts": {"serverWrite": 1}},
            {},
            id="longer than until it begins",
        ),
    ],
)
async def test_the_time_of_a_request_holds_for_all_of_its_answer(
    predictor: Predictor, spec: dict[str, object], asked: dict[str, str]
) -> None:
    predictor.on("/m", gated(head(CHUNKED + EVENTS), Gate(), b""))
    async with plane_to(predictor, **spec) as plane:
        async with plane.client(request("/graphs/test/g", headers=asked)) as client:
            answer = await client.response()
            assert b"not all of the answer within" in answer.body
            assert answer.status == 200
        await plane.counted("graphway_requests_total", code="504")


async def test_a_predictor_that_falls_silent_is_given_up(predictor: Predictor) -> None:
    predictor.on("/m", gated(head() + chunk(b"1"), Gate(), b""))
    upstream = UpstreamConfig(stream_idle_timeout_s=1.0)
    plane = Plane(DataPlaneConfig(log=LogConfig(access=False), upstream=upstream))
    steps = [{"serviceUrl": predictor.url("/m")}]
    with contextlib.closing(plane):
        await plane.install(source("g", {"root": {"routerType": "Sequence", "steps": steps}}))
        async with plane.client(ASK) as client:
            with pytest.raises(Ended):
                await client.response()
        await plane.counted("graphway_step_calls_total", code="timeout")


async def test_the_limit_of_answers_is_for_those_that_are_gathered(predictor: Predictor) -> None:
    plane = Plane(DataPlaneConfig(log=LogConfig(access=False), limits=Limits(answer_bytes=100_000)))
    steps = [{"serviceUrl": predictor.url("/m")}, {"serviceUrl": predictor.url("/n")}]
    predictor.on("/m", reply(LARGE))
    with contextlib.closing(plane):
        last = {"routerType": "Sequence", "steps": steps[:1]}
        await plane.install(
            source("g", {"root": last}),
            source("h", {"root": {"routerType": "Sequence", "steps": steps}}),
        )
        async with plane.client(ASK) as client:
            assert (await client.response()).body == LARGE
        async with plane.client(request("/graphs/test/h")) as client:
            assert (await client.response()).status == 502


# what is counted


async def test_a_stream_is_counted_once_at_its_end(plane: Plane, predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/m", gated(head() + chunk(b"1"), gate, chunk(b"2") + LAST))
    async with plane.client(ASK) as client:
        await client.arrived(b"1\r\n1\r\n")
        assert plane.count("graphway_requests_in_flight") == 1
        assert plane.count("graphway_requests_total") == 0
        gate.open()
        await client.response()
    await plane.counted("graphway_requests_total", code="200")
    for name in ("first_byte", "request_duration", "step_duration"):
        assert plane.count(f"graphway_{name}_seconds") == 1, name


async def test_a_whole_answer_has_no_first_byte(plane: Plane) -> None:
    async with plane.client(ASK) as client:
        await client.response()
    assert plane.count("graphway_requests_total") == 1
    assert plane.count("graphway_first_byte_seconds") == 0


def test_the_parser_of_these_tests_sees_a_cut() -> None:
    assert take_response(head() + chunk(b"one"), at_end=True) is None
    assert take_response(head() + chunk(b"one") + LAST, at_end=True) is not None
