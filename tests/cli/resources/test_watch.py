"""`-w`: what is there, then each change, as lines that come at once; until Ctrl-C."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.resources.conftest import flowers, iris
from tests.kit.api_server import ApiServer, ref

ROOT = Path(__file__).parents[3]
DEADLINE_S = 20.0
WHERE = ref("isvc", "iris")
ISVC = "inferenceservice.serving.kserve.io"


class Watching:
    """A command that runs, and its lines."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def interrupt(self) -> tuple[int, str]:
        """Its exit code, and what it had to say at its end."""
        self._process.send_signal(signal.SIGINT)
        return await self.end()

    async def end(self) -> tuple[int, str]:
        async with asyncio.timeout(DEADLINE_S):
            _, told = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, told.decode()


@asynccontextmanager
async def watching(home: Path, *words: str) -> AsyncIterator[Watching]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "GRAPHWAY_HOME": str(home)}
    command = (sys.executable, "-m", "cli.main", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=env)
    try:
        yield Watching(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def ready(server: ApiServer, status: str) -> None:
    said = {"conditions": [{"type": "Ready", "status": status}]}
    server.act(lambda store: store.replace_status(WHERE, said))


async def test_a_table_grows_with_each_change(stocked: ApiServer, home: Path) -> None:
    async with watching(home, "get", "isvc", "-w") as watch:
        assert (await watch.line()).split()[:3] == ["NAME", "URL", "READY"]
        assert (await watch.line()).split()[0] == "iris"
        ready(stocked, "False")
        assert (await watch.line()).split()[:2] == ["iris", "False"]
        ready(stocked, "True")
        assert (await watch.line()).split()[:2] == ["iris", "True"]
        stocked.act(lambda store: store.create(WHERE.kind, iris(name="rose")))
        assert (await watch.line()).split()[0] == "rose"
        stocked.act(lambda store: store.delete(WHERE))
        assert await watch.line() == f"{ISVC}/iris is gone"
        assert await watch.interrupt() == (130, "")


async def test_one_object_of_many_is_watched(stocked: ApiServer, home: Path) -> None:
    async with watching(home, "get", "isvc", "iris", "-w", "-o", "name") as watch:
        assert await watch.line() == f"{ISVC}/iris"
        stocked.act(lambda store: store.create(WHERE.kind, iris(name="rose")))
        ready(stocked, "True")
        assert await watch.line() == f"{ISVC}/iris"
        stocked.act(lambda store: store.delete(WHERE))
        assert await watch.line() == f"{ISVC}/iris is gone"


async def test_a_stream_of_manifests(stocked: ApiServer, home: Path) -> None:
    async with watching(home, "get", "ig", "-w", "-o", "yaml") as watch:
        for _ in range(2):
            assert await watch.line() == "---"
            document = [line async for line in _until(watch, "serviceName")]
            assert "  name: flowers" in document
            at = ref("ig", "flowers")
            stocked.act(lambda store, at=at: store.replace(at.kind, flowers(labels={"a": "b"})))


async def _until(watch: Watching, last: str) -> AsyncIterator[str]:
    line = ""
    while last not in line:
        line = await watch.line()
        yield line


async def test_new_events_follow_old_ones(stocked: ApiServer, home: Path) -> None:
    stocked.record("isvc", "iris", "Started", "a process")
    async with watching(home, "events", "isvc", "iris", "-w") as watch:
        assert "REASON" in await watch.line()
        assert (await watch.line()).endswith("a process")
        stocked.record("ig", "flowers", "Ready", "of somebody else")
        stocked.record("isvc", "iris", "Ready", "it answers")
        assert (await watch.line()).endswith("it answers")
        stocked.record("isvc", "iris", "Ready", "it answers")
        assert (await watch.line()).endswith("it answers (x2)")


async def test_a_server_that_ends_ends_the_watch(tmp_path: Path) -> None:
    server = ApiServer(tmp_path)
    async with AsyncExitStack() as after:
        with server.running():
            server.act(lambda store: store.create(WHERE.kind, iris()))
            command = watching(server.home.root, "get", "isvc", "-w", "-o", "name")
            watch = await after.enter_async_context(command)
            assert await watch.line() == f"{ISVC}/iris"
            ready(server, "True")
            assert await watch.line() == f"{ISVC}/iris"  # the stream, after the list, has begun
        code, told = await watch.end()
    assert code == 2
    assert told.startswith(f"no answer from {server.url}: ")


@pytest.mark.parametrize("words", [["get", "isvc", "-w"], ["events", "-w"]], ids=" ".join)
async def test_a_watch_waits_for_the_first(server: ApiServer, home: Path, words: list[str]) -> None:
    async with watching(home, *words) as watch:
        server.act(lambda store: store.create(WHERE.kind, iris()))
        server.record("isvc", "iris", "Ready", "it answers")
        assert (await watch.line()).startswith(("NAME", "LAST SEEN"))
        assert "iris" in await watch.line()
