"""Which graphways run on this machine: a file for each, by which the others find it.

`up` announces itself in `$GRAPHWAY_HOME/running/PID.json` once its admin port listens, and takes
the file away at its end. One that was killed leaves its file; whoever looks passes over it. The
file holds the token of the API, so it is readable by its owner alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from controller.local.home import Home


class Running(msgspec.Struct, frozen=True):
    """One of them: `url` is that of its admin port, `project` what it was started on."""

    url: str
    pid: int
    project: str
    token: str | None = None


@contextmanager
def announced(home: Home, running: Running) -> Iterator[Path]:
    folder = home.running
    folder.mkdir(parents=True, exist_ok=True)
    for file, other in _files(folder):
        if other is None or not _is_alive(other.pid):
            file.unlink(missing_ok=True)
    file = folder / f"{running.pid}.json"
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)  # of a process that had this number before us
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        written.write(msgspec.json.encode(running))
    draft.replace(file)  # nobody reads half of it
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def find_running(home: Home) -> list[Running]:
    """Those whose process is alive, by process number."""
    found = [running for _, running in _files(home.running) if running and _is_alive(running.pid)]
    return sorted(found, key=lambda running: running.pid)


def _files(folder: Path) -> Iterator[tuple[Path, Running | None]]:
    """None for what is no such file, or somebody else's."""
    for file in sorted(folder.glob("*.json")):
        try:
            yield file, msgspec.json.decode(file.read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            yield file, None


def _is_alive(pid: int) -> bool:
    if pid <= 0:  # these would mean whole groups of processes
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
