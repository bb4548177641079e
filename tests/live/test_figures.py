"""What an operator sees of requests: figures of all workers together, and a line of the access log
for each.
"""

import json
from collections import Counter

from tests.conftest import Serve
from tests.kit.client import request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.manifests import Step, graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, hold, reply, reset

CLIENTS, EACH = 16, 10
REQUESTS = CLIENTS * EACH
GRAPHS = ("ensemble", "splitter", "switch", "broken")


def manifest(predictor: Predictor) -> str:
    def to(name: str, **more: object) -> Step:
        return {"name": name, "serviceUrl": predictor.url(f"/{name}"), **more}

    predictor.on("/fails", reply(b"{}", status=503))
    predictor.on("/resets", reset())
    return "".join(
        [
            graph("ensemble", "Ensemble", to("fine"), to("fails"), to("resets")),
            graph("splitter", "Splitter", to("new", weight=25), to("old", weight=75)),
            graph("switch", "Switch", to("never", condition="b"), to("dog", condition="a")),
            graph("broken", "Sequence", to("fine"), to("resets")),
        ]
    )


async def ask_all(router: Router) -> None:
    """Many connections, so that every worker has some."""
    async with crowd(router.port, CLIENTS) as clients:
        for number in range(EACH):
            for client in clients:
                for name in GRAPHS:
                    headers = {"X-Request-Id": f"{name}-{number}"}
                    await client.send(request(path(name), b'{"a": 1}', headers=headers))
            for client in clients:
                await client.responses(len(GRAPHS))


async def test_figures_add_up_over_workers(predictor: Predictor, serve: Serve) -> None:
    async with serve(manifest(predictor), "--workers", "2") as router:
        await ask_all(router)
        metrics = await router.metrics()

    def calls(name: str, node: str = "root") -> dict[tuple[str, str], float]:
        return {
            (labels["step"], labels["code"]): value
            for found, labels, value in metrics.samples
            if found == "graphway_step_calls_total" and labels["graph"] == f"test/{name}"
            if labels["node"] == node
        }

    answered = {"ensemble": "200", "splitter": "200", "switch": "200", "broken": "502"}
    for name, code in answered.items():
        of = f"test/{name}"
        assert metrics.total("graphway_requests_total", graph=of) == REQUESTS
        assert metrics.total("graphway_requests_total", graph=of, code=code) == REQUESTS
        assert metrics.total("graphway_request_duration_seconds_count", graph=of) == REQUESTS
        assert metrics.total("graphway_request_duration_seconds_sum", graph=of) > 0
    assert calls("ensemble") == {
        ("fine", "200"): REQUESTS,
        ("fails", "503"): REQUESTS,
        ("resets", "reset"): REQUESTS,
    }
    assert calls("broken") == {("fine", "200"): REQUESTS, ("resets", "reset"): REQUESTS}
    assert calls("switch") == {("dog", "200"): REQUESTS}
    drawn = calls("splitter")
    assert drawn.keys() == {("new", "200"), ("old", "200")}
    assert sum(drawn.values()) == REQUESTS
    for step in ("new", "old"):
        choices = metrics.total("graphway_splitter_choices_total", node="root", step=step)
        assert choices == drawn[step, "200"] > 0
    assert metrics.total("graphway_splitter_choices_total", graph="test/splitter") == REQUESTS
    made = metrics.total("graphway_step_calls_total")
    assert made == predictor.served == REQUESTS * 7
    assert metrics.total("graphway_step_duration_seconds_count") == made
    opened = metrics.total("graphway_upstream_connections_opened_total", target=predictor.origin)
    reused = metrics.total("graphway_upstream_connections_reused_total", target=predictor.origin)
    assert opened == len(predictor.connections)
    assert made - opened <= reused <= made
    assert metrics.total("graphway_requests_in_flight") == 0


async def test_a_connection_that_goes_from_call_to_call_is_reused(
    predictor: Predictor, serve: Serve
) -> None:
    """Whether a call finds it idle or has waited in line for it."""
    steps = [{"serviceUrl": predictor.url("/m")}] * 4
    env = {"GRAPHWAY_UPSTREAM_CONNECTIONS": "1"}
    async with (
        serve(graph("g", "Ensemble", *steps), "--workers", "1", env=env) as router,
        crowd(router.port, 1) as (client,),
    ):
        for _ in range(2):
            assert (await client.ask(request(path("g")))).status == 200
        metrics = await router.metrics()
    assert metrics.total("graphway_upstream_connections_opened_total") == 1
    assert metrics.total("graphway_upstream_connections_reused_total") == 7


