"""How many workers by default: as many as this process may really use cores, within bounds.

Cores are the least of the affinity mask and the cgroup's CPU quotas, which is what a container's
limit and systemd's CPUQuota are. Without any limit a large machine would get more workers than a
router needs, and a small memory limit would not hold them.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
MOST = 32  # at some 20,000 requests a second each; whoever needs more says so
WORKER_BYTES = 64 * 1024 * 1024  # what a busy worker with small bodies may take


def default_workers(cgroup: Path = CGROUP, own: Path = OWN) -> int:
    """One at least: half a core, or little memory, still needs a worker."""
    limits = [usable_cores(cgroup, own), MOST]
    if (memory := memory_limit(cgroup, own)) is not None:
        limits.append(int(memory // WORKER_BYTES))
    return max(1, min(limits))


def usable_cores(cgroup: Path = CGROUP, own: Path = OWN) -> int:
    quota = cpu_quota(cgroup, own)
    affinity = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return affinity if quota is None else min(affinity, math.ceil(quota))


def cpu_quota(cgroup: Path = CGROUP, own: Path = OWN) -> float | None:
    """Cores; None: not limited, or not known."""
    found = []
    for folder in _groups(cgroup, own):
        for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
            numbers = _numbers(*(folder / name for name in files))
            if len(numbers) == 2 and min(numbers) > 0:
                found.append(numbers[0] / numbers[1])
    return min(found, default=None)


def memory_limit(cgroup: Path = CGROUP, own: Path = OWN) -> float | None:
    """Bytes; None: not limited, or not known."""
    names = ("memory.max", "memory/memory.limit_in_bytes")
    found = [_numbers(folder / name) for folder in _groups(cgroup, own) for name in names]
    return min((number for numbers in found for number in numbers), default=None)


def _groups(cgroup: Path, own: Path) -> Iterator[Path]:
    """The root, which is the own group inside a container, and on a host those that we are in."""
    yield cgroup
    try:
        (path,) = (
            line.removeprefix("0::/")
            for line in own.read_text().splitlines()
            if line.startswith("0::/")
        )
    except (OSError, ValueError):
        return  # no Linux, or only the older hierarchy
    group = cgroup
    for name in Path(path).parts:
        group /= name
        yield group


def _numbers(*files: Path) -> list[float]:
    """All of these files; nothing if one is missing, or says `max` or what is no number."""
    try:
        return [float(word) for file in files for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
