"""`graphway up` as its user sees it: the router and fake model servers, started, called, killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from tests.controller.backend import alive, fake
from tests.controller.manifests import service
from tests.kit.eventually import eventually

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "up")
GRAPH = """
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: g}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""


class Up:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = ""

    def pids(self) -> list[int]:
        """Of the servers and their children, as they said."""
        words = ("iris | listening as", "iris | child")
        return [int(line.split()[-1]) for line in self.lines if line.startswith(words)]

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            line = raw.decode().rstrip()
            self.lines.append(line)
            if line.startswith("graph default/g: "):
                self.url = line.split()[-1]

    async def ask(self) -> object:
        body = {"instances": [1]}
        async with aiohttp.ClientSession() as session, session.post(self.url, json=body) as answer:
            assert answer.status == 200
            return await answer.json()


@contextlib.asynccontextmanager
async def up(folder: Path, *flags: str, **environ: str) -> AsyncIterator[Up]:
    ports = ("--port", "0", "--admin-port", "0", "--drain-seconds", "0", "--workers", "1")
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "all.yaml",
        *ports,
        *flags,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT),
            "GRAPHWAY_HOME": str(folder / "home"),
            **environ,
        },
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    running = Up(process)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(running.read())
        try:
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            reading.cancel()


def write(folder: Path, *texts: str) -> None:
    (folder / "all.yaml").write_text("\n---\n".join(texts))


async def test_a_graph_is_answered_by_its_model_and_in_the_end_nothing_is_left(
    tmp_path: Path,
) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with up(tmp_path) as running:
        await eventually(lambda: running.url, deadline_s=30)
        asked = {"path": "/v1/models/iris:predict", "asked": {"instances": [1]}}
        assert await running.ask() == asked
        pids = running.pids()
        assert len(pids) == 1
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            assert await running.process.wait() == 0
        assert not any(map(alive, pids))


async def test_after_kill_9_the_next_start_ends_what_was_left(tmp_path: Path) -> None:
    write(tmp_path, fake("iris", "stubborn", "child") + GRAPH)
    async with up(tmp_path) as killed:
        await eventually(lambda: killed.url, deadline_s=30)
        left = killed.pids()
        killed.process.kill()
        await killed.process.wait()
    assert all(map(alive, left))
    async with up(tmp_path) as running:
        await eventually(lambda: running.url, deadline_s=30)
        assert not any(map(alive, left))
        assert await running.ask()
        running.process.kill()  # first, or it would start again what ends here
        await running.process.wait()
        for pid in running.pids():
            os.kill(pid, signal.SIGKILL)


async def test_every_problem_is_told_and_nothing_is_started(tmp_path: Path) -> None:
    write(
        tmp_path,
        fake("iris") + GRAPH,
        service("sklearn: {storageUri: ./nothing}", name="a"),
        service("sklern: {}", name="b"),
    )
    async with up(tmp_path) as running:
        async with asyncio.timeout(30):
            assert await running.process.wait() == 1
        await eventually(lambda: len(running.lines) >= 2)
        text = "\n".join(running.lines)
        assert "error missing-model: there is nothing at" in text
        assert "error no-implementation: " in text
        assert "did you mean `sklearn`?" in text
        assert "listening" not in text


async def test_a_mapped_uri_is_a_local_copy(tmp_path: Path) -> None:
    model = tmp_path / "copies" / "iris"
    model.mkdir(parents=True)
    words = json.loads(fake_command("$(PORT)", "late", "/mnt/models"))
    env = "[{name: STORAGE_URI, value: gs://bucket/iris}]"
    probe = "{httpGet: {path: /ready, port: 8080}}"
    container = f"command: {json.dumps(words)}, env: {env}, readinessProbe: {probe}"
    ports = "ports: [{containerPort: 8080}]"
    write(tmp_path, service(f"containers: [{{{container}, {ports}}}]") + GRAPH)
    # Ready once the file is there that `late` was told of: the model, where it really is.
    async with up(tmp_path, GRAPHWAY_URI_MAP="s3://x=/x, gs://bucket=./copies") as running:
        await eventually(lambda: running.url, deadline_s=30)
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await running.process.wait() == 0


def fake_command(*words: str) -> str:
    server = Path(__file__).with_name("fake_server.py")
    return json.dumps([sys.executable, "-I", str(server), *words])


async def test_a_map_that_maps_nothing_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, GRAPH)
    async with up(tmp_path, "--uri-map", "gs://bucket") as running:
        async with asyncio.timeout(30):
            assert await running.process.wait() == 2
        await eventually(lambda: running.lines)
        assert "PREFIX=FOLDER" in running.lines[0]
