"""The inventory of NVIDIA GPUs, asked of their driver through NVML."""

from collections.abc import Sequence

import psutil
import pynvml  # type: ignore[import-untyped]

from controller.local.gpus import Device, NoDevices


class NvmlInventory:
    def devices(self) -> Sequence[Device] | NoDevices:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            return NoDevices(f"no NVIDIA driver answers on this machine ({error})")
        try:
            found = [_device(index) for index in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            return NoDevices(f"the NVIDIA driver cannot list its devices ({error})")
        finally:
            pynvml.nvmlShutdown()
        return found


def _device(index: int) -> Device:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name = _text(pynvml.nvmlDeviceGetName(handle))
    users = [_program(p.pid) for p in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
    if _is_split(handle):
        users.append("MIG, which splits it: whole devices alone are given")
    return Device(_text(pynvml.nvmlDeviceGetUUID(handle)), name, index, tuple(users))


def _is_split(handle: object) -> bool:
    try:
        current, _ = pynvml.nvmlDeviceGetMigMode(handle)
    except pynvml.NVMLError:  # most devices cannot
        return False
    return bool(current == pynvml.NVML_DEVICE_MIG_ENABLE)


def _program(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:  # in another container, perhaps
        return f"process {pid}"


def _text(given: str | bytes) -> str:
    """Older drivers' bindings give bytes."""
    return given.decode() if isinstance(given, bytes) else given
