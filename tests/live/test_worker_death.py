"""A worker that is killed takes only its own requests with it, and the figures stay right."""

import os
import signal
from functools import partial

from tests.conftest import Serve
from tests.kit.client import Client, Ended, request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.load import Load
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, hold, reply

CONNECTIONS = 16


async def whole_again(router: Router, restarts: int) -> bool:
    metrics = await router.metrics()
    return (
        metrics.total("graphway_worker_restarts_total") == restarts
        and metrics.total("graphway_workers_serving") == 2
    )


async def test_a_killed_worker_loses_only_what_it_had_in_flight(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    kills = 3
    async with serve(manifest, "--workers", "2") as router:
        async with Load(router.port, request(path("g")), CONNECTIONS) as load:
            for number in range(1, kills + 1):
                await load.answers(300)
                before = set(router.worker_pids())
                assert len(before) == 2
                os.kill(min(before), signal.SIGKILL)
                await eventually_awaited(partial(whole_again, router, number), "a new worker")
            await load.answers(300)
        assert load.refused == 0, "the listening socket outlives its workers"
        assert set(load.statuses) == {200}
        assert len(load.lost) <= kills * CONNECTIONS
        metrics = await router.metrics()
        counted = metrics.total("graphway_requests_total", graph="test/g", code="200")
        assert load.answered <= counted <= load.answered + len(load.lost)
        assert metrics.total("graphway_request_duration_seconds_count", graph="test/g") == counted
        assert metrics.total("graphway_requests_in_flight") == 0


async def test_requests_of_the_other_worker_are_answered(
    predictor: Predictor, serve: Serve
) -> None:
    gate = Gate()
    predictor.default = hold(gate, reply(b'"held"'))
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with (
        serve(manifest, "--workers", "2") as router,
        crowd(router.port, CONNECTIONS) as clients,
    ):
        for client in clients:
            await client.send(request(path("g")))
        await eventually(lambda: predictor.served == CONNECTIONS, "all are in flight")
        os.kill(router.worker_pids()[0], signal.SIGKILL)
        await eventually_awaited(lambda: whole_again(router, 1), "a new worker")
        lost = predictor.cancelled
        gate.open()
        fates = [await fate(client) for client in clients]
    assert fates.count("lost") == lost
    assert fates.count("answered") == CONNECTIONS - lost


async def test_a_worker_that_hangs_is_replaced(predictor: Predictor, serve: Serve) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    env = {"GRAPHWAY_WORKER_HANG_SECONDS": "3"}
    async with serve(manifest, "--workers", "1", env=env) as router:
        (pid,) = router.worker_pids()
        os.kill(pid, signal.SIGSTOP)
        async with Client.to(router.port) as client:  # waits in the queue that outlives the worker
            assert (await client.ask(request(path("g")))).status == 200
        assert pid not in router.worker_pids()
        metrics = await router.metrics()
        assert metrics.total("graphway_worker_restarts_total", reason="hung") == 1
        assert metrics.total("graphway_worker_restarts_total", reason="died") == 0
        assert [event["pid"] for event in router.events("worker hangs")] == [pid]


async def fate(client: Client) -> str:
    try:
        response = await client.response()
    except Ended as ended:
        return "broken off" if ended.unread else "lost"
    return "answered" if response.body == b'"held"' else "wrong"
