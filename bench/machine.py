"""What the machine offers: tools, cores, free ports, and what its kernel says about processes.

CPU is user plus system time of a process and all its descendants; memory is PSS, which counts a
shared page once.
"""

import os
import platform
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PACKAGE_OF_TOOL = {"nginx": "nginx-light", "wrk": "wrk"}


class CannotMeasure(Exception):
    """Something that the benchmark needs is missing or did not start; the message says how to
    mend it.
    """


@dataclass(frozen=True)
class Cores:
    """Who runs where. A proxy under test has its cores to itself; load and predictors share the
    others.
    """

    proxy: frozenset[int]
    load: frozenset[int]

    @property
    def pinned(self) -> bool:
        return not self.proxy & self.load


def split_cores(workers: int) -> Cores:
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) <= workers:  # no core would be left for the load: let the kernel place them all
        return Cores(frozenset(usable), frozenset(usable))
    return Cores(frozenset(usable[:workers]), frozenset(usable[workers:]))


def require_tools() -> None:
    if not PROC.joinpath("self/smaps_rollup").exists():
        raise CannotMeasure(
            "this benchmark reads Linux's /proc (smaps_rollup: Linux 4.14 or newer)"
        )
    missing = [tool for tool in PACKAGE_OF_TOOL if find_tool(tool) is None]
    if missing:
        packages = " ".join(PACKAGE_OF_TOOL[tool] for tool in missing)
        raise CannotMeasure(f"missing: {', '.join(missing)}; run: apt-get install {packages}")


def find_tool(tool: str) -> str | None:
    """Debian puts nginx where only root's PATH looks."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def process_tree(root: int) -> list[int]:
    """The process and all its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, ()))
    return tree


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = _stat(pid)
        if not fields:
            raise CannotMeasure(f"process {pid} died during a run")
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def pss_bytes(pid: int) -> int:
    for line in PROC.joinpath(str(pid), "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise CannotMeasure(f"no Pss line for process {pid}")


def describe() -> dict[str, object]:
    cpu = [
        line.partition(":")[2].strip()
        for line in PROC.joinpath("cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": cpu[0] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (the second, a name, may hold anything); empty:
    no such process.
    """
    try:
        text = PROC.joinpath(str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
