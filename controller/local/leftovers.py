"""No orphans: what a killed `up` left running is found and ended by the next one.

Each run has a file in `$GRAPHWAY_HOME/runs` with its owner and a mark that all its processes carry
in their environment. A file whose owner is gone is a run that was not ended properly: every
process with its mark, or with a recorded id and the recorded start time, is ours to end. A process
id alone proves nothing, ids are used again.

The mark of a process is that of its run and the number of its life. By the number, those are found
that left the process group of a replica, as daemons do.
"""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from controller.local.cgroups import Cgroup

MARK = "GRAPHWAY_RUN"
GRACE_S = 5.0
START_TOLERANCE_S = (
    2.0  # start times are counted from the boot, whose time the clock's corrections move
)


class RunFile:
    """The file of this run. `mark`, or that of a life, belongs into the environment of whatever it
    starts. `cgroups`: where those of its lives are made, by their marks.
    """

    def __init__(self, folder: Path, cgroups: Path | None = None) -> None:
        self.mark = uuid.uuid4().hex
        self._path = folder / f"{os.getpid()}-{self.mark}.json"
        self._processes: dict[int, float] = {}
        self._lives = 0
        self._cgroups = str(cgroups) if cgroups else None
        folder.mkdir(parents=True, exist_ok=True)
        self._owner = {"pid": os.getpid(), "started": psutil.Process().create_time()}
        self._write()

    def life_mark(self) -> str:
        """For the processes of one more life."""
        self._lives += 1
        return f"{self.mark}.{self._lives}"

    def add(self, pid: int) -> None:
        try:
            self._processes[pid] = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        self._write()

    def discard(self, pid: int) -> None:
        if self._processes.pop(pid, None) is not None:
            self._write()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        processes = [{"pid": pid, "started": at} for pid, at in self._processes.items()]
        run = {
            "owner": self._owner,
            "mark": self.mark,
            "processes": processes,
            "cgroups": self._cgroups,
        }
        half = self._path.with_suffix(".half")
        half.write_text(json.dumps(run))
        half.replace(self._path)


def end_leftovers(folder: Path, grace_s: float = GRACE_S) -> list[str]:
    """Ends what runs without an owner left behind; the command lines of what was ended."""
    ended: list[str] = []
    for path in sorted(folder.glob("*.json")):
        run = _read(path)
        if run is not None and _alive(run["owner"]):
            continue
        if run is not None:
            processes = list(_processes(run))
            ended += [_command(process) for process in processes]
            _end(processes, grace_s)
            _remove_cgroups(run)
        path.unlink(missing_ok=True)
    for half in folder.glob("*.half"):
        if not psutil.pid_exists(int(half.name.partition("-")[0])):
            half.unlink(missing_ok=True)
    return ended


def kill_marked(life_mark: str) -> None:
    """Whatever is left of one life, wherever it went."""
    for process in psutil.process_iter():
        if _mark(process) == life_mark:
            _try(process.kill)


def _read(path: Path) -> dict[str, Any] | None:
    """None for a file that we did not write whole."""
    try:
        run = json.loads(path.read_text())
        run["owner"]["pid"], run["owner"]["started"], run["mark"], run["processes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(run)


def _alive(record: dict[str, Any]) -> bool:
    try:
        process = psutil.Process(record["pid"])
        same = abs(process.create_time() - record["started"]) < START_TOLERANCE_S
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _processes(run: dict[str, Any]) -> Iterator[psutil.Process]:
    recorded = {record["pid"] for record in run["processes"] if _alive(record)}
    for process in psutil.process_iter():
        if _mark(process).partition(".")[0] == run["mark"] or process.pid in recorded:
            yield process


def _mark(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(MARK, ""))
    except psutil.Error:  # somebody else's, or gone
        return ""


def _remove_cgroups(run: dict[str, Any]) -> None:
    if base := run.get("cgroups"):
        for folder in Path(base).glob(f"{run['mark']}.*"):
            cgroup = Cgroup(folder)
            cgroup.kill()
            cgroup.remove()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return str(process.pid)


def _end(processes: list[psutil.Process], grace_s: float) -> None:
    for process in processes:
        _try(process.terminate)
    _, stubborn = psutil.wait_procs(processes, timeout=grace_s)
    for process in stubborn:
        _try(process.kill)
    psutil.wait_procs(stubborn, timeout=grace_s)


def _try(action: Any) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        pass
