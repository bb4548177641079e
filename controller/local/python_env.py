"""Environments for runtimes: the annotation's packages in a venv of their own, made on first use,
reused later.

A file inside says that an environment is whole; one without it was cut short and is made again.
Two starts at once, of one process or of two, meet at a lock file, which the kernel releases
however its holder ends.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.local import process
from controller.local.launch import Launch

COMPLETE = "graphway-complete.json"
STOP_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class EnvironmentFailed:
    message: str


def requirements(annotation: str, folder: Path) -> tuple[str, ...]:
    """The words of the annotation; those that begin with a dot and a slash lie beside the
    manifest.
    """
    return tuple(
        os.path.normpath(folder / word) if word.startswith(("./", "../")) else word
        for word in annotation.split()
    )


def location(envs: Path, packages: tuple[str, ...]) -> Path:
    """Same packages on the same Python: same place."""
    python = (sys.implementation.cache_tag, sys.base_prefix)
    text = json.dumps([sorted(packages), python])
    return envs / hashlib.sha256(text.encode()).hexdigest()[:16]


async def ensure(
    envs: Path,
    packages: tuple[str, ...],
    *,
    log: Path,
    environ: Mapping[str, str],
    on_detail: Callable[[str], None],
) -> Path | EnvironmentFailed:
    path = location(envs, packages)
    if _is_whole(path):
        return path
    async with _locked(path.with_suffix(".lock"), lambda: on_detail("waiting for its environment")):
        if _is_whole(path):  # somebody else made it meanwhile
            return path
        failed = await _make(path, packages, log, environ, on_detail)
    return failed or path


def _is_whole(path: Path) -> bool:
    # The interpreter is a link to one outside, which may have been removed.
    return (path / COMPLETE).exists() and (path / "bin" / "python").exists()


@asynccontextmanager
async def _locked(path: Path, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        waits = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waits:
                    on_wait()
                waits = True
                await asyncio.sleep(
                    0.2
                )  # asked often enough; a blocking call could not be cancelled
        yield


async def _make(
    path: Path,
    packages: tuple[str, ...],
    log: Path,
    environ: Mapping[str, str],
    on_detail: Callable[[str], None],
) -> EnvironmentFailed | None:
    await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
    on_detail("making its environment")
    python = str(path / "bin" / "python")
    install = (python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check")
    make = (sys.executable, "-m", "venv")
    steps: tuple[tuple[str, ...], ...] = ((*make, "--without-pip", str(path)),)
    if packages:
        steps = ((*make, str(path)), (*install, "--progress-bar=off", *packages))

    def on_line(line: str) -> None:
        if detail := _detail(line):
            on_detail(detail)

    for step in steps:
        running = await process.start(Launch(step, environ, path.parent), log, on_line)
        try:
            status = await running.run()
        finally:
            await running.stop(STOP_GRACE_S)
        if status != 0:
            last = " / ".join(running.last_lines[-3:])
            return EnvironmentFailed(f"its environment cannot be made: {last} (see {log})")
    (path / COMPLETE).write_text(json.dumps({"packages": packages, "python": sys.version}))
    return None


def _detail(line: str) -> str | None:
    """What pip is doing, shortly."""
    words = line.split()
    match words:
        case ["Collecting", name, *_]:
            return f"collecting {re.split('[^A-Za-z0-9._-]', name)[0]}"
        case ["Installing", "collected", *_]:
            return f"installing {len(words) - 3} packages"
    return None
