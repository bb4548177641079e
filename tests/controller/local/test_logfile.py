"""Logs of bounded size, and readers that lose no line of them."""

import asyncio
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.local import logfile
from controller.local.logfile import LogFile, LogLimits, forget_oldest, lines
from tests.kit.eventually import eventually

SMALL = LogLimits(file_bytes=100, files=3)


def written(path: Path, count: int, limits: LogLimits = SMALL, first: int = 0) -> list[str]:
    log = LogFile(path, limits)
    said = [f"line {number:04}" for number in range(first, first + count)]
    for line in said:
        log.write(line.encode())
    log.close()
    return said


async def read(path: Path, tail: int | None = None) -> list[str]:
    return [line async for line in lines(path, tail=tail)]


def test_files_are_put_aside_at_their_size_and_the_oldest_go(tmp_path: Path) -> None:
    written(tmp_path / "a.log", 35)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert (tmp_path / "a.log").read_text().split("\n")[0] == "line 0030"
    assert (tmp_path / "a.log.2").read_text().split("\n")[0] == "line 0010"
    assert all(file.stat().st_size <= 100 for file in tmp_path.iterdir())


def test_a_line_longer_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log", SMALL)
    for line in (b"a", b"x" * 500, b"b"):
        log.write(line)
    log.close()
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 500 + b"\n"
    assert (tmp_path / "a.log").read_bytes() == b"b\n"


def test_one_file_may_be_all(tmp_path: Path) -> None:
    written(tmp_path / "a.log", 15, LogLimits(100, 1))
    assert [file.name for file in tmp_path.iterdir()] == ["a.log"]
    assert (tmp_path / "a.log").read_text().split("\n")[0] == "line 0010"


def test_what_was_there_stays(tmp_path: Path) -> None:
    written(tmp_path / "a.log", 2)
    written(tmp_path / "a.log", 1, first=2)
    assert (tmp_path / "a.log").read_text() == "line 0000\nline 0001\nline 0002\n"


TAILS = {
    "all that is kept": (None, 25),
    "the last ones, out of several files": (12, 12),
    "more than there are": (99, 25),
    "none": (0, 0),
}


@pytest.mark.parametrize(("tail", "count"), TAILS.values(), ids=TAILS)
async def test_tails(tmp_path: Path, tail: int | None, count: int) -> None:
    said = written(tmp_path / "a.log", 25)
    assert await read(tmp_path / "a.log", tail) == said[25 - count :]


async def test_of_no_file_there_are_no_lines(tmp_path: Path) -> None:
    assert await read(tmp_path / "absent.log") == []


async def test_a_line_without_end_is_told_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"a\r\nb\xff")
    assert await read(tmp_path / "a.log") == ["a", "b\N{REPLACEMENT CHARACTER}"]


class Follower:
    def __init__(self, path: Path, tail: int | None = None) -> None:
        self.path = path
        self.tail = tail
        self.seen: list[str] = []
        self.wanted = True

    async def run(self) -> None:
        async for line in lines(self.path, tail=self.tail, follow_while=lambda: self.wanted):
            self.seen.append(line)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "POLL_S", 0.001)


async def test_a_follower_sees_what_comes_in_whatever_files_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    follower = Follower(path)
    log = LogFile(path, LogLimits(100, 1000))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        for number in range(300):
            log.write(str(number).encode())
            log.flush()
            if number % 37 == 0:  # it looks now and then; many rotations may lie between
                await eventually(lambda said=number: str(said) in follower.seen[-1:])
        follower.wanted = False
    log.close()
    assert follower.seen == [str(number) for number in range(300)]


async def test_a_follower_may_come_before_the_file(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "a.log")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        await asyncio.sleep(0)
        said = written(tmp_path / "a.log", 7)
        await eventually(lambda: len(follower.seen) == 7)
        follower.wanted = False
    assert follower.seen == said


async def test_a_follower_that_is_far_behind_goes_on_with_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    first = written(path, 5)
    follower = Follower(path)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        await eventually(lambda: follower.seen == first)
        # Its own file goes while it does not look.
        later = written(path, 80, first=5)
        await eventually(lambda: follower.seen[-1:] == later[-1:])
        follower.wanted = False
    rest_of_its_own = later[:5]
    assert follower.seen == [*first, *rest_of_its_own, *await read(path)]


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=40))
def test_no_line_is_lost_or_torn_while_there_is_room(said: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.log"
        log = LogFile(path, LogLimits(64, 100))
        for line in said:
            log.write(line)
        log.close()
        assert asyncio.run(read(path)) == [
            line.decode(errors="replace").rstrip("\r") for line in said
        ]


def test_of_many_logs_the_newest_are_kept_with_all_their_parts(tmp_path: Path) -> None:
    for number in range(5):
        for part in ("", ".1"):
            file = tmp_path / f"predictor-{number}-0.log{part}"
            file.touch()
            os.utime(file, (number, number))
    forget_oldest(tmp_path, 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        *("predictor-3-0.log", "predictor-3-0.log.1", "predictor-4-0.log", "predictor-4-0.log.1")
    ]
