"""`graphway up` killed with SIGKILL at random moments while things start and change, then started
again: it converges each time, with no orphan, no half model and no status lost.
"""

import asyncio
import json
import random
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from controller.local.leftovers import MARK
from tests.controller.backend import fake
from tests.controller.test_up import GRAPH, Up, up, write
from tests.kit.eventually import eventually

KILLS = 20
LONGEST_LIFE_S = 5.0  # long enough for all to be ready, so that changes are cut too
MODEL = bytes(300_000)
PIECE = 10_000


@pytest_asyncio.fixture
async def models() -> AsyncIterator[str]:
    """A store of models, each under any name, that sends them slowly."""

    async def send(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"ETag": '"1"', "Content-Length": str(len(MODEL))})
        await answer.prepare(request)
        for start in range(0, len(MODEL), PIECE):
            with suppress(ConnectionError):  # it was killed: that is the test
                await answer.write(MODEL[start : start + PIECE])
            await asyncio.sleep(0.02)  # a download that takes its time is what is to be cut
        return answer

    app = web.Application()
    app.add_routes([web.get("/{name}", send)])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def manifests(number: int, models: str) -> list[str]:
    """What is asked for differs each time: arguments, models, a service more or less."""
    changing = fake("iris", *(["child"] if number % 2 else []))
    uri = f"{models}/model-{number}.bin"
    fetched = fake("fetched").replace(
        "ports:", f"env: [{{name: STORAGE_URI, value: {uri}}}], ports:"
    )
    texts = [changing + GRAPH, fetched]
    return [*texts, fake("sometimes")] if number % 3 else texts


def stored(home: Path) -> dict[str, dict[str, Any]]:
    """The InferenceServices of its state by name; nobody else has it open."""
    (file,) = home.glob("projects/*/state.db")
    found = sqlite3.connect(file)
    try:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = found.execute("SELECT body FROM objects WHERE kind LIKE 'inferenceservices.%'")
        bodies = [json.loads(body) for (body,) in rows]
        return {body["metadata"]["name"]: body for body in bodies}
    finally:
        found.close()


def half_models(home: Path) -> list[Path]:
    """What looks like a model, and is none."""
    folders = [path for path in (home / "models").glob("*") if not path.suffix]
    return [
        path
        for path in folders
        if [len(file.read_bytes()) for file in path.iterdir()] != [len(MODEL)]
    ]


def started_with(home: Path) -> dict[int, str]:
    """The servers and their children, whoever their parent is now, each with its run."""
    found: dict[int, str] = {}
    for process in psutil.process_iter():
        try:
            environ = process.environ()
            if environ.get("GRAPHWAY_HOME") == str(home) and MARK in environ:
                found[process.pid] = environ[MARK].partition(".")[0]
        except psutil.Error:  # somebody else's, dead, or gone meanwhile
            pass
    return found


def ready(body: dict[str, Any]) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


async def live_and_die(folder: Path, number: int, models: str, choice: random.Random) -> None:
    write(folder, *manifests(number, models))
    async with up(folder) as running:
        await asyncio.sleep(choice.uniform(0.0, LONGEST_LIFE_S))  # the moment is the test
        if choice.random() < 0.5:
            write(folder, *manifests(number + 1, models))
            await asyncio.sleep(choice.uniform(0.0, 0.5))
        running.process.kill()
        await running.process.wait()


@pytest.mark.slow
async def test_it_converges_after_each_of_twenty_kills(tmp_path: Path, models: str) -> None:
    choice = random.Random(20)
    home = tmp_path / "home"
    born: dict[str, str] = {}
    told: dict[str, dict[str, Any]] = {}
    for number in range(KILLS):
        await live_and_die(tmp_path, number, models, choice)
        assert half_models(home) == []
        if not list(home.glob("projects/*/state.db")):
            continue
        known = stored(home)
        for name in ("iris", "fetched"):  # what was once accepted is there, with what it was told
            if name in born:
                assert known[name]["metadata"]["uid"] == born[name]
            if "status" in told.get(name, {}):
                assert "status" in known[name]
        born |= {name: body["metadata"]["uid"] for name, body in known.items()}
        told = known
    write(tmp_path, *manifests(1, models))
    async with up(tmp_path) as running:
        await converged(running, home)
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await running.process.wait() == 0
    assert {name: ready(body) for name, body in stored(home).items()} == {
        "iris": True,
        "fetched": True,
        "sometimes": True,
    }
    assert half_models(home) == []
    assert started_with(home) == {}
    assert list((home / "running").iterdir()) == []


async def converged(running: Up, home: Path) -> None:
    await eventually(lambda: running.url, "a graph that is served", deadline_s=60)
    assert await running.ask()
    # Three servers and the child of one, all of this run: nothing is left of those before it.
    await eventually(lambda: len(started_with(home)) == 4, deadline_s=30)
    assert len(set(started_with(home).values())) == 1
