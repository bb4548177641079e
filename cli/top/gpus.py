"""What the servers of graphway use of this machine's GPUs, as NVIDIA's driver tells it.

A process belongs to a replica by the mark that all of ours carry, and by the folder that each
replica works in: `work/NAMESPACE/SERVICE/UNIT-NUMBER`. Where there is no driver, or no library to
ask it by, there are none.
"""

from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from cli.top.rows import GpuUse, Unit
from controller.local.leftovers import MARK


def gpu_uses() -> dict[Unit, GpuUse] | None:
    """None: there is no GPU here."""
    try:
        nvml = import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # the library is not there, or no driver answers
        return None
    try:
        return _uses(nvml)
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()


def _uses(nvml: Any) -> dict[Unit, GpuUse]:
    memory: dict[Unit, int] = defaultdict(int)
    percent: dict[Unit, float] = defaultdict(float)
    for index in range(nvml.nvmlDeviceGetCount()):
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        busy = nvml.nvmlDeviceGetUtilizationRates(device).gpu
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(device):
            unit = unit_of(process.pid)
            if unit is not None:
                memory[unit] += process.usedGpuMemory or 0
                percent[unit] = max(percent[unit], busy)
    return {unit: GpuUse(memory[unit], percent[unit]) for unit in memory}


def unit_of(pid: int) -> Unit | None:
    """Whose replica this process is of; None for a stranger's."""
    try:
        process = psutil.Process(pid)
        for each in (process, *process.parents()):
            if MARK not in each.environ():
                return None
            *_, above, namespace, service, replica = ("", "", "", "", *Path(each.cwd()).parts)
            if above == "work":
                return namespace, service, replica.rpartition("-")[0]
    except psutil.Error:  # gone, or another user's
        pass
    return None
