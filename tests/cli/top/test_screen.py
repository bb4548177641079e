"""`graphway top` on a terminal, over a real `up`: seen, sorted, made small, left alone, ended."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.top.keys import DOWN, LEFT, PAGE_DOWN, QUIT, REVERSE, RIGHT, UP, meant
from tests.controller.backend import fake
from tests.controller.test_up import GRAPH, PROJECT, up
from tests.kit.eventually import eventually

DEADLINE_S = 60.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

TYPED = [
    (b"q", [QUIT]),
    (b"\x03", [QUIT]),
    (b"\x1b[C\x1b[Dr", [RIGHT, LEFT, REVERSE]),
    (b"\x1bOAj ", [UP, DOWN, PAGE_DOWN]),
    (b"xyz", []),
    (b"x\x1b[C", [RIGHT]),
    (b"\x1b[15~q", []),
    (b"\xff\x00", []),
]


@pytest.mark.parametrize(("typed", "keys"), TYPED)
def test_keys(typed: bytes, keys: list[str]) -> None:
    assert meant(typed) == keys


class Screen:
    def __init__(self, terminal: int, process: asyncio.subprocess.Process) -> None:
        self._terminal = terminal
        self.process = process
        self._said = ""
        os.set_blocking(terminal, False)

    def shows(self, word: str) -> bool:
        """Since the last time that something was shown."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._said += os.read(self._terminal, 65536).decode(errors="replace")
        found = word in ESCAPES.sub("", self._said)
        if found:
            self._said = ""
        return found

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextlib.asynccontextmanager
async def top(folder: Path, *flags: str) -> AsyncIterator[Screen]:
    terminal, theirs = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # Who has read lines from a terminal may have left its size in the environment, where it wins.
    environ = {"PYTHONPATH": str(PROJECT), "GRAPHWAY_HOME": str(folder / "home"), "TERM": "xterm"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "top", *flags),
        env={k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Screen(terminal, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(terminal)


@pytest.mark.slow
async def test_a_screen_that_outlives_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(fake("iris") + GRAPH)
    async with up(tmp_path) as running:
        await eventually(lambda: running.url, deadline_s=DEADLINE_S)
        async with top(tmp_path, "--interval", "0.1") as screen:
            await eventually(lambda: screen.shows("iris-00001"), deadline_s=DEADLINE_S)
            await running.ask()
            await eventually(lambda: screen.shows("100%"), deadline_s=DEADLINE_S)
            screen.press(b"\x1b[C\x1b[Br")
            screen.size(24, 4)
            # Which one it shows depends on whether the key or the new size comes first.
            await eventually(lambda: screen.shows(" of 3"), deadline_s=DEADLINE_S)
            screen.size(120, 12)
            await eventually(lambda: screen.shows("FLIGHT"), deadline_s=DEADLINE_S)
            running.process.kill()
            await eventually(lambda: screen.shows("trying again"), deadline_s=DEADLINE_S)
            screen.press(b"q")
            async with asyncio.timeout(DEADLINE_S):
                assert await screen.process.wait() == 0
