"""Limits that the kernel keeps: one cgroup (version 2) for each life of a replica.

Only where we may: our own cgroup must be writable and have the controllers, as under `systemd-run
--user --scope -p Delegate=yes` or in a container that was given its own. The kernel lets no cgroup
have both processes and limited children, so this process moves into a child of its own first, which
it may only if nobody else is in there.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = ("cpu", "memory")
PERIOD_US = 100_000  # of the CPU quota; the kubelet's
OURS = "graphway"  # the child for this process itself


@dataclass(frozen=True, slots=True)
class Cgroup:
    folder: Path

    def limit(self, memory_bytes: int | None, cpus: float | None) -> None:
        if memory_bytes is not None:
            self._write("memory.max", str(memory_bytes))
            # Swapping would hide that a server is too large. Not every kernel counts swap.
            if (self.folder / "memory.swap.max").exists():
                self._write("memory.swap.max", "0")
            # All of it ends, as a container does, and not a part that nobody misses.
            self._write("memory.oom.group", "1")
        if cpus is not None:
            self._write("cpu.max", f"{max(1_000, round(cpus * PERIOD_US))} {PERIOD_US}")

    def oom_kills(self) -> int:
        try:
            lines = (self.folder / "memory.events").read_text().splitlines()
        except OSError:
            return 0
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def kill(self) -> None:
        """All that is in it, wherever it went."""
        try:
            self._write("cgroup.kill", "1")
        except OSError:  # older than Linux 5.14; then its group must do
            pass

    def remove(self) -> None:
        try:
            self.folder.rmdir()
        except OSError:  # something of it still ends; the next start removes it
            pass

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


class Cgroups:
    """The place for those of this run."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def make(self, name: str, memory_bytes: int | None, cpus: float | None) -> Cgroup:
        made = Cgroup(self.base / name)
        made.folder.mkdir(exist_ok=True)
        made.limit(memory_bytes, cpus)
        return made


def find(own: Callable[[], Path | None] | None = None) -> Cgroups | None:
    """None where limits cannot be set."""
    base = (own or own_cgroup)()
    if base is None or not os.access(base, os.W_OK):
        return None
    try:
        if not set(CONTROLLERS) <= set((base / "cgroup.controllers").read_text().split()):
            return None
        if not set(CONTROLLERS) <= set((base / "cgroup.subtree_control").read_text().split()):
            _delegate(base)
    except OSError:
        return None
    return Cgroups(base)


def _delegate(base: Path) -> None:
    ours = base / OURS
    members = (base / "cgroup.procs").read_text().split()
    if members == [str(os.getpid())]:
        ours.mkdir(exist_ok=True)
        (ours / "cgroup.procs").write_text(members[0])
    enabled = " ".join(f"+{name}" for name in CONTROLLERS)
    (base / "cgroup.subtree_control").write_text(enabled)


def own_cgroup(
    membership: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/proc/self/mountinfo")
) -> Path | None:
    """Where this process is, in the one hierarchy of version 2."""
    try:
        lines = membership.read_text().splitlines()
        inside = next((line[3:] for line in lines if line.startswith("0::")), None)
        for line in mounts.read_text().splitlines():
            before, _, after = line.partition(" - ")
            if inside is not None and after.startswith("cgroup2 "):
                found = Path(before.split()[4]) / inside.lstrip("/")
                return found if found.is_dir() else None
    except OSError:  # no Linux
        pass
    return None
