"""The parent with real worker processes, whose data plane is a stand-in: starts, deaths, reloads,
refusals, ends. What a worker answers shows what it serves.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from graph.problems import Located, Problem
from router.config import DataPlaneConfig, EndpointSource, GraphSource
from router.parent import Parent, StartFailed
from router.settings import LEAST_HANG_S, read
from router.source import Loaded, LoadedGraph
from tests.kit.eventually import eventually

WORKER = (sys.executable, str(Path(__file__).with_name("stand_in.py")))
QUIET = {"host": "127.0.0.1", "port": 0, "admin_port": 0, "watch": False}
FILE = "a.yaml"


class Source:
    """Files in memory."""

    def __init__(self, text: str = "one") -> None:
        self.loaded = self.good(text)

    @staticmethod
    def good(text: str) -> Loaded:
        graph = LoadedGraph(GraphSource("ns/a", text.encode()), text, FILE)
        return Loaded((graph,), {}, (), frozenset({FILE}))

    @staticmethod
    def bad() -> Loaded:
        problem = Located(FILE, 3, 7, Problem((), "bad", "mend it"))
        return Loaded((), {}, (problem,), frozenset({FILE}))

    def load(self) -> Loaded:
        return self.loaded

    def paths(self) -> list[Path]:
        return []


class Running:
    def __init__(self, parent: Parent, source: Source) -> None:
        self.parent = parent
        self.source = source
        self.code: int | None = None

    def ask(self) -> list[str]:
        """ready or unready, process id, what it serves."""
        port = int(self.parent.data_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            return connection.recv(10_000).decode().split()

    async def answer(self) -> list[str]:
        return await asyncio.to_thread(self.ask)

    def figure(self, name: str, *labels: str) -> float:
        for family in self.parent.snapshot().collect():
            for sample in family.samples:
                if sample.name == name and tuple(sample.labels.values()) == labels:
                    return sample.value
        return 0.0

    def restarts(self) -> tuple[float, float]:
        """Of those that died, and of those that hung."""
        name = "graphway_worker_restarts_total"
        return self.figure(name, "died"), self.figure(name, "hung")

    async def reload(self, loaded: Loaded, result: str) -> None:
        before = self.figure("graphway_reloads_total", result)
        self.source.loaded = loaded
        self.parent.reload()
        await eventually(
            lambda: self.figure("graphway_reloads_total", result) > before, f"a {result}"
        )

    async def all_current(self) -> None:
        await eventually(
            lambda: self.parent.workers()["current"] == self.parent.workers()["configured"],
            "all workers serve the newest",
        )


@asynccontextmanager
async def running(
    workers: int = 2, source: Source | None = None, **changed: object
) -> AsyncIterator[Running]:
    source = source or Source()
    settings = read({**QUIET, "workers": workers, "finish_seconds": 0.2, **changed})
    started = asyncio.Event()
    parent = Parent(
        settings,
        source,
        DataPlaneConfig(),
        on_started=lambda _: started.set(),
        worker_command=WORKER,
    )
    running = Running(parent, source)

    async def run() -> None:
        running.code = await parent.run(signals=False)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        async with asyncio.timeout(30):
            await started.wait()
        yield running
        parent.stop()
        async with asyncio.timeout(30):
            await asyncio.wait((task,))


async def test_a_start_serves_in_all_workers_and_an_end_leaves_none() -> None:
    async with running() as router:
        assert router.parent.ready
        assert router.parent.workers() == {"configured": 2, "serving": 2, "current": 2}
        words = await router.answer()
        assert (words[0], words[2]) == ("ready", "ns/a=one")
        pid = int(words[1])
    assert router.code == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_killed_worker_is_replaced_and_no_count_is_lost() -> None:
    async with running(workers=1) as router:
        old = int((await router.answer())[1])
        await router.answer()
        os.kill(old, signal.SIGKILL)
        await eventually(lambda: router.restarts() == (1, 0), "a restart")
        words = await router.answer()  # waits in the queue that outlives the worker
        assert int(words[1]) != old
        await eventually(
            lambda: router.figure("graphway_requests_total", "", "200") == 3, "three are counted"
        )


async def test_while_one_of_two_is_dead_the_router_is_ready() -> None:
    async with running() as router:
        os.kill(int((await router.answer())[1]), signal.SIGKILL)
        await eventually(lambda: router.parent.workers()["serving"] == 1, "its death is seen")
        assert router.parent.ready


@pytest.mark.parametrize("stopped", [1, 2], ids=["one of two", "all"])
async def test_a_worker_that_hangs_is_replaced(stopped: int) -> None:
    """A stopped process is one whose loop stands still."""
    async with running(worker_hang_seconds=LEAST_HANG_S) as router:
        pids = set[str]()
        while len(pids) < stopped:
            pids.add((await router.answer())[1])
        for pid in pids:
            os.kill(int(pid), signal.SIGSTOP)
        await eventually(lambda: router.restarts() == (0, stopped), "they are replaced")
        await router.all_current()
        assert router.parent.workers()["serving"] == 2
        assert (await router.answer())[2] == "ns/a=one"
    assert router.code == 0, "it was killed long before the end"


async def test_without_a_limit_whatever_hangs_may_hang() -> None:
    async with running(workers=1, worker_hang_seconds=0) as router:
        assert router.parent.ready
    assert router.code == 0


async def test_a_good_edit_reaches_all_workers() -> None:
    async with running() as router:
        await router.reload(Source.good("two"), "success")
        await router.all_current()
        assert (await router.answer())[2] == "ns/a=two"


async def test_a_bad_edit_leaves_the_old_graph_also_in_a_worker_started_later() -> None:
    async with running(workers=1) as router:
        await router.reload(Source.bad(), "failure")
        old = int((await router.answer())[1])
        os.kill(old, signal.SIGKILL)
        words = await router.answer()
        assert int(words[1]) != old
        assert words[2] == "ns/a=one"
        assert router.figure("graphway_graph_up_to_date", "ns/a") == 0
        assert str(router.parent.generation.errors[0]) == "a.yaml:3:7: error bad: mend it"


async def test_what_workers_refuse_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_STAND_IN", "refuses:two")
    async with running() as router:
        await router.reload(Source.good("two"), "failure")
        await router.all_current()
        assert (await router.answer())[2] == "ns/a=one"
        assert router.parent.generation.refused == ("ns/a: holds two",)
        await router.reload(Source.good("three"), "success")
        await router.all_current()
        assert (await router.answer())[2] == "ns/a=three"


async def test_endpoints_may_be_fed_live() -> None:
    async with running(workers=1) as router:
        for address in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
            router.parent.set_endpoints({"ns/s": EndpointSource.of((address,), "/p")})
            await router.all_current()
            assert (await router.answer())[3] == f"ns/s->{address}"


async def test_who_waits_for_all_workers_finds_what_was_fed_in_each() -> None:
    async with running(workers=2) as router:
        for number in range(1, 20):
            router.parent.set_endpoints(
                {"ns/s": EndpointSource.of((f"http://127.0.0.1:{number}",), "/p")}
            )
            async with asyncio.timeout(30):
                await router.parent.settled()
            assert router.parent.workers()["current"] == 2


async def test_readiness_falls_before_the_end() -> None:
    async with running(workers=1) as router:
        router.parent.stop(drain_s=600)
        assert not router.parent.ready
        await eventually(lambda: router.ask()[0] == "unready", "still accepting, but unready")
        # leaving the block stops it again: at once and by force, ten minutes early
    assert router.code == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("lingers", 0, id="a worker that needs all of its time"),
        pytest.param("hangs", 1, id="a worker that does not end is killed, and that is no success"),
    ],
)
async def test_the_end_of_workers(script: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_STAND_IN", script)
    async with running(workers=1) as router:
        pid = int((await router.answer())[1])
    assert router.code == code
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def start_fails(source: Source, **changed: object) -> list[str]:
    settings = read({**QUIET, "workers": 1, **changed})
    config = DataPlaneConfig(default_graph=settings.default_graph)
    with pytest.raises(StartFailed) as raised:
        await Parent(settings, source, config, worker_command=WORKER).run(signals=False)
    return raised.value.lines


async def test_bad_graphs_at_the_start_are_told_as_check_tells_them() -> None:
    source = Source()
    source.loaded = Source.bad()
    assert await start_fails(source) == ["a.yaml:3:7: error bad: mend it"]


async def test_workers_that_cannot_start_end_it_after_a_few_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRAPHWAY_STAND_IN", "dies")
    (line,) = await start_fails(Source())
    assert "workers end before they serve" in line
    assert "ended with exit code 3" in line


async def test_what_workers_refuse_at_the_start_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHWAY_STAND_IN", "refuses:one")
    assert await start_fails(Source()) == ["ns/a: holds one"]


async def test_a_default_graph_that_is_not_there() -> None:
    (line,) = await start_fails(Source(), default_graph="ns/b")
    assert line == "--default-graph ns/b: no such graph; choose one of ns/a"


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (line,) = await start_fails(Source(), admin_port=port)
    assert f"127.0.0.1:{port}" in line
    assert "--admin-port" in line
