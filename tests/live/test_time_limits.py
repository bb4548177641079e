"""The times that a manifest or a caller may set, each met by somebody who is too slow: what he is
told, and that nothing runs on for him.
"""

import json

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import never

WHOLE = request(path("g"))
HEAD, BODY = WHOLE[:-2], WHOLE[-2:]

TOO_SLOW: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "serverWrite is the time to the answer": ({"routerTimeouts": {"serverWrite": 1}}, {}),
    "timeout is that of the whole request": ({"timeout": 1}, {}),
    "the shorter of the two counts": ({"timeout": 1, "routerTimeouts": {"serverWrite": 60}}, {}),
    "serviceClient is that of one call": ({"routerTimeouts": {"serviceClient": 1}}, {}),
    "a caller may ask for less": ({}, {"X-Graphway-Timeout-Ms": "1000"}),
    "a caller may not ask for more": ({"timeout": 1}, {"X-Graphway-Timeout-Ms": "60000"}),
}
HARD = {"dependency": "Hard"}


async def test_a_predictor_that_is_too_slow_is_a_504_and_its_calls_are_given_up(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = never()
    steps = [{"name": name, "serviceUrl": predictor.url("/m"), **HARD} for name in ("a", "b")]
    manifest, asked = "", []
    for number, (spec, headers) in enumerate(TOO_SLOW.values()):
        manifest += graph(f"g{number}", "Ensemble", *steps, **spec)
        asked.append(request(path(f"g{number}"), headers=headers))
    async with (
        serve(manifest, "--workers", "1") as router,
        crowd(router.port, len(asked)) as clients,
    ):
        for client, data in zip(clients, asked, strict=True):
            await client.send(data)
        for client, name in zip(clients, TOO_SLOW, strict=True):
            response = await client.response()
            assert (response.status, response.closes) == (504, False), name
            body = json.loads(response.body)
            assert body["error"] == "Failed to process request"
            assert body["cause"].endswith("no answer within 1 s"), name
        await eventually(lambda: not predictor.open_connections, "every call is given up")
        assert predictor.cancelled == len(asked) * len(steps)
        metrics = await router.metrics()
    assert metrics.total("graphway_requests_total", code="504") == len(asked)
    assert metrics.total("graphway_requests_in_flight") == 0


@pytest.mark.parametrize(
    ("spec", "sent", "env"),
    [
        pytest.param(
            {"routerTimeouts": {"serverRead": 1}}, HEAD + BODY[:1], {}, id="a body, by serverRead"
        ),
        pytest.param(
            {}, HEAD, {"GRAPHWAY_LIMIT_BODY_TIMEOUT_SECONDS": "1"}, id="a body, by a setting"
        ),
        pytest.param(
            {}, HEAD[:20], {"GRAPHWAY_LIMIT_HEAD_TIMEOUT_SECONDS": "1"}, id="a head, by a setting"
        ),
    ],
)
async def test_a_client_that_is_too_slow_is_a_408(
    spec: dict[str, object],
    sent: bytes,
    env: dict[str, str],
    predictor: Predictor,
    serve: Serve,
) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")}, **spec)
    async with (
        serve(manifest, "--workers", "1", env=env) as router,
        Client.to(router.port) as client,
    ):
        await client.send(sent)
        response = await client.response()
        assert (response.status, response.closes) == (408, True)
        assert json.loads(response.body).keys() == {"error", "cause"}
        assert await client.closed() == b""
    assert predictor.heads == 0


async def test_a_client_that_asks_no_more_is_left_by_server_idle(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph(
        "g",
        "Sequence",
        {"serviceUrl": predictor.url("/m")},
        routerTimeouts={"serverIdle": 1},
    )
    async with (
        serve(manifest, "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        assert not (await client.ask(WHOLE)).closes
        assert await client.closed() == b""
        assert router.exit_code is None
