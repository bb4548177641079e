"""Services whose replicas come and go under load, over a parent with real workers: no request is
lost, and those who scale and drain see the right figures.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from cli.router_side import RouterSide
from router.loads import ServiceLoad
from router.parent import Parent
from router.settings import read
from router.source import Loaded, LoadedGraph
from tests.conftest import Serve
from tests.kit.client import Client, Ended, request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually
from tests.kit.load import Load
from tests.kit.manifests import graph
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, hold, reply
from tests.router.upstream.asking import table
from tests.router.whole import source
from tests.scripts import sequence

PATH = "/services/ns/iris/v1"
GRAPH = source("g", {"root": sequence({"name": "a", "serviceName": "iris"})}, "ns")
CLIENTS = 16


class Files:
    """One graph over the service, and no file."""

    def load(self) -> Loaded:
        graph = LoadedGraph(GRAPH, "1", "g.yaml")
        return Loaded((graph,), {}, (), frozenset({"g.yaml"}))

    def paths(self) -> list[Path]:
        return []


class Running:
    def __init__(self, parent: Parent, waiting: list[str]) -> None:
        self.parent = parent
        self.side = RouterSide(parent)
        self.waiting = waiting

    @property
    def port(self) -> int:
        return int(self.parent.data_url.rpartition(":")[2])

    async def at(self, *addresses: str, holds: bool = False) -> None:
        await self.shares((("r1", 100, addresses),), holds)

    async def shares(
        self, revisions: tuple[tuple[str, int, Collection[str]], ...], holds: bool = False
    ) -> None:
        rows = [(name, share, tuple(at)) for name, share, at in revisions]
        self.parent.set_endpoints(table(*rows, hold=holds))
        await self.side.settled()

    def load(self, revision: str = "r1") -> ServiceLoad:
        return self.side.loads().get(("ns/iris", revision), ServiceLoad())


@asynccontextmanager
async def serving(workers: int = 2) -> AsyncIterator[Running]:
    settings = read(
        {
            "host": "127.0.0.1",
            "port": 0,
            "admin_port": 0,
            "watch": False,
            "workers": workers,
            "finish_seconds": 1,
            "access_log": False,
        }
    )
    started = asyncio.Event()
    waiting: list[str] = []
    parent = Parent(
        settings,
        Files(),
        settings.data_plane(),
        on_started=lambda _: started.set(),
        on_waiting=waiting.append,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(parent.run(signals=False))
        async with asyncio.timeout(30):
            await started.wait()
        try:
            yield Running(parent, waiting)
        finally:
            parent.stop()


async def test_200_requests_from_zero_and_none_is_lost() -> None:
    async with Predictor() as predictor, serving() as router:
        await router.at(holds=True)
        async with crowd(router.port, 200) as clients:
            for number, client in enumerate(clients):
                await client.send(request("/graphs/ns/g" if number % 2 else PATH))
            await eventually(lambda: router.load().held == 200, "all wait")
            assert set(router.waiting) == {"ns/iris"}
            assert len(router.waiting) <= 2, "once a worker"
            await router.at(predictor.origin, holds=True)
            answers = [await client.response() for client in clients]
        assert [answer.status for answer in answers] == [200] * 200
        assert predictor.served == 200
        assert router.load() == ServiceLoad(requests=200)


async def test_a_killed_worker_takes_only_its_own_waiting_requests_with_it() -> None:
    async with Predictor() as predictor, serving() as router:
        await router.at(holds=True)
        async with crowd(router.port, 100) as clients:
            for client in clients:
                await client.send(request(PATH))
            await eventually(lambda: router.load().held == 100, "all wait")
            os.kill(router.parent._workers.serving[0].process.pid, signal.SIGKILL)
            await eventually(lambda: router.load().held < 100, "the dead one's are forgotten")
            left = router.load().held
            await router.at(predictor.origin, holds=True)
            answered = lost = 0
            for client in clients:
                try:
                    answered += (await client.response()).status == 200
                except Ended:
                    lost += 1
        assert (answered, lost) == (left, 100 - left)
        assert predictor.served == left


async def test_replicas_are_taken_away_under_load_and_no_request_is_lost() -> None:
    async with Predictor() as stays, serving() as router:
        await router.at(stays.origin)
        async with Load(router.port, request(PATH), CLIENTS) as load:
            for _ in range(5):
                await up_and_down(router, stays, load)
        assert (load.lost, load.refused, set(load.statuses)) == ([], 0, {200})


async def up_and_down(router: Running, stays: Predictor, load: Load) -> None:
    """As a scale down does it: out of the table, drained, ended."""
    async with Predictor() as leaves:
        await router.at(stays.origin, leaves.origin)
        await eventually(lambda: leaves.served > 100, "it serves")
        await router.at(stays.origin)
        assert await router.side.drained([leaves.origin], 10.0)
        before = leaves.heads
        leaves.close_connections()
        leaves.refuse()
        await load.answers(200)
        assert leaves.heads == before


async def test_what_does_not_end_is_given_up_after_the_limit() -> None:
    gate = Gate()
    async with Predictor() as slow, serving() as router:
        slow.default = hold(gate)
        await router.at(slow.origin)
        async with Client.to(router.port) as client:
            await client.send(request(PATH))
            await eventually(lambda: router.side.in_flight([slow.origin]) == 1)
            await router.at()
            assert not await router.side.drained([slow.origin], 0.1)
            gate.open()
            assert (await client.response()).status == 200
        assert await router.side.drained([slow.origin], 10.0)


async def test_a_replica_that_dies_before_it_is_withdrawn_costs_nothing_unsent() -> None:
    """It takes no connection any more, and the table still has it. Calls that it was working on
    are lost; here there are none.
    """
    async with Predictor() as stays, Predictor() as dies, serving() as router:
        await router.at(stays.origin, dies.origin)
        dies.default = reply(close=True)  # no connection is left open that may break
        async with Client.to(router.port) as client:
            for _ in range(20):
                assert (await client.ask(request(PATH))).status == 200
        assert dies.served > 0
        dies.refuse()
        async with Load(router.port, request(PATH), CLIENTS) as load:
            await load.answers(500)
        assert (load.lost, set(load.statuses)) == ([], {200})


async def test_shares_over_all_workers() -> None:
    async with Predictor() as old, Predictor() as new, serving() as router:
        old.default, new.default = reply(b"old"), reply(b"new")
        await router.shares((("r1", 75, [old.origin]), ("r2", 25, [new.origin])))
        async with Load(router.port, request(PATH), CLIENTS) as load:
            await load.answers(4000)
        assert set(load.seen) == {(b"r1", b"old"), (b"r2", b"new")}
        number = load.answered
        wanted = {"r1": 0.75 * number, "r2": 0.25 * number}
        counted = {name: router.load(name).requests for name in wanted}
        assert sum(counted.values()) == number
        chi_square = sum((counted[name] - wanted[name]) ** 2 / wanted[name] for name in wanted)
        assert chi_square < 10.83  # one run of 1000 is above


async def test_serve_passes_requests_on_to_a_service_that_it_was_told_of(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.on("/v1/models/iris", reply(b'{"ready": true}'))
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    flags = ("--workers", "1", "--service", f"ns/iris={predictor.origin}")
    async with serve(manifest, *flags) as router, Client.to(router.port) as client:
        path = "/services/ns/iris/v1/models/iris"
        answer = await client.ask(request(path, b"", "GET", {"X-Request-Id": "r-1"}))
        assert (answer.status, answer.body) == (200, b'{"ready": true}')
        (line,) = await eventually(router.access_log)
        assert "graph" not in line
        assert (line["service"], line["method"], line["path"]) == ("ns/iris", "GET", path)
        metrics = await router.metrics()
        assert metrics.total("graphway_service_requests_total", service="ns/iris", code="200") == 1
