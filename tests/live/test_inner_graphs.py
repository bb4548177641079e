"""Graphs that call graphs: what a socket hop would do, without one, in a router that runs."""

import json
from typing import Any

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.predictor import Exchange, Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, echo, never, reply

# Nothing resolves this name here, so an answer proves that no socket was asked for.
INNER = "http://inner.test.svc.cluster.local/v1/models/inner:predict"


async def nothing_in_flight(router: Router) -> bool:
    return (await router.metrics()).total("graphway_requests_in_flight") == 0


async def test_a_graph_is_a_step_of_another(predictor: Predictor, serve: Serve) -> None:
    predictor.on("/double", reply(b'{"predictions":[2.0]}'))
    manifest = graph(
        "inner", "Sequence", {"name": "double", "serviceUrl": predictor.url("/double")}
    )
    manifest += graph(
        "outer",
        "Ensemble",
        {"name": "one", "serviceUrl": INNER},
        {"name": "two", "serviceUrl": "http://inner.test"},
    )
    async with serve(manifest, env={"PROPAGATE_HEADERS": "^X-Tag$"}) as router:
        async with Client.to(router.port) as client:
            response = await client.ask(
                request(path("outer"), b'{"instances":[1]}', headers={"X-Tag": "t", "X-Other": "o"})
            )
        assert response.status == 200
        assert json.loads(response.body) == {
            "one": {"predictions": [2.0]},
            "two": {"predictions": [2.0]},
        }
        for sent in predictor.requests:
            assert sent.body == b'{"instances":[1]}'
            assert sent.header(b"x-tag") == b"t"
            assert sent.header(b"x-other") is None
        metrics = await router.metrics()
        total = "graphway_requests_total"
        assert metrics.total(total, graph="test/inner", code="200") == 2
        assert metrics.total(total, graph="test/outer", code="200") == 1
        assert metrics.total("graphway_step_calls_total", graph="test/inner") == 2
        assert metrics.total("graphway_upstream_connections_opened_total") <= 2


async def test_draws_of_inner_graphs_are_their_own(predictor: Predictor, serve: Serve) -> None:
    half = [
        {"name": name, "weight": 50, "serviceUrl": predictor.url(f"/{name}")} for name in ("a", "b")
    ]
    for name in ("a", "b"):
        predictor.on(f"/{name}", reply(json.dumps(name).encode()))
    manifest = graph("inner", "Splitter", *half)
    steps = [{"name": str(n), "serviceUrl": INNER} for n in range(8)]
    manifest += graph("outer", "Ensemble", *steps)
    async with serve(manifest) as router, Client.to(router.port) as client:
        seen = set()
        for _ in range(20):
            response = await client.ask(request(path("outer"), b"{}"))
            seen.add(tuple(json.loads(response.body).values()))
        assert len(seen) > 1, "each request draws anew"
        assert any(len(set(values)) == 2 for values in seen), "and so does each step"
        metrics = await router.metrics()
        assert metrics.total("graphway_splitter_choices_total", graph="test/inner") == 160


async def test_errors_and_answers_of_an_inner_graph_are_those_of_a_predictor(
    predictor: Predictor, serve: Serve
) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "gone": {"serviceUrl": "http://127.0.0.1:1/"},
        "said": {"respond": {"status": 418, "headers": {"X-Why": "tea"}, "body": "short"}},
    }
    manifest = "".join(graph(name, "Sequence", step) for name, step in kinds.items())
    manifest += "".join(
        graph(f"to-{name}", "Sequence", {"serviceUrl": f"http://{name}.test"}) for name in kinds
    )
    async with serve(manifest) as router, Client.to(router.port) as client:
        gone = await client.ask(request(path("to-gone"), b"{}"))
        assert gone.status == 502
        assert json.loads(gone.body)["error"] == "Failed to process request"
        said = await client.ask(request(path("to-said"), b"{}"))
        assert (said.status, said.body) == (418, b"short")
        assert said.header(b"content-type") == b"text/plain; charset=utf-8"
        assert said.header(b"x-why") is None


