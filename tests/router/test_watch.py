"""Which changes on disk are heard: editors' saves, ConfigMap swaps, folders that come and go."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from watchfiles import Change

from router.watch import scope_of, watch
from tests.kit.eventually import eventually


class Heard:
    """Counts alarms."""

    def __init__(self) -> None:
        self.alarms = 0

    def __call__(self) -> None:
        self.alarms += 1


@asynccontextmanager
async def watching(*paths: Path) -> AsyncIterator[Heard]:
    heard = Heard()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watch(lambda: paths, heard))
        yield heard
        task.cancel()


async def hears(paths: list[Path], change: Callable[[], None]) -> None:
    """The change is repeated until heard: only the watcher knows when it has begun to watch."""
    async with watching(*paths) as heard:
        await eventually(lambda: heard.alarms > 0, "the first alarm")
        before = heard.alarms

        def heard_after_a_change() -> bool:
            change()
            return heard.alarms > before

        await eventually(heard_after_a_change, "an alarm")


def swap_link(link: Path, target: str) -> None:
    """As kubelet and git-sync do: a new link beside it, renamed over the old one."""
    beside = link.with_name(link.name + "_tmp")
    beside.symlink_to(target)
    beside.rename(link)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "graph.yaml"
    path.write_text("one")
    return path


async def test_a_file_written_in_place(manifest: Path) -> None:
    await hears([manifest], lambda: _touch(manifest))


async def test_a_file_saved_by_renaming(manifest: Path) -> None:
    def save() -> None:
        new = manifest.with_name("graph.yaml.new")
        new.write_text("two")
        new.rename(manifest)

    await hears([manifest], save)


async def test_a_file_removed_and_written_again(manifest: Path) -> None:
    def again() -> None:
        manifest.unlink(missing_ok=True)
        _touch(manifest)

    await hears([manifest], again)


async def test_a_file_that_becomes_a_link_to_itself(manifest: Path) -> None:
    def loop() -> None:
        manifest.unlink()
        manifest.symlink_to(manifest.name)

    await hears([manifest], loop)
    async with watching(manifest):
        pass


async def test_a_file_in_a_folder(tmp_path: Path) -> None:
    await hears([tmp_path], lambda: _touch(tmp_path / "new.yaml"))


async def test_a_file_deep_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    await hears([tmp_path], lambda: _touch(tmp_path / "a/b/new.json"))


@pytest.mark.parametrize("given", ["graph.yaml", "."], ids=["by file", "by folder"])
async def test_a_config_map_that_is_swapped(given: str, tmp_path: Path) -> None:
    for version in ("..v1", "..v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "graph.yaml").write_text(version)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "graph.yaml").symlink_to("..data/graph.yaml")
    await hears([tmp_path / given], lambda: swap_link(tmp_path / "..data", "..v2"))


async def test_a_linked_folder_that_is_swapped(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    (tmp_path / "current").symlink_to("v1")
    await hears([tmp_path / "current"], lambda: swap_link(tmp_path / "current", "v2"))


async def test_what_a_link_leads_to_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "seen").mkdir()
    _touch(tmp_path / "real/graph.yaml")
    (tmp_path / "seen/graph.yaml").symlink_to(tmp_path / "real/graph.yaml")
    await hears([tmp_path / "seen/graph.yaml"], lambda: _touch(tmp_path / "real/graph.yaml"))


async def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    later = tmp_path / "a/b/graph.yaml"

    def appear() -> None:
        later.parent.mkdir(parents=True, exist_ok=True)
        _touch(later)

    await hears([later], appear)


async def test_after_a_swap_the_new_folder_is_watched(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
    (tmp_path / "current").symlink_to("v1")

    def swap_then_write() -> None:
        if (tmp_path / "current").readlink() == Path("v1"):
            swap_link(tmp_path / "current", "v2")
        _touch(tmp_path / "v2/a.yaml")

    async with watching(tmp_path / "current") as heard:

        def heard_often() -> bool:
            swap_then_write()
            return heard.alarms >= 6  # the swap itself is heard three times at most

        await eventually(heard_often, "alarms from the new folder")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param("graph.yaml", True, id="the file itself"),
        pytest.param("..data", True, id="the link of a ConfigMap"),
        pytest.param("other.yaml", False, id="a neighbour"),
        pytest.param("graph.yaml~", False, id="an editor's backup"),
    ],
)
def test_beside_a_single_file(changed: str, said: bool, manifest: Path) -> None:
    scope = scope_of([manifest])
    assert scope.in_folder(Change.modified, str(manifest.parent / changed)) is said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param("a.yaml", True, id="YAML"),
        pytest.param("sub/a.json", True, id="JSON below"),
        pytest.param("access.log", False, id="a log file that grows there"),
        pytest.param("gone", True, id="something that is gone"),
        pytest.param("sub", True, id="a folder"),
    ],
)
def test_in_a_folder(changed: str, said: bool, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    _touch(tmp_path / "access.log")
    scope = scope_of([tmp_path])
    assert scope.in_tree(Change.modified, str(tmp_path / changed)) is said


def _touch(path: Path) -> None:
    path.write_text(os.urandom(4).hex())
