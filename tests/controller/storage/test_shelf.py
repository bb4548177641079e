"""What lies on a shelf, who holds it, and how it leaves: whole or absent, whoever is killed."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched
from controller.storage.request import Request
from controller.storage.shelf import RESUMED_S, clear, evict, hold, scan
from controller.storage.target import Target
from tests.controller.storage.site import Site

ROOT = Path(__file__).parents[3]


async def fetched(site: Site, fetcher: Fetcher, shelf: Path, name: str, size: int = 1000) -> Path:
    site.put(f"/{name}.bin", bytes(size))
    found = await fetcher.fetch(Request(site.url(f"/{name}.bin"), shelf / name))
    assert isinstance(found, Fetched)
    return found.path


def left(shelf: Path) -> list[str]:
    return [name for name in os.listdir(shelf) if name.endswith(".evicted")]


async def test_what_lies_there(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    await fetched(site, fetcher, tmp_path, "a", 1000)
    await fetched(site, fetcher, tmp_path, "b", 2000)
    (tmp_path / "c.json").write_text("{}")  # somebody else's
    a, b = scan(tmp_path)
    assert (a.name, a.size_bytes, a.used_at, a.here) == ("a", 1000, None, True)
    assert (b.name, b.size_bytes) == ("b", 2000)
    assert scan(tmp_path / "nowhere") == []


async def test_the_last_use_is_known_to_later_runs(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    path = await fetched(site, fetcher, tmp_path, "a")
    kept = await hold(path)
    assert scan(tmp_path)[0].used_at is None  # kept, and used by nobody
    kept.used_now()
    kept.release()
    used_at = scan(tmp_path)[0].used_at
    assert used_at is not None
    (await hold(path)).release()
    assert scan(tmp_path)[0].used_at == used_at


async def test_an_evicted_model_leaves_nothing(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    path = await fetched(site, fetcher, tmp_path, "a")
    assert evict(path)
    assert {Path(name).suffix for name in os.listdir(tmp_path)} == {".lock", ".use"}
    assert scan(tmp_path) == []
    again = await fetched(site, fetcher, tmp_path, "a")
    assert (again / "a.bin").exists()


async def test_its_size_is_remembered_if_somebody_asks(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    path = await fetched(site, fetcher, tmp_path, "a", 3000)
    assert evict(path, remember=True)
    (copy,) = scan(tmp_path)
    assert (copy.size_bytes, copy.here) == (3000, False)
    await fetched(site, fetcher, tmp_path, "a", 4000)
    assert scan(tmp_path)[0].size_bytes == 4000


async def test_what_somebody_holds_stays(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    path = await fetched(site, fetcher, tmp_path, "a")
    first, second = await hold(path), await hold(path)
    first.release()
    assert not evict(path)
    assert path.exists()
    second.release()
    assert evict(path)


async def test_what_is_being_fetched_stays(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    target = Target(tmp_path / "a")
    async with target.locked():
        assert not evict(tmp_path / "a")
    assert evict(tmp_path / "a")


HOLDER = """
import asyncio, sys
from pathlib import Path
from controller.storage.shelf import hold

async def main():
    held = await hold(Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def test_another_process_holds_it_until_its_end_however_that_comes(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    path = await fetched(site, fetcher, tmp_path, "a")
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"
    assert not evict(path)
    other.kill()
    await other.wait()
    assert evict(path)


async def test_what_a_cut_off_eviction_left_is_cleared(
    site: Site, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await fetched(site, fetcher, tmp_path, "a")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_args, **_rest: None)  # as if killed there
        assert evict(path)
    assert not path.exists()
    assert left(tmp_path)
    clear(tmp_path, time.time())
    assert not left(tmp_path)


async def test_who_wants_to_hold_waits_for_an_eviction(tmp_path: Path) -> None:
    evictor = os.open(tmp_path / "a.use", os.O_RDWR | os.O_CREAT)
    fcntl.flock(evictor, fcntl.LOCK_EX)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await hold(tmp_path / "a")
    os.close(evictor)
    (await hold(tmp_path / "a")).release()


def test_a_cut_off_download_is_kept_for_a_day(tmp_path: Path) -> None:
    for name, age_s in (("fresh", 60.0), ("old", 2 * RESUMED_S)):
        part = tmp_path / f"{name}.partial" / "model.bin"
        part.parent.mkdir()
        part.touch()
        for each in (part, part.parent):
            os.utime(each, (time.time() - age_s,) * 2)
    clear(tmp_path, time.time())
    assert [path.name for path in tmp_path.glob("*.partial")] == ["fresh.partial"]
