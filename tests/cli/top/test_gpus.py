"""Whose processes compute on which GPU, as NVIDIA's library tells it, which is played here."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.top.gpus import gpu_uses, unit_of
from cli.top.rows import GpuUse
from controller.local.leftovers import MARK

WAIT = "import sys; print('up', flush=True); sys.stdin.read()"
# It starts another one, elsewhere, as servers do with their workers.
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAIT!r}], cwd='/')"
IRIS = ("default", "iris", "predictor-00001")


class NVMLError(Exception):
    pass


class Library:
    """`devices`: how busy each is, and who computes there with how many bytes."""

    NVMLError = NVMLError

    def __init__(self, devices: list[tuple[int, dict[int, int | None]]], failing: str = "") -> None:
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

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=self._devices[handle][0])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        found = self._devices[handle][1].items()
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in found]

    def _fail(self, call: str) -> None:
        if call == self._failing:
            raise NVMLError("Driver Not Loaded")


@contextmanager
def server(folder: Path, program: str = WAIT, mark: str = "run.1") -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | ({MARK: mark} if mark else {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    try:
        yield process.pid
    finally:
        process.communicate()


def played(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)


def test_memory_is_added_up_and_the_busiest_device_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work = tmp_path / "work/default/iris"
    with server(work / "predictor-00001-0") as one, server(work / "predictor-00001-1") as other:
        library = Library([(30, {one: 5, os.getpid(): 70}), (80, {one: 2, other: None})])
        played(monkeypatch, library)
        assert gpu_uses() == {IRIS: GpuUse(7, 80)}
    assert library.open == 0


@pytest.mark.parametrize("failing", ["init", "count"])
def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    library = Library([], failing)
    played(monkeypatch, library)
    assert gpu_uses() is None
    assert library.open == 0


def test_without_the_library_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, None)
    assert gpu_uses() is None


def test_a_worker_of_a_server_is_its_replica_s(tmp_path: Path) -> None:
    import psutil

    with server(tmp_path / "work/default/iris/predictor-00001-0", PARENT) as pid:
        (child,) = psutil.Process(pid).children()
        assert unit_of(child.pid) == IRIS


@pytest.mark.parametrize(
    ("folder", "mark"),
    [("work/default/iris/predictor-00001-0", ""), ("elsewhere/default/iris/predictor-0", "run.1")],
    ids=["without our mark", "in another folder"],
)
def test_strangers_are_nobody_s(tmp_path: Path, folder: str, mark: str) -> None:
    with server(tmp_path / folder, mark=mark) as pid:
        assert unit_of(pid) is None


def test_who_has_ended_is_nobody_s() -> None:
    assert unit_of(2**22 + 1) is None
