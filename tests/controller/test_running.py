"""How the command line finds what runs: the files that say so, their life and their faults."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from controller.local.home import Home
from controller.running import Running, announced, find_running

HERE = Running("http://127.0.0.1:9902", os.getpid(), "/models", "secret")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_what_is_announced_is_found_until_it_ends(home: Home) -> None:
    assert find_running(home) == []
    with announced(home, HERE):
        assert find_running(home) == [HERE]
    assert find_running(home) == []
    assert list(home.running.iterdir()) == []


def test_the_token_is_for_the_owner_alone(home: Home) -> None:
    with announced(home, HERE) as file:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_goes_when_it_ends_by_an_exception(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), announced(home, HERE):
        raise ZeroDivisionError
    assert find_running(home) == []


def test_one_that_was_killed_is_passed_over_and_tidied_up_by_the_next(
    home: Home, dead: int
) -> None:
    home.running.mkdir()
    stale = home.running / f"{dead}.json"
    stale.write_text(f'{{"url": "http://127.0.0.1:1", "pid": {dead}, "project": "x"}}')
    assert find_running(home) == []
    assert stale.exists()
    with announced(home, HERE):
        assert [*home.running.iterdir()] == [home.running / f"{os.getpid()}.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url": 1}', '{"url": "", "pid": "x", "project": ""}', "\udcff"],
    ids=["empty", "half", "a list", "of other types", "a pid that is text", "no UTF-8"],
)  # fmt: skip
def test_what_is_no_such_file_is_passed_over(home: Home, text: str) -> None:
    home.running.mkdir()
    (home.running / "1.json").write_bytes(text.encode(errors="surrogateescape"))
    assert find_running(home) == []


@pytest.mark.parametrize("pid", [-1, 0, 2**70], ids=["all of mine", "my group", "beyond numbers"])
def test_a_number_that_is_no_process_is_passed_over(home: Home, pid: int) -> None:
    home.running.mkdir()
    (home.running / "1.json").write_text(f'{{"url": "", "pid": {pid}, "project": ""}}')
    assert find_running(home) == []
