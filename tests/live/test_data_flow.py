"""Mappings, headers, answers of a graph's own and joined ensembles, over real sockets."""

import json

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.kit.manifests import Step, graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import never, reply


def ensemble(*steps: Step, **fields: object) -> str:
    """As the graph `g`, below a Sequence that asks one more."""
    document = json.loads(graph("g", "Sequence").removeprefix("---\n"))
    document["spec"]["nodes"] = {
        "root": {"routerType": "Sequence", "steps": [{"nodeName": "all"}, steps[0]]},
        "all": {"routerType": "Ensemble", "steps": list(steps[1:]), **fields},
    }
    return f"---\n{json.dumps(document)}\n"


async def test_a_mapping_sees_headers_and_earlier_answers(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.on("/first", reply(b'{"predictions": [1.10]}'))
    manifest = graph(
        "g",
        "Sequence",
        {"name": "first", "serviceUrl": predictor.url("/first")},
        {
            "serviceUrl": predictor.url("/second"),
            "data": "jmespath: {instances: steps.first.response.predictions,"
            ' tier: headers."x-tier", big: request.id}',
        },
    )
    async with serve(manifest) as router, Client.to(router.port) as client:
        sent = request(path("g"), b'{"id":12345678901234567890}', headers={"X-Tier": "gold"})
        assert (await client.ask(sent)).status == 200
        broken = await client.ask(request(path("g"), b"not json"))
    assert predictor.bodies[1] == b'{"instances":[1.10],"tier":"gold","big":12345678901234567890}'
    assert predictor.requests[1].header(b"content-type") == b"application/json"
    assert broken.status == 422
    cause = json.loads(broken.body)["cause"]
    assert cause.startswith("data of step root/1: the request is not JSON, in `jmespath: {inst")


async def test_headers_of_a_step_and_of_a_graph(predictor: Predictor, serve: Serve) -> None:
    edited = {"set": {"X-Route": "a"}, "remove": ["X-Debug"], "copy": ["Authorization"]}
    manifest = graph(
        "g",
        "Sequence",
        {"serviceUrl": predictor.url("/a"), "headers": edited},
        {"serviceUrl": predictor.url("/b")},
        propagateHeaders=["^X-"],
    )
    manifest += graph("other", "Sequence", {"serviceUrl": predictor.url("/c")})
    headers = {"Authorization": "Bearer t", "X-Debug": "1", "X-Tag": "t"}
    async with serve(manifest) as router, Client.to(router.port) as client:
        for name in ("g", "other"):
            await client.ask(request(path(name), b"{}", headers=headers))
    names = ("authorization", "x-debug", "x-tag", "x-route")
    sent = [[r.header(name.encode()) for name in names] for r in predictor.requests]
    assert sent == [
        [b"Bearer t", None, b"t", b"a"],
        [None, b"1", b"t", None],
        [None, None, None, None],
    ]


async def test_a_graph_answers_by_itself(serve: Serve) -> None:
    manifest = graph(
        "g",
        "Switch",
        {"condition": "a", "respond": {"status": 429, "headers": {"Retry-After": "7"}}},
        {"condition": "@this", "respond": {"body": "jmespath: {got: request}"}},
    )
    async with serve(manifest) as router, Client.to(router.port) as client:
        refused = await client.ask(request(path("g"), b'{"a":1}'))
        assert (refused.status, refused.body) == (429, b"")
        assert refused.header(b"retry-after") == b"7"
        answered = await client.ask(request(path("g"), b"[1.50]"))
        assert (answered.status, answered.body) == (200, b'{"got":[1.50]}')
        assert answered.header(b"content-type") == b"application/json"


async def test_who_is_left_out_is_named_to_the_caller(predictor: Predictor, serve: Serve) -> None:
    predictor.on("/a", reply(b'{"predictions":[1,2]}'))
    predictor.on("/b", reply(b'{"detail":"loading"}', 503))
    predictor.on("/c", never())
    predictor.on("/last", reply(b'{"ok":true}'))
    steps: list[Step] = [{"name": n, "serviceUrl": predictor.url(f"/{n}")} for n in ("a", "b", "c")]
    last: Step = {"serviceUrl": predictor.url("/last"), "data": "$response"}
    manifest = ensemble(last, *steps, combine="mean", deadlineSeconds=0.2)
    async with serve(manifest) as router, Client.to(router.port) as client:
        response = await client.ask(request(path("g"), b"{}"))
        assert response.body == b'{"ok":true}'
        assert response.header(b"x-graphway-partial") == b"b, c"
        assert predictor.bodies[-1] == b'{"predictions":[1.0,2.0]}'
        await eventually(lambda: predictor.cancelled == 1, "who was late is cancelled")
        metrics = await router.metrics()
        assert metrics.total("graphway_step_calls_total", step="c", code="cancelled") == 1
