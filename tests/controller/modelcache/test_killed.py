"""Killed with SIGKILL at random moments of evictions, and started again: every model is whole or
absent each time, and in the end everything is as the caches say.
"""

import asyncio
import os
import random
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.controller.modelcache import keeping
from tests.controller.modelcache.kit import models
from tests.controller.storage.site import Site
from tests.controller.storage.test_unpack import tar
from tests.kit.eventually import eventually

ROOT = Path(__file__).parents[3]
KILLS = 20
FILES = 400  # so that it takes a while to remove them
LIMIT = "1000"  # room for two
NAMES = ("a", "b", "c", "d")


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as running:
        for name in NAMES:
            running.put(f"/{name}.tgz", tar(*((f"{n}.bin", b"1") for n in range(FILES))))
        yield running


async def keeper(home: Path, site: Site, *names: str) -> asyncio.subprocess.Process:
    caches = [f"{name}={site.url(f'/{name}.tgz')}" for name in names]
    with (home / "told").open("w") as told:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, keeping.__file__, str(home), LIMIT, *caches),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=told,
            stderr=asyncio.subprocess.DEVNULL,
        )


def settled(home: Path) -> bool:
    """Two of three are there."""
    return any(
        (line.count("=Downloaded"), line.count("=DownloadPending")) == (2, 1)
        for line in (home / "told").read_text().splitlines()
    )


def aside(home: Path) -> set[str]:
    return {path.name for path in (home / "models").glob("*.evicted")}


def files(folder: Path) -> int:
    return len(os.listdir(folder))


def sound(state: Path) -> bool:
    found = sqlite3.connect(state)
    try:
        return bool(found.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        found.close()


@pytest.mark.slow
async def test_it_converges_after_each_of_twenty_kills(tmp_path: Path, site: Site) -> None:
    choice = random.Random(20)
    cut = 0
    number = 0
    while cut < KILLS:
        number += 1
        # One is dropped; a new one wants the room of what nobody uses.
        wanted = [NAMES[(number + offset) % len(NAMES)] for offset in range(3)]
        left = aside(tmp_path)
        process = await keeper(tmp_path, site, *wanted)

        def evicts(left: set[str] = left) -> bool:
            return bool(aside(tmp_path) - left)

        try:
            await eventually(lambda evicts=evicts: evicts() or settled(tmp_path), deadline_s=90)
            cut += evicts()
            await asyncio.sleep(choice.uniform(0, 0.03))  # the moment is the test
        finally:
            process.kill()
            await process.wait()
        assert [files(path) for path in models(tmp_path)] == [FILES] * len(models(tmp_path))
        assert sound(tmp_path / "state.db")
    process = await keeper(tmp_path, site, "a", "b", "c")
    try:
        await eventually(lambda: settled(tmp_path), deadline_s=90)
        assert len(models(tmp_path)) == 2
        assert aside(tmp_path) == set()
        # What was cut of a model that nobody wants any more may still be resumed, for a day.
        whole = {path.name for path in models(tmp_path)}
        cut_off = {path.stem for path in (tmp_path / "models").glob("*.partial")}
        assert not whole & cut_off
    finally:
        process.kill()
        await process.wait()
