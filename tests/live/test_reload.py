"""Reloads under load: no request fails, each is answered by one plan, and a bad edit changes
nothing.
"""

import asyncio
import os
import signal

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.load import Load
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, hold, reply

CONNECTIONS = 16
RELOADS = 6


async def answered_only_by(load: Load, body: bytes) -> None:
    """Until a hundred answers in a row are this one: every worker has changed over."""
    async with asyncio.timeout(30):
        while True:
            load.seen.clear()
            await load.answers(100)
            if {answer for _, answer in load.seen} == {body}:
                return


async def test_no_request_fails_while_two_workers_reload_under_load(
    predictor: Predictor, serve: Serve
) -> None:
    bodies = [b'"first"', b'"second"']
    manifests = []
    for body in bodies:
        name = body.decode().strip('"')
        predictor.on(f"/{name}", reply(body))
        manifests.append(graph("g", "Sequence", {"serviceUrl": predictor.url(f"/{name}")}))
    pairs: set[tuple[bytes, bytes]] = set()
    async with serve(manifests[0], "--workers", "2") as router:
        async with Load(router.port, request(path("g")), CONNECTIONS) as load:
            for number in range(1, RELOADS + 1):
                await load.answers(100)
                router.write(manifests[number % 2])
                await answered_only_by(load, bodies[number % 2])
                pairs |= set(load.seen)
        assert load.lost == []
        assert load.refused == 0
        assert set(load.statuses) == {200}
        assert len(pairs) == len(bodies), "a revision answers from one plan only"
        metrics = await router.metrics()
        assert metrics.total("graphway_reloads_total", result="success") == RELOADS
        assert metrics.total("graphway_worker_restarts_total") == 0


async def test_no_request_fails_while_a_graph_moves_between_predictors_under_load(
    predictor: Predictor, serve: Serve
) -> None:
    """Each move leaves pooled connections behind, some of them with a call on its way. Meanwhile
    other graphs come and go.
    """
    async with Predictor() as other:
        predictor.default, other.default = reply(b'"here"'), reply(b'"there"')
        homes = [(predictor, b'"here"'), (other, b'"there"')]
        manifests = [
            graph("g", "Sequence", *[{"serviceUrl": home.url("/m")}] * 3)
            + graph(f"beside-{number}", "Sequence", {"serviceUrl": home.url("/beside")})
            for number, (home, _) in enumerate(homes)
        ]
        async with serve(manifests[0], "--workers", "2") as router:
            async with Load(router.port, request(path("g")), CONNECTIONS) as load:
                for number in range(1, RELOADS + 1):
                    await load.answers(100)
                    router.write(manifests[number % 2])
                    await answered_only_by(load, homes[number % 2][1])
            assert load.lost == []
            assert load.refused == 0
            assert set(load.statuses) == {200}
            await eventually(lambda: not other.open_connections, "nothing is kept of the old home")


async def test_a_request_in_flight_ends_on_the_plan_that_it_began_with(
    predictor: Predictor, serve: Serve
) -> None:
    gate = Gate()
    predictor.on("/old", hold(gate))
    predictor.on("/old/next", reply(b'"old"'))
    predictor.on("/new", reply(b'"new"'))
    old = [{"serviceUrl": predictor.url(at)} for at in ("/old", "/old/next")]
    async with (
        serve(graph("g", "Sequence", *old), "--workers", "1") as router,
        Client.to(router.port) as early,
        Client.to(router.port) as late,
    ):
        await early.send(request(path("g")))
        await eventually(lambda: predictor.served == 1, "the first step is called")
        router.write(graph("g", "Sequence", {"serviceUrl": predictor.url("/new")}))

        async def changed_over() -> bool:
            return (await late.ask(request(path("g")))).body == b'"new"'

        predictor.on("/old", reply())
        await eventually_awaited(changed_over)
        gate.open()
        assert (await early.response()).body == b'"old"'


async def test_a_bad_edit_leaves_the_old_graph_also_in_a_worker_started_later(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = reply(b'"good"')
    good = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})

    async def stale(router: Router) -> bool:
        metrics = await router.metrics()
        return "graphway_last_reload_successful 0.0" in metrics.text

    async def replaced(router: Router) -> bool:
        metrics = await router.metrics()
        restarts = metrics.total("graphway_worker_restarts_total")
        return restarts == 1 and metrics.total("graphway_workers_serving") == 2

    async with serve(good, "--workers", "2") as router:
        router.write(good.replace('"Sequence"', '"Sequnce"'))
        await eventually_awaited(lambda: stale(router), "the bad edit shows in a metric")
        os.kill(router.worker_pids()[0], signal.SIGKILL)
        await eventually_awaited(lambda: replaced(router), "the worker is replaced")
        async with Load(router.port, request(path("g")), CONNECTIONS) as load:
            await load.answers(200)
        assert {body for _, body in load.seen} == {b'"good"'}
        assert set(load.statuses) == {200}
        assert "Sequnce" in router.text(), "the log says what is wrong"
        assert "Sequnce" in await router.admin("/graphs"), "/graphs too"
        router.write(good)

        async def mended() -> bool:
            return not await stale(router)

        await eventually_awaited(mended, "a good edit mends it")


async def test_sighup_reloads_without_a_watcher(predictor: Predictor, serve: Serve) -> None:
    predictor.on("/new", reply(b'"new"'))
    old = graph("g", "Sequence", {"serviceUrl": predictor.url("/old")})
    async with serve(old, "--workers", "1", "--no-watch") as router:
        router.write(old.replace("/old", "/new"))
        router.signal(signal.SIGHUP)
        async with Client.to(router.port) as client:

            async def changed_over() -> bool:
                return (await client.ask(request(path("g")))).body == b'"new"'

            await eventually_awaited(changed_over)
