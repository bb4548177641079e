"""docs/operating.md, typed as it stands: a shell, a `graphway up`, and each answer as the page has
it. Only the port is another one.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.eventually import eventually

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/operating.md"
DEADLINE_S = 90.0  # that the page calls a few seconds, and a loaded machine does not
ASKS = ("graphway get ", "graphway top ", "graphway events ", "curl ", "for ")
END = "-- that was it --"


@dataclass(frozen=True, slots=True)
class Typed:
    command: str
    answer: tuple[str, ...]


def typed() -> Iterator[Typed]:
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *answer = part.splitlines()
            yield Typed(command, tuple(answer))


def is_as_shown(shown: tuple[str, ...], found: str) -> bool:
    """Spaces are any number of spaces; `...` is anything, and alone on a line any lines."""
    if not shown:
        return True
    lines = [r"(?:.*\n)*?" if line == "..." else f"{_words(line)}\n" for line in shown]
    return re.fullmatch("".join(lines), found) is not None


def _words(line: str) -> str:
    parts = [re.escape(word).replace(re.escape("..."), ".*?") for word in line.split()]
    return r" *" + r" +".join(parts).replace(r" +.*?", r".*?") + r" *"


SHOWN = [
    ("the same", ("a  b",), "a b\n", True),
    ("another word", ("a b",), "a c\n", False),
    ("anything at the end", ("a ...",), "a b c\n", True),
    ("nothing at the end", ("a ...",), "a\n", True),
    ("anything in between", ("a .../c",), "a x/y/c\n", True),
    ("one line too many", ("a",), "a\nb\n", False),
    ("lines before", ("...", "b"), "x\ny\nb\n", True),
    ("no lines before", ("...", "b"), "b\n", True),
    ("a line is missing", ("a", "...", "b"), "a\n", False),
]


@pytest.mark.parametrize(
    ("shown", "found", "same"), [s[1:] for s in SHOWN], ids=[s[0] for s in SHOWN]
)
def test_what_a_page_may_leave_open(shown: tuple[str, ...], found: str, same: bool) -> None:
    assert is_as_shown(shown, found) is same


class Shell:
    """One bash that is typed into, and what it says to each line."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            env=environ,
            cwd=folder,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._started: list[int] = []

    def type(self, command: str) -> str:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{command}\necho '{END}'\n")
        self._bash.stdin.flush()
        return "".join(iter(self._bash.stdout.readline, f"{END}\n"))

    def start(self, command: str, log: Path) -> None:
        """In another terminal, so to say."""
        self._started.append(int(self.type(f"{command} > {log} 2>&1 & echo $!")))

    def close(self) -> None:
        """Ctrl-C in the other terminal."""
        for pid in self._started:
            self.type(f"kill -INT {pid}; wait {pid}")
        self._bash.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def shell(tmp_path: Path, port: int) -> Iterator[Shell]:
    commands = tmp_path / "bin"
    commands.mkdir()
    graphway = commands / "graphway"
    graphway.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n')
    graphway.chmod(0o755)
    environ = os.environ | {
        "HOME": str(tmp_path),
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GRAPHWAY_HOME": str(tmp_path / "state"),
        "GRAPHWAY_PORT": str(port),
        "GRAPHWAY_ADMIN_PORT": "0",
        "GRAPHWAY_WORKERS": "1",
        "GRAPHWAY_DRAIN_SECONDS": "0",
    }
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    opened = Shell(environ, tmp_path)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.slow
async def test_the_page_runs_as_it_is_written(shell: Shell, tmp_path: Path, port: int) -> None:
    here = f"127.0.0.1:{port}"
    log = tmp_path / "up.log"
    for each in typed():
        command = each.command.replace("127.0.0.1:8080", here)
        answer = tuple(line.replace("127.0.0.1:8080", here) for line in each.answer)
        if command.startswith("graphway up"):
            log.touch()
            shell.start(command, log)
            await eventually(
                lambda a=answer: is_as_shown(a, log.read_text()), command, deadline_s=DEADLINE_S
            )
            continue
        found = shell.type(command)
        ends = time.monotonic() + DEADLINE_S
        while command.startswith(ASKS) and not is_as_shown(answer, found):
            if time.monotonic() > ends:
                break
            found = shell.type(f"sleep 0.2; {command}")
        assert is_as_shown(answer, found), f"$ {command}\n{found}\nis not\n" + "\n".join(answer)
