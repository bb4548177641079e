"""The inventory as NVIDIA's library tells it, which is played here."""

import os
from types import SimpleNamespace

import pytest

from controller.local import nvml
from controller.local.gpus import Device, NoDevices


class NVMLError(Exception):
    pass


class Library:
    """`devices`: name, pids that compute, MIG mode (None: it cannot)."""

    NVMLError = NVMLError
    NVML_DEVICE_MIG_ENABLE = 1

    def __init__(
        self, devices: list[tuple[str | bytes, list[int], int | None]], failing: str = ""
    ) -> None:
        self._devices = devices
        self._failing = failing
        self.open = 0

    def nvmlInit(self) -> None:
        self._fail("init")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        self._fail("count")
        return len(self._devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:
        return self._devices[handle][0]

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=pid) for pid in self._devices[handle][1]]

    def nvmlDeviceGetMigMode(self, handle: int) -> tuple[int, int]:
        mode = self._devices[handle][2]
        if mode is None:
            raise NVMLError("Not Supported")
        return mode, mode

    def _fail(self, call: str) -> None:
        if call == self._failing:
            raise NVMLError("Driver Not Loaded")


def asked(monkeypatch: pytest.MonkeyPatch, library: Library) -> list[Device] | NoDevices:
    monkeypatch.setattr(nvml, "pynvml", library)
    found = nvml.NvmlInventory().devices()
    assert library.open == 0
    return found if isinstance(found, NoDevices) else list(found)


def test_devices_and_who_computes_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = 2**22 + 1  # beyond the highest that Linux gives
    library = Library([("H200", [], 0), (b"T4", [os.getpid(), gone], None), ("A100", [], 1)])
    first, second, third = asked(monkeypatch, library)  # type: ignore[misc]
    assert first == Device("GPU-0", "H200", 0)
    assert (second.name, second.index) == ("T4", 1)
    assert f"(process {os.getpid()})" in second.users[0]
    assert second.users[1] == f"process {gone}"
    assert third.users == ("MIG, which splits it: whole devices alone are given",)


@pytest.mark.parametrize("call", ["init", "count"])
def test_without_a_driver_there_are_none_and_the_reason(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    found = asked(monkeypatch, Library([], failing=call))
    assert isinstance(found, NoDevices)
    assert "Driver Not Loaded" in found.message


def test_the_real_library_answers_in_any_case() -> None:
    """On a machine with GPUs there are devices with UUIDs; on others a reason."""
    found = nvml.NvmlInventory().devices()
    if isinstance(found, NoDevices):
        assert "NVIDIA driver" in found.message
    else:
        assert all(device.uuid.startswith("GPU-") for device in found)
