"""The pages of V1 and V2 by which clients ask about a graph, over sockets."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from router.config import DataPlaneConfig, EndpointSource, GraphSource, UpstreamConfig
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.grpc_predictor import grpc_predictor
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, hold, never, reply
from tests.router.plane import QUIET, Plane
from tests.router.upstream.asking import table
from tests.router.whole import source
from tests.scripts import ensemble, sequence, splitter, step, switch

IN: Any = [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
OUT: Any = [{"name": "y", "datatype": "INT64", "shape": [-1]}]


def graph(name: str = "g", *urls: str, namespace: str = "test", **fields: Any) -> GraphSource:
    steps = [{"serviceUrl": url, **fields} for url in urls]
    return source(name, {"root": sequence(*steps)}, namespace)


def v2(predictor: Predictor, model: str = "m") -> str:
    return predictor.url(f"/v2/models/{model}/infer")


def metadata(predictor: Predictor, model: str, inputs: Any, outputs: Any) -> None:
    body = {"name": model, "platform": "", "inputs": inputs, "outputs": outputs}
    predictor.on(f"/v2/models/{model}", reply(json.dumps(body).encode()))


def said(answer: Response, status: int = 200) -> Any:
    assert (answer.status, answer.header(b"content-type")) == (status, b"application/json")
    return json.loads(answer.body)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


# which paths


PAGES = {
    "the server": ("/v2", {"name": "graphway", "extensions": ["binary_tensor_data"]}),
    "the server, with a slash": ("/v2/", {"name": "graphway"}),
    "it lives": ("/v2/health/live", {"live": True}),
    "it is ready": ("/v2/health/ready", {"ready": True}),
    "all models of V2": ("/v2/models", {"models": ["g"]}),
    "all models of V1": ("/v1/models", {"models": ["g"]}),
    "a model": ("/v2/models/g", {"name": "g", "platform": "graphway", "inputs": [], "outputs": []}),
    "a version of it": ("/v2/models/g/versions/3", {"name": "g", "platform": "graphway"}),
    "by its key": ("/v2/models/test/g", {"name": "test/g", "platform": "graphway"}),
    "by its key, escaped": ("/v2/models/test%2Fg", {"name": "test/g"}),
    "by any name": ("/v2/models/m%20n", {"name": "m n"}),
    "a model is ready": ("/v2/models/g/ready", {"name": "g", "ready": True}),
    "a version is ready": ("/v2/models/g/versions/3/ready", {"name": "g", "ready": True}),
    "its key is ready": ("/v2/models/test/g/ready", {"name": "test/g", "ready": True}),
    "a model of V1 is ready": ("/v1/models/g", {"name": "g", "ready": True}),
    "its key in V1": ("/v1/models/test/g", {"name": "test/g", "ready": True}),
}


@pytest.mark.parametrize("way", ["by path", "by host", "by default"])
@pytest.mark.parametrize("name", PAGES)
async def test_pages(predictor: Predictor, name: str, way: str) -> None:
    path, expected = PAGES[name]
    default = "test/g" if way == "by default" else None
    config = DataPlaneConfig(log=QUIET, default_graph=default)
    async with Plane.of(graph("g", predictor.url("/p")), config=config) as plane:
        below = "/graphs/test/g" if way == "by path" else ""
        host = "g.test" if way == "by host" else "else.where"
        answer = await plane.get(below + path, host)
        assert said(answer).items() >= expected.items()
        assert answer.header(b"x-request-id") is None
        head = await plane.ask(below + path, b"", "HEAD", host=host)
        assert (head.status, head.body) == (200, b"")
        assert head.header(b"content-length") == str(len(answer.body)).encode()
    assert predictor.requests == []


OTHERS = {
    "GET of a call": ("GET", "/v2/models/g/infer"),
    "GET of a call of V1": ("GET", "/v1/models/g:predict"),
    "a page that we lack": ("GET", "/v2/models/g/config"),
    "two names": ("GET", "/v2/models/a/b"),
    "further below": ("GET", "/v2/models/g/ready/now"),
    "a path of V2 alone": ("GET", "/v2/repository"),
    "a word that begins so": ("GET", "/v22"),
    "POST of a page": ("POST", "/v2/health/ready"),
    "POST of a model": ("POST", "/v2/models/g"),
    "to infer": ("POST", "/v2/models/g/infer"),
    "to infer by the key": ("POST", "/v2/models/test/g/infer"),
    "to predict": ("POST", "/v1/models/g:predict"),
    "to explain": ("POST", "/v1/models/g:explain"),
    "OPTIONS": ("OPTIONS", "/v2/models/g"),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_everything_else_runs_the_graph(predictor: Predictor, name: str) -> None:
    method, path = OTHERS[name]
    config = DataPlaneConfig(log=QUIET, default_graph="test/g")
    async with Plane.of(graph("g", predictor.url("/p")), config=config) as plane:
        assert (await plane.ask(path, b"{}", method)).status == 200
    assert [seen.path for seen in predictor.requests] == [b"/p"]


async def test_pages_of_v1_go_through_a_graph_that_forwards(predictor: Predictor) -> None:
    served = graph("g", predictor.origin, forward="Caller")
    config = DataPlaneConfig(log=QUIET, default_graph="test/g")
    async with Plane.of(served, config=config) as plane:
        for path in ("/v1/models", "/v1/models/g", "/graphs/test/g/v1/models/x"):
            await plane.get(path)
        assert [seen.path for seen in predictor.requests] == [
            *(b"/v1/models", b"/v1/models/g", b"/v1/models/x")
        ]
        assert said(await plane.get("/v2/models/g/ready"))["ready"]


async def test_a_graph_by_the_name_of_a_model(predictor: Predictor) -> None:
    a, b = graph("a", predictor.url("/a")), graph("b", predictor.url("/b"))
    async with Plane.of(a, b) as plane:
        assert (await plane.ask("/v2/models/b/infer")).status == 200
        assert (await plane.ask("/v1/models/a:predict")).status == 200
        assert said(await plane.get("/v2/models/b"))["name"] == "b"
        unknown = await plane.ask("/v2/models/c/infer")
        assert "no graph is served here" in said(unknown, 404)["cause"]
        assert (await plane.get("/v2/models/c/ready")).status == 404
    assert [seen.path for seen in predictor.requests] == [b"/b", b"/a"]


async def test_several_graphs_as_one_server(predictor: Predictor) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    graphs = (
        graph("a", predictor.url("/a")),
        graph("b", gone),
        graph("a", predictor.url("/c"), namespace="prod"),
    )
    async with Plane.of(*graphs) as plane:
        assert said(await plane.get("/v2/models"))["models"] == ["test/a", "b", "prod/a"]
        assert said(await plane.get("/v1/models"))["models"] == ["test/a", "b", "prod/a"]
        answer = said(await plane.get("/v2/health/ready"), 503)
        assert answer == {"ready": False, "error": f"{gone}: connection refused"}
        assert said(await plane.get("/v2/health/live")) == {"live": True}
        assert said(await plane.get("/graphs/prod/a/v2/health/ready")) == {"ready": True}
        assert said(await plane.get("/v2/models/b/ready"), 503)["name"] == "b"
        assert (await plane.get("/graphs/test/x/v2/health/ready")).status == 404


async def test_no_graph_at_all() -> None:
    async with Plane.of() as plane:
        assert said(await plane.get("/v2/health/ready")) == {"ready": True}
        assert said(await plane.get("/v2/models")) == {"models": []}


async def test_a_service_of_the_host_answers_for_itself(predictor: Predictor) -> None:
    services = table(("r1", 100, (predictor.origin,)), key="test/iris")
    async with Plane.of(graph("g", predictor.url("/p")), services=services) as plane:
        await plane.get("/v2/health/ready", host="iris.test")
        await plane.get("/services/test/iris/v2/models/g")
    assert [seen.path for seen in predictor.requests] == [b"/v2/health/ready", b"/v2/models/g"]


async def test_a_router_that_ends_is_not_ready(predictor: Predictor) -> None:
    async with Plane.of(graph("g", predictor.url("/p"))) as plane:
        plane.plane.set_ready(False)
        answer = said(await plane.get("/graphs/test/g/v2/health/ready"), 503)
        assert answer == {"ready": False, "error": "shutting down"}
        assert said(await plane.get("/graphs/test/g/v2/health/live")) == {"live": True}


async def test_pages_are_no_requests_of_the_graph(predictor: Predictor) -> None:
    async with Plane.of(graph("g", v2(predictor))) as plane:
        for path in ("/v2", "/v2/health/ready", "/v2/models/g", "/v2/models/g/ready"):
            assert (await plane.get(f"/graphs/test/g{path}")).status == 200
        assert plane.ledger.named("graphway_requests_total") == {}
        assert plane.ledger.named("graphway_step_calls_total") == {}


# ready


async def ready(plane: Plane, name: str = "g") -> str:
    """Nothing, or why not."""
    answer = await plane.get(f"/graphs/test/{name}/v2/models/{name}/ready")
    error: str = said(answer, answer.status).get("error", "")
    assert (answer.status == 200) == (not error)
    return error


async def is_ready(plane: Plane) -> bool:
    return not await ready(plane)


async def test_v2_is_asked(predictor: Predictor) -> None:
    predictor.on("/v2/models/m/ready", reply(status=400))
    async with Plane.of(graph("g", v2(predictor))) as plane:
        assert await ready(plane) == f"{predictor.origin}/v2/models/m/ready answers 400"
    (seen,) = predictor.requests
    assert (seen.method, seen.header(b"accept")) == (b"GET", b"application/json")


async def test_v1_is_asked(predictor: Predictor) -> None:
    predictor.on("/v1/models/m", reply(b'{"ready": false}'))
    async with Plane.of(graph("g", predictor.url("/v1/models/m:predict"))) as plane:
        assert await ready(plane) == f"{predictor.origin}/v1/models/m says that it is not ready"


@pytest.mark.parametrize("knows", [True, False])
async def test_grpc_is_asked(knows: bool) -> None:
    asked: list[bytes] = []

    async def model_ready(message: bytes, context: object) -> bytes:
        asked.append(message)
        return b"\x08\x01" if message == b"\x0a\x01m" else b""

    async with grpc_predictor() as plain, ready_predictor(model_ready) as knowing:
        port = knowing if knows else plain.port
        good, bad = f"grpc://127.0.0.1:{port}/m", f"grpc://127.0.0.1:{port}/other"
        async with Plane.of(graph("g", good), graph("h", bad)) as plane:
            assert await ready(plane) == ""
            method = "/inference.GRPCInferenceService/ModelReady"
            no = f"grpc://127.0.0.1:{port}{method} says that it is not ready" if knows else ""
            assert await ready(plane, "h") == no
    assert len(asked) == (2 if knows else 0)


@asynccontextmanager
async def ready_predictor(model_ready: Any) -> AsyncIterator[int]:
    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(model_ready)
    service = grpc.method_handlers_generic_handler(
        "inference.GRPCInferenceService", {"ModelReady": method}
    )
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


async def test_every_target_is_asked_and_all_that_fail_are_said(predictor: Predictor) -> None:
    predictor.on("/v2/models/b/ready", reply(status=404))
    gone = f"http://127.0.0.1:{free_port()}/v2/models/c/infer"
    served = graph("g", v2(predictor, "a"), v2(predictor, "b"), gone)
    async with Plane.of(served) as plane:
        why = await ready(plane)
    assert sorted(why.split("; ")) == sorted(
        [
            f"{predictor.origin}/v2/models/b/ready answers 404",
            gone.removesuffix("/v2/models/c/infer") + ": connection refused",
        ]
    )


async def test_somebody_who_does_not_answer(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.readiness.LIMIT_S", 0.05)
    predictor.default = never()
    async with Plane.of(graph("g", v2(predictor))) as plane:
        assert await ready(plane) == f"{predictor.origin}: no answer within 0.05 s"


@pytest.mark.parametrize("hold", [True, False])
async def test_a_service_without_replicas(predictor: Predictor, hold: bool) -> None:
    served = source("g", {"root": sequence({"serviceName": "iris"})})
    async with Plane.of(served, services=table(hold=hold, key="test/iris")) as plane:
        assert await ready(plane) == ("" if hold else "service test/iris has no ready replica")


async def test_a_service_that_was_given_by_hand_is_asked(predictor: Predictor) -> None:
    predictor.on("/v2/models/m/ready", reply(status=503))
    served = source("g", {"root": sequence({"serviceName": "iris"})})
    places = [predictor.origin, f"http://127.0.0.1:{free_port()}"]
    services = {"test/iris": EndpointSource.of(places, "/v2/models/m/infer")}
    async with Plane.of(served, services=services) as plane:
        assert await ready(plane) != ""
        predictor.on("/v2/models/m/ready", reply())
        assert await plane.plane.install((served,), {}) == ()  # what is known goes with its place
        assert await ready(plane) == "service test/iris is not known here"
        assert await plane.plane.install((served,), services) == ()
        await eventually_awaited(lambda: is_ready(plane))
        assert plane.ledger.named("graphway_service_requests_total") == {}


async def test_a_unix_socket_is_connected_to(tmp_path: Path) -> None:
    served = source("g", {"root": sequence({"serviceName": "iris"})})
    path = tmp_path / "s"
    services = {"test/iris": EndpointSource.of((f"unix:{path}",), "/v2/models/m/infer")}
    async with Predictor(unix=str(path)), Plane.of(served, services=services) as plane:
        assert await ready(plane) == ""
    async with Plane.of(served, services=services) as plane:
        assert (await ready(plane)).startswith(f"unix:{path}: ")


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls_is_part_of_a_connection(
    server_tls: ssl.SSLContext, authority_file: Path, trusted: bool
) -> None:
    upstream = UpstreamConfig(ca_file=str(authority_file) if trusted else None)
    config = DataPlaneConfig(log=QUIET, upstream=upstream)
    async with (
        Predictor(tls=server_tls) as predictor,
        Plane.of(graph("g", predictor.url("/p")), config=config) as plane,
    ):
        why = await ready(plane)
    assert why.startswith("" if trusted else f"{predictor.origin}: its certificate is not trusted")
    assert bool(why) is not trusted


async def test_many_who_ask_at_once_are_one_question(predictor: Predictor) -> None:
    gate = Gate()
    predictor.default = hold(gate)
    other = graph("h", v2(predictor))
    async with Plane.of(graph("g", v2(predictor)), other) as plane:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(ready(plane, name)) for name in "gh" * 10]
            await eventually(lambda: predictor.heads == 1)
            gate.open()
        assert {each.result() for each in asked} == {""}
        assert await ready(plane) == ""
    assert predictor.served == 1


async def test_a_verdict_is_remembered_for_a_moment(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.readiness.REMEMBERED_S", 0.1)
    predictor.on("/v2/models/m/ready", reply(status=503), reply())
    async with Plane.of(graph("g", v2(predictor))) as plane:
        assert await ready(plane) != ""
        await eventually_awaited(lambda: is_ready(plane))
    assert predictor.served == 2


async def test_somebody_who_asks_and_leaves(predictor: Predictor) -> None:
    gate = Gate()
    predictor.default = hold(gate)
    async with Plane.of(graph("g", v2(predictor))) as plane:
        async with Client.to(plane.port) as client:
            await client.send(request("/graphs/test/g/v2/health/ready", b"", "GET"))
            await eventually(lambda: predictor.heads == 1)
        gate.open()
        assert await ready(plane) == ""
    assert predictor.cancelled == 0


# metadata


async def described(plane: Plane) -> tuple[Any, Any]:
    answer = said(await plane.get("/graphs/test/g/v2/models/g"))
    assert answer.keys() == {"name", "versions", "platform", "inputs", "outputs"}
    (version,) = answer["versions"]
    assert len(version) == 8
    return answer["inputs"], answer["outputs"]


def at(predictor: Predictor, model: str, **fields: Any) -> dict[str, Any]:
    return {"serviceUrl": v2(predictor, model), **fields}


async def test_inputs_of_the_first_target_and_outputs_of_the_last(predictor: Predictor) -> None:
    metadata(predictor, "a", IN, [])
    metadata(predictor, "b", [], OUT)
    async with Plane.of(graph("g", v2(predictor, "a"), v2(predictor, "b"))) as plane:
        assert await described(plane) == (IN, OUT)
        assert await described(plane) == (IN, OUT)
    assert [seen.path for seen in predictor.requests] == [b"/v2/models/a", b"/v2/models/b"]


async def test_one_target_is_asked_once(predictor: Predictor) -> None:
    metadata(predictor, "m", IN, OUT)
    async with Plane.of(graph("g", v2(predictor))) as plane:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(described(plane)) for _ in range(10)]
        assert all(each.result() == (IN, OUT) for each in asked)
    assert predictor.served == 1


NODES: dict[str, tuple[Any, tuple[Any, Any]]] = {
    "a branch of a Switch that can be asked": (
        lambda p: {"root": switch(step("x", condition="a"), at(p, "m", condition="@this"))},
        (IN, OUT),
    ),
    "a branch of a Splitter": (lambda p: {"root": splitter(at(p, "m", weight=100))}, (IN, OUT)),
    "an Ensemble answers what no target does": (lambda p: {"root": ensemble(at(p, "m"))}, (IN, [])),
    "unless it answers what one of them does": (
        lambda p: {"root": ensemble(at(p, "m")) | {"combine": "first"}},
        (IN, OUT),
    ),
    "nodes below": (
        lambda p: {
            "root": sequence(step(node="a"), step(node="b")),
            "a": sequence(at(p, "m"), step("x")),
            "b": sequence(step("x"), at(p, "m")),
        },
        (IN, OUT),
    ),
    "first and last of another protocol": (
        lambda p: {"root": sequence(step("x"), at(p, "m"), step("y"))},
        ([], []),
    ),
}


@pytest.mark.parametrize("name", NODES)
async def test_who_is_first_and_last(predictor: Predictor, name: str) -> None:
    nodes, expected = NODES[name]
    metadata(predictor, "m", IN, OUT)
    async with Plane.of(source("g", nodes(predictor))) as plane:
        assert await described(plane) == expected


async def test_a_graph_behind_a_graph_is_looked_into(predictor: Predictor) -> None:
    metadata(predictor, "m", IN, OUT)
    outer = graph("g", "http://inner.test")
    async with Plane.of(outer, graph("inner", v2(predictor))) as plane:
        assert await described(plane) == (IN, OUT)
        assert await ready(plane) == ""
    assert [seen.path for seen in predictor.requests] == [b"/v2/models/m", b"/v2/models/m/ready"]


async def test_a_service_describes_itself_without_being_counted(predictor: Predictor) -> None:
    metadata(predictor, "m", IN, OUT)
    served = source("g", {"root": sequence({"serviceName": "iris"})})
    rows = table(("r1", 100, (predictor.origin,)), key="test/iris")["test/iris"].revisions
    services = {"test/iris": EndpointSource("/v2/models/m/infer", rows, hold=True)}
    async with Plane.of(served, services=services) as plane:
        assert await described(plane) == (IN, OUT)
        assert plane.ledger.named("graphway_service_requests_total") == {}


@pytest.mark.parametrize(
    "answer",
    [reply(status=404), reply(b"no"), reply(b'{"inputs": 1}'), reply(b"[]")],
    ids=["404", "no JSON", "another shape", "an array"],
)
async def test_a_target_that_does_not_know(predictor: Predictor, answer: Any) -> None:
    predictor.default = answer
    async with Plane.of(graph("g", v2(predictor))) as plane:
        assert await described(plane) == ([], [])


async def test_a_target_that_is_gone() -> None:
    async with Plane.of(graph("g", f"http://127.0.0.1:{free_port()}/v2/models/m/infer")) as plane:
        assert await described(plane) == ([], [])
