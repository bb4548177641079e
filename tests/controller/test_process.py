"""One process: its output by line, its status, its end."""

import asyncio
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from controller.local import output, process
from controller.local.launch import Launch


async def output_of(tmp_path: Path, code: str) -> tuple[int, list[str]]:
    return await run(tmp_path, sys.executable, "-c", code)


async def run(tmp_path: Path, *argv: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    launch = Launch(argv, {"PATH": "/usr/bin:/bin"}, tmp_path / "scratch")
    started = await process.start(launch, tmp_path / "logs" / "a.log", lines.append)
    try:
        status = await started.run()
    finally:
        await started.stop(1.0)
    return status, lines


OUTPUT = {
    "lines": ("print('a'); print('b')", ["a", "b"]),
    "a last line without end": ("print('a', end='')", ["a"]),
    "errors among them": ("import sys; print('a', file=sys.stderr)", ["a"]),
    "a progress bar": ("print('1%\\r2%\\rdone')", ["1%", "2%", "done"]),
    "empty lines are left out": ("print('a\\n\\n \\nb')", ["a", "b"]),
    "bytes that are no text": (
        "import sys; sys.stdout.buffer.write(b'a\\xff\\n')",
        ["a\N{REPLACEMENT CHARACTER}"],
    ),
    "much of it": ("print('x' * 300_000); print('y')", ["x" * 300_000, "y"]),
}


@pytest.mark.parametrize(("code", "lines"), OUTPUT.values(), ids=OUTPUT)
async def test_output(tmp_path: Path, code: str, lines: list[str]) -> None:
    assert await output_of(tmp_path, code) == (0, lines)


async def test_output_without_line_ends_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LONGEST_LINE", 1000)
    _, lines = await output_of(tmp_path, "print('x' * 500_000)")
    assert sum(map(len, lines)) == 500_000
    assert max(map(len, lines)) < 100_000


async def test_status(tmp_path: Path) -> None:
    assert await output_of(tmp_path, "raise SystemExit(7)") == (7, [])


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    status, lines = await run(tmp_path, "no-such-program")
    assert status == 127
    assert lines == ["no-such-program cannot be run: No such file or directory"]


async def test_its_end_counts_though_a_child_keeps_its_output_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "OUTPUT_S", 0.1)
    sleeper = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {!r}]); print('a')"
    status, lines = await output_of(tmp_path, sleeper.format("import time; time.sleep(600)"))
    assert (status, lines) == (0, ["a"])


STEPS = range(6)  # more than a start takes before its process runs


@pytest.mark.parametrize("steps", STEPS)
def test_a_start_that_is_cancelled_closes_nothing_of_others(tmp_path: Path, steps: int) -> None:
    """On the loop that `up` runs on, whose transports close descriptors by their numbers."""

    async def story() -> list[int]:
        launch = Launch((sys.executable, "-c", ""), {}, tmp_path)
        opened: list[int] = []
        async with asyncio.TaskGroup() as tasks:
            starting = tasks.create_task(process.start(launch, tmp_path / "a.log", print))
            for _ in range(steps):
                await asyncio.sleep(0)
            starting.cancel()
            for _ in range(5):  # each takes the lowest number that is free
                await asyncio.sleep(0)
                opened.append(os.open(os.devnull, os.O_RDONLY))
        with suppress(asyncio.CancelledError):
            await (await starting).stop(1.0)
        del starting
        gc.collect()
        return opened

    for descriptor in uvloop.run(story()):
        os.close(descriptor)  # it is still ours
