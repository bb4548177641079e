"""Environments: made once, found again, made anew if they were cut short. No network."""

import asyncio
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.local import python_env
from controller.local.python_env import COMPLETE, EnvironmentFailed, ensure, location, requirements
from tests.kit.eventually import eventually

WHEEL = "tiny-1.0-py3-none-any.whl"


def wheel(folder: Path) -> str:
    """A package of one line, as a requirement that needs no index."""
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("tiny.py", "VALUE = 42\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return str(folder / WHEEL)


def run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


class Making:
    def __init__(self, tmp_path: Path) -> None:
        self.envs = tmp_path / "envs"
        self.log = tmp_path / "log"
        self.details: list[str] = []

    async def __call__(self, *packages: str) -> Path | EnvironmentFailed:
        return await ensure(
            self.envs,
            packages,
            log=self.log,
            environ={"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"},
            on_detail=self.details.append,
        )

    @property
    def made(self) -> int:
        return self.details.count("making its environment")


@pytest.fixture
def making(tmp_path: Path) -> Iterator[Making]:
    return Making(tmp_path)


@pytest.mark.slow
async def test_packages_are_installed_once(making: Making, tmp_path: Path) -> None:
    package = wheel(tmp_path)
    path = await making(package)
    assert isinstance(path, Path)
    python = str(path / "bin" / "python")
    code = "import sys, tiny; print(tiny.VALUE, sys.prefix)"
    assert run(python, "-c", code).split() == ["42", str(path)]
    assert await making(package) == path
    assert making.made == 1


async def test_two_starts_at_once_make_one(making: Making) -> None:
    async with asyncio.TaskGroup() as tasks:
        starts = [tasks.create_task(making()) for _ in range(3)]
    assert len({start.result() for start in starts}) == 1
    assert making.made == 1
    assert "waiting for its environment" in making.details


async def test_one_that_was_cut_short_is_made_anew(making: Making) -> None:
    path = await making()
    assert isinstance(path, Path)
    (path / COMPLETE).unlink()
    (path / "rubbish").touch()
    assert await making() == path
    assert making.made == 2
    assert not (path / "rubbish").exists()


async def test_one_that_is_cancelled_is_no_whole_one(making: Making) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(making())
        await eventually(lambda: making.made)
        task.cancel()
    assert not (location(making.envs, ()) / COMPLETE).exists()


@pytest.mark.slow
async def test_a_package_that_cannot_be_had_says_so(making: Making) -> None:
    failed = await making("no-such-package==1.0")
    assert isinstance(failed, EnvironmentFailed)
    assert "no-such-package" in failed.message
    assert str(making.log) in failed.message


def test_the_same_packages_in_another_order_are_the_same_environment(tmp_path: Path) -> None:
    assert location(tmp_path, ("a==1", "b==2")) == location(tmp_path, ("b==2", "a==1"))
    assert location(tmp_path, ("a==1",)) != location(tmp_path, ("a==2",))


def test_packages_beside_the_manifest() -> None:
    words = requirements(" a==1\n ./b  ../c ", Path("/manifests"))
    assert words == ("a==1", "/manifests/b", "/c")


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("Collecting kserve==0.21.0", "collecting kserve"),
        ("  Collecting numpy<3,>=1.2 (from kserve)", "collecting numpy"),
        ("Installing collected packages: a, b", "installing 2 packages"),
        ("Requirement already satisfied", None),
    ],
)
def test_what_pip_does_is_told_shortly(line: str, detail: str | None) -> None:
    assert python_env._detail(line) == detail