async def test_who_leaves_cancels_inner_calls_and_so_does_a_limit(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.on("/never", never())
    manifest = graph("inner", "Sequence", {"serviceUrl": predictor.url("/never")})
    manifest += graph("outer", "Sequence", {"serviceUrl": INNER})
    manifest += graph(
        "late", "Sequence", {"serviceUrl": INNER}, routerTimeouts={"serviceClient": 1}
    )
    async with serve(manifest) as router:
        async with Client.to(router.port) as client:
            await client.send(request(path("outer"), b"{}"))
            await eventually(lambda: predictor.heads == 1, "the call comes")
            client.abort()
        await eventually(lambda: predictor.cancelled == 1, "the call is cancelled")
        async with Client.to(router.port) as client:
            late = await client.ask(request(path("late"), b"{}"))
        assert late.status == 504
        assert json.loads(late.body)["cause"] == f"{INNER}: no answer within 1 s"
        await eventually(lambda: predictor.cancelled == 2, "the late call is cancelled")
        await eventually_awaited(lambda: nothing_in_flight(router), "nothing is left")
        metrics = await router.metrics()
        assert metrics.total("graphway_requests_total", graph="test/inner", code="499") == 2


async def test_bodies_flow_through_an_inner_graph(predictor: Predictor, serve: Serve) -> None:
    """Also one that the inner graph has to see whole, and an answer that its caller has to."""
    predictor.default = echo()
    large = b'{"x":"%b"}' % (b"y" * 3_000_000)
    manifest = graph("inner", "Sequence", {"serviceUrl": predictor.url("/echo")})
    manifest += graph("seeing", "Switch", {"condition": "x", "serviceUrl": predictor.url("/echo")})
    for name in ("inner", "seeing"):
        to = {"serviceUrl": f"http://{name}.test"}
        manifest += graph(f"to-{name}", "Sequence", to)
        manifest += graph(f"all-{name}", "Ensemble", to)
    async with serve(manifest) as router, Client.to(router.port) as client:
        for name in ("inner", "seeing"):
            answer = await client.ask(request(path(f"to-{name}"), large))
            assert (answer.status, answer.body) == (200, large)
            merged = await client.ask(request(path(f"all-{name}"), large))
            assert merged.body == b'{"0":%b}' % large
        await eventually_awaited(lambda: nothing_in_flight(router), "nothing is left")
        metrics = await router.metrics()
        assert metrics.total("graphway_requests_total", graph="test/inner", code="200") == 2


async def test_an_answer_streams_through_an_inner_graph(predictor: Predictor, serve: Serve) -> None:
    gate = Gate()

    async def events(exchange: Exchange) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        exchange.send(f"{head}Transfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n".encode())
        await gate.opened()
        exchange.send(b"8\r\ndata: 2\n\r\n0\r\n\r\n")
        await exchange.flushed()

    predictor.on("/events", events)
    manifest = graph("inner", "Sequence", {"serviceUrl": predictor.url("/events")})
    manifest += graph("outer", "Sequence", {"serviceUrl": INNER})
    manifest += graph("whole", "Ensemble", {"serviceUrl": INNER, "name": "a"})
    async with serve(manifest) as router, Client.to(router.port) as client:
        await client.send(request(path("outer"), b"{}"))
        assert b"data: 2" not in await client.arrived(b"data: 1")
        gate.open()
        answer = await client.response()
        assert answer.body == b"data: 1\ndata: 2\n"
        assert answer.header(b"content-type") == b"text/event-stream"
        merged = await client.ask(request(path("whole"), b"{}"))
        assert json.loads(merged.body)["a"]["cause"] == "the answer is not JSON"
        await eventually_awaited(lambda: nothing_in_flight(router), "nothing is left")
        metrics = await router.metrics()
        assert metrics.total("graphway_requests_total", graph="test/inner", code="200") == 2


async def test_who_leaves_a_stream_ends_it_within_the_inner_graph(
    predictor: Predictor, serve: Serve
) -> None:
    async def events(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await exchange.left()

    predictor.on("/events", events)
    manifest = graph("inner", "Sequence", {"serviceUrl": predictor.url("/events")})
    manifest += graph("outer", "Sequence", {"serviceUrl": INNER})
    async with serve(manifest) as router:
        async with Client.to(router.port) as client:
            await client.send(request(path("outer"), b"{}"))
            await client.arrived(b"x")
            client.abort()
        await eventually(lambda: predictor.open_connections == 0, "the stream is ended")
        await eventually_awaited(lambda: nothing_in_flight(router), "nothing is left")


async def test_a_reload_leads_to_another_graph_and_never_in_a_circle(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = echo()
    outer = graph("outer", "Sequence", {"serviceUrl": INNER})
    red, blue = (
        graph("inner", "Sequence", {"respond": {"body": name}}) for name in ("red", "blue")
    )

    async def answer() -> bytes:
        async with Client.to(router.port) as client:
            return (await client.ask(request(path("outer"), b"{}"))).body

    async with serve(outer + red) as router:
        assert await answer() == b"red"
        router.write(outer + blue)

        async def is_blue() -> bool:
            return await answer() == b"blue"

        await eventually_awaited(is_blue, "the new graph answers")
        router.write(outer + graph("inner", "Sequence", {"serviceUrl": "http://outer.test"}))
        await eventually(lambda: any("graph-loop" in line for line in router.log), "it is refused")
        assert await answer() == b"blue"
