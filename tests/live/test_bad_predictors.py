"""Predictors that refuse, break off, talk garbage or say nothing: 502 or 504, or an answer that is
cut off where it had begun, and nobody else notices.
"""

import json

from tests.conftest import Serve
from tests.kit.client import Client, Ended, request
from tests.kit.eventually import eventually
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import (
    Script,
    drop,
    early,
    flood,
    half_close,
    never,
    pieces,
    raw,
    render,
    reply,
    reset,
    stall,
)

ANSWER = render(b'{"predictions": [1]}')
CLOSE_DELIMITED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

CUT = "cut off"  # an answer of unknown length streams: it had begun when it broke

BEHAVIOURS: dict[str, tuple[Script, int | str]] = {
    "closes before the answer": (drop(), 502),
    "closes within the head": (drop(20, ANSWER), 502),
    "closes within the body": (drop(len(ANSWER) - 1, ANSWER), 502),
    "closes within a chunk": (raw(CHUNKED + b"5\r\nab", close=True), CUT),
    "closes before the last chunk": (raw(CHUNKED + b"2\r\n{}\r\n", close=True), CUT),
    "half-closes within the body": (half_close(len(ANSWER) - 1, ANSWER), 502),
    "resets before the answer": (reset(), 502),
    "resets within the head": (reset(20, ANSWER), 502),
    "resets within the body": (reset(len(ANSWER) - 1, ANSWER), 502),
    "sends garbage": (raw(b"\x00\x01\x02 nothing like HTTP\r\n\r\n"), 502),
    "sends garbage after its answer": (raw(ANSWER + b"garbage", close=True), 200),
    "never answers": (never(), 504),
    "stops within the head": (pieces([ANSWER[:20]]), 504),
    "stops within the body": (pieces([ANSWER[:-1]]), 504),
    "floods with interim answers": (flood(), 502),
    "answers piece by piece": (pieces([bytes([byte]) for byte in ANSWER]), 200),
    "ends its answer by closing": (raw(CLOSE_DELIMITED, close=True), 200),
    "closes after each answer": (reply(close=True), 200),
    "fails by itself": (reply(b'{"error": "no"}', status=500), 500),
}


async def test_every_fault_of_a_predictor_is_answered_and_leaves_no_trace(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = "".join(
        graph(
            f"g{number}",
            "Sequence",
            {"serviceUrl": predictor.url(f"/{number}")},
            routerTimeouts={"serviceClient": 1},
        )
        for number in range(len(BEHAVIOURS))
    )
    seen: dict[str, int | str] = {}
    after = {}
    async with serve(manifest, "--workers", "1") as router:
        for number, (name, (script, _)) in enumerate(BEHAVIOURS.items()):
            predictor.on(f"/{number}", script, reply())
            async with Client.to(router.port) as client:
                try:
                    response = await client.ask(request(path(f"g{number}")))
                except Ended:
                    seen[name] = CUT
                else:
                    seen[name] = response.status
                    if response.status in {502, 504}:
                        assert json.loads(response.body).keys() == {"error", "cause"}, name
            async with Client.to(router.port) as client:
                after[name] = (await client.ask(request(path(f"g{number}")))).status
        await eventually(lambda: predictor.open_connections <= 1, "nothing but the pool is left")
        metrics = await router.metrics()
    assert seen == {name: status for name, (_, status) in BEHAVIOURS.items()}
    assert set(after.values()) == {200}
    assert metrics.total("graphway_worker_restarts_total") == 0
    assert metrics.total("graphway_requests_in_flight") == 0
    assert "Traceback" not in router.text()


async def test_a_refused_connection_is_a_502_until_the_predictor_comes_back(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with (
        serve(manifest, "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        predictor.refuse()
        refused = await client.ask(request(path("g")))
        assert refused.status == 502
        assert "refused" in json.loads(refused.body)["cause"]
        await predictor.listen()
        assert (await client.ask(request(path("g")))).status == 200


async def test_a_predictor_that_stops_reading_a_large_body_is_a_timeout(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.on("/stall", early(stall()))
    manifest = graph(
        "g",
        "Sequence",
        {"serviceUrl": predictor.url("/stall")},
        routerTimeouts={"serviceClient": 1},
    )
    async with (
        serve(manifest, "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        response = await client.ask(request(path("g"), b'"%b"' % (b"x" * 30_000_000)))
        assert response.status == 504


async def test_an_answer_before_the_body_was_read_is_passed_on(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.on("/early", early(reply(b'{"error": "too large"}', status=413, close=True)))
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/early")})
    async with (
        serve(manifest, "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        response = await client.ask(request(path("g"), b'"%b"' % (b"x" * 5_000_000)))
        assert (response.status, response.body) == (413, b'{"error": "too large"}')


async def test_a_client_that_leaves_cancels_every_call(predictor: Predictor, serve: Serve) -> None:
    predictor.default = never()
    steps = [{"name": f"s{number}", "serviceUrl": predictor.url("/m")} for number in range(3)]
    async with serve(graph("g", "Ensemble", *steps), "--workers", "1") as router:
        async with Client.to(router.port) as client:
            await client.send(request(path("g")))
            await eventually(lambda: predictor.served == len(steps), "all steps are called")
        await eventually(lambda: predictor.cancelled == len(steps), "all calls are given up")
        assert predictor.open_connections == 0
