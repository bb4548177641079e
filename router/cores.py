"""How many cores this process may really use: the default number of workers.

The least of the affinity mask and the cgroup's CPU quota, which is what a container's limit is. A
quota of half a core still needs a worker.
"""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    quota = cgroup_quota(cgroup)
    affinity = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def cgroup_quota(cgroup: Path) -> float | None:
    """Cores by quota, of the unified hierarchy or the older one; None: not limited, or not known.

    Inside a container the own group is the root that one sees, so no path has to be searched.
    """
    for pair in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((cgroup / name).read_text() for name in pair).split()
            quota, period = float(words[0]), float(words[1])
        except (OSError, ValueError, IndexError):
            continue
        if quota > 0 and period > 0:
            return quota / period
    return None