async def test_requests_in_flight_are_those_of_all_workers(
    predictor: Predictor, serve: Serve
) -> None:
    gate = Gate()
    predictor.default = hold(gate)
    steps = [{"serviceUrl": predictor.url("/m")}] * 2
    async with (
        serve(graph("g", "Ensemble", *steps), "--workers", "2") as router,
        crowd(router.port, CLIENTS) as clients,
    ):

        async def in_flight(count: int) -> bool:
            metrics = await router.metrics()
            return metrics.total("graphway_requests_in_flight", graph="test/g") == count

        for client in clients:
            await client.send(request(path("g")))
        await eventually(lambda: predictor.served == 2 * CLIENTS, "all calls are made")
        assert await in_flight(CLIENTS)
        await clients[0].aclose()
        await eventually_awaited(lambda: in_flight(CLIENTS - 1), "one has left")
        gate.open()
        for client in clients[1:]:
            await client.response()
        assert await in_flight(0)
        metrics = await router.metrics()
        assert metrics.total("graphway_requests_total", code="499") == 1
        assert metrics.total("graphway_requests_total", code="200") == CLIENTS - 1
        assert metrics.total("graphway_step_calls_total", code="cancelled") == len(steps)
        assert metrics.total("graphway_step_duration_seconds_count") == CLIENTS * len(steps)


async def test_each_request_is_a_line_of_the_log(predictor: Predictor, serve: Serve) -> None:
    async with serve(manifest(predictor), "--workers", "2") as router:
        await ask_all(router)
        await eventually(lambda: len(router.access_log()) >= REQUESTS * len(GRAPHS), "all lines")
        lines = router.access_log()
        served = json.loads(await router.admin("/graphs"))["graphs"]
        metrics = await router.metrics()
    revisions = {f"test/{graph['name']}": graph["revision"] for graph in served}
    for line in lines:
        name = line["graph"].removeprefix("test/")
        assert line["revision"] == revisions[line["graph"]]
        assert (line["method"], line["path"]) == ("POST", path(name))
        assert line["request_id"].startswith(f"{name}-")
        assert line["status"] == (502 if name == "broken" else 200)
        assert line["level"] == ("warning" if name == "broken" else "info")
        assert line["duration_ms"] > 0
        assert line.get("failed") == ("test/broken/root/resets" if name == "broken" else None)
    assert Counter(line["graph"] for line in lines) == dict.fromkeys(revisions, REQUESTS)
    chosen = Counter(
        (line["graph"], step) for line in lines for step in line.get("decisions", {}).values()
    )
    assert chosen["test/switch", "dog"] == REQUESTS
    for step in ("new", "old"):
        calls = metrics.total("graphway_step_calls_total", graph="test/splitter", step=step)
        assert chosen["test/splitter", step] == calls > 0
    assert sum(chosen.values()) == 2 * REQUESTS, "nobody else decides"


async def test_what_was_refused_before_it_was_a_request_is_counted_and_logged_too(
    predictor: Predictor, serve: Serve
) -> None:
    bad = {
        b"nothing like HTTP\r\n\r\n": 400,
        b"GET / HTTP/3.0\r\nHost: a\r\n\r\n": 505,
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n": 413,
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n": 417,
    }
    async with (
        serve(manifest(predictor), "--workers", "2") as router,
        crowd(router.port, len(bad)) as clients,
    ):
        for client, (data, status) in zip(clients, bad.items(), strict=True):
            assert (await client.ask(data)).status == status
        await eventually(lambda: len(router.access_log()) >= len(bad), "a line for each")
        lines = router.access_log()
        metrics = await router.metrics()
    assert {line["status"] for line in lines} == set(bad.values())
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    assert all(line["cause"] and line["bytes_out"] for line in lines)
    for status in bad.values():
        assert metrics.total("graphway_requests_total", graph="", code=str(status)) == 1
