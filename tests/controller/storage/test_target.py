"""A model is there whole or not at all: kills, cancellations, full disks, two at once."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from controller.storage.target import Target, sweep
from tests.controller.storage import child
from tests.controller.storage.conftest import MakeFetcher, names, tree
from tests.controller.storage.site import Site
from tests.controller.storage.test_unpack import tar

MODEL = bytes(range(256)) * 4000  # 1,024,000 bytes: eleven parts
ROOT = Path(__file__).parents[3]


async def start(uri: str, target: Path, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, child.__file__, uri, str(target), *more),
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def told(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    return output.decode().strip()


@pytest.mark.slow
@pytest.mark.parametrize("moment", [1, 2, 5, 9, 11])
async def test_killed_at_any_moment_it_is_absent_and_the_next_one_resumes(
    moment: int, site: Site, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    target = tmp_path / "model"
    process = await start(site.url("/model.bin"), target)

    def kill_then() -> None:
        if len(site.bodies()) == moment:
            os.kill(process.pid, signal.SIGKILL)

    site.on_body = kill_then
    assert await told(process) == ""
    assert not target.exists()
    site.on_body, site.asked = lambda: None, []
    assert await told(await start(site.url("/model.bin"), target)) == "fetched"
    assert tree(target) == {"model.bin": MODEL}
    # Two were on their way when it was killed; what had come before is not fetched again.
    assert len(site.bodies()) <= 11 - max(moment - 3, 0)
    assert names(tmp_path) == ["model", "model.json", "model.lock"]


async def test_two_processes_share_one_download(site: Site, tmp_path: Path) -> None:
    file = site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())
    asked = asyncio.Event()
    site.on_body = asked.set
    target = tmp_path / "model"
    first = await start(site.url("/model.bin"), target)
    second = await start(site.url("/model.bin"), target)
    await asked.wait()
    assert file.wait is not None
    file.wait.set()
    assert (await told(first), await told(second)) == ("fetched", "fetched")
    assert len(site.bodies()) == 1


async def test_equal_requests_of_one_process_share_one_download(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    file = site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())
    assert file.wait is not None
    site.on_body = file.wait.set
    request = Request(site.url("/model.bin"), tmp_path / "model")
    watched: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        fetches = [
            tasks.create_task(fetcher.fetch(request, lambda done, _: watched.append(done)))
            for _ in range(3)
        ]
    assert {type(fetch.result()) for fetch in fetches} == {Fetched}
    assert len(site.bodies()) == 1
    assert watched.count(50_000) == 3  # each of them sees it


async def test_who_leaves_does_not_stop_the_others(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    file = site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())
    asked = asyncio.Event()
    site.on_body = asked.set
    request = Request(site.url("/model.bin"), tmp_path / "model")
    async with asyncio.TaskGroup() as tasks:
        leaves = tasks.create_task(fetcher.fetch(request))
        stays = tasks.create_task(fetcher.fetch(request))
        await asked.wait()
        leaves.cancel()
        await asyncio.wait((leaves,))
        assert file.wait is not None
        file.wait.set()
    assert isinstance(stays.result(), Fetched)


async def test_cancelled_by_all_it_stops_and_a_new_one_begins_at_once(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    file = site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())
    asked = asyncio.Event()
    site.on_body = asked.set
    request = Request(site.url("/model.bin"), tmp_path / "model")
    async with asyncio.TaskGroup() as tasks:
        leaves = tasks.create_task(fetcher.fetch(request))
        await asked.wait()
        leaves.cancel()
        await asyncio.wait((leaves,))
        file.wait = None
        assert isinstance(await fetcher.fetch(request), Fetched)
    assert leaves.cancelled()


async def test_leaving_the_fetcher_stops_downloads_and_says_so(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())
    asked = asyncio.Event()
    site.on_body = asked.set
    async with asyncio.TaskGroup() as tasks, make_fetcher() as fetcher:
        request = Request(site.url("/model.bin"), tmp_path / "model")
        waits = tasks.create_task(fetcher.fetch(request))
        await asked.wait()
    found = waits.result()
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.INTERRUPTED


async def test_what_was_fetched_is_not_fetched_again(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    request = Request(site.url("/model.bin"), tmp_path / "model")
    first = await fetcher.fetch(request)
    site.asked = []
    assert await fetcher.fetch(request) == first
    assert site.asked == []


async def test_a_folder_of_somebody_else_is_left_alone(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("precious")
    found = await fetcher.fetch(Request(site.url("/model.bin"), tmp_path / "model"))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.TARGET_TAKEN
    assert tree(tmp_path / "model") == {"mine": b"precious"}


async def test_a_half_unpacked_archive_is_unpacked_anew(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.tgz", tar(("model.bst", b"weights")))
    target = Target(tmp_path / "model")
    target.unpacked.mkdir(parents=True)
    (target.unpacked / "half").write_text("of an earlier try")
    found = await fetcher.fetch(Request(site.url("/model.tgz"), target.path))
    assert isinstance(found, Fetched)
    assert tree(target.path) == {"model.bst": b"weights"}


async def test_leftovers_are_swept_but_for_those_in_use_or_wanted(tmp_path: Path) -> None:
    for name in ("left", "wanted", "busy"):
        Target(tmp_path / name).begin()
    async with Target(tmp_path / "busy").locked():
        removed = sweep(tmp_path, {tmp_path / "wanted"})
    assert removed == [tmp_path / "left.partial"]
    assert names(tmp_path) == ["busy.lock", "busy.partial", "left.lock", "wanted.partial"]


# Full disks


async def test_a_model_that_will_not_fit_is_not_begun(
    site: Site, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put("/model.bin", MODEL)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000_000))
    found = await fetcher.fetch(Request(site.url("/model.bin"), tmp_path / "model"))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.DISK_FULL
    assert "needs 1.0 MB" in found.message
    assert site.bodies() == []


@pytest.mark.parametrize("name", ["model.bin", "model.tgz"])
async def test_a_disk_that_fills_up_is_told_and_given_back(
    name: str, site: Site, fetcher: Fetcher, small_disk: Path
) -> None:
    """Its size is not told in advance; packed, it would fit."""
    content = tar(("model", MODEL)) if name.endswith("tgz") else MODEL
    site.put(f"/{name}", content, ranges=False, length=False)
    found = await fetcher.fetch(Request(site.url(f"/{name}"), small_disk / "model"))
    assert isinstance(found, FetchFailed)
    assert (found.reason, found.retry) == (Reason.DISK_FULL, True)
    assert "make room" in found.message
    assert names(small_disk) == ["model.lock"]


async def test_a_limit_on_file_sizes_is_told(site: Site, tmp_path: Path) -> None:
    site.put("/model.bin", MODEL, ranges=False, length=False)
    process = await start(site.url("/model.bin"), tmp_path / "model", "500000")
    assert (await told(process)).startswith("DiskFull")
    assert names(tmp_path) == ["model.lock"]


async def test_a_folder_that_may_not_be_written_is_told(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    (tmp_path / "file").write_text("no folder")
    found = await fetcher.fetch(Request(site.url("/model.bin"), tmp_path / "file" / "model"))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.DISK
    assert "model.lock" in found.message
