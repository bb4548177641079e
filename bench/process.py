"""A process under measurement: started on given cores, its output read and thrown away, ended with
all it started.

Output goes through a pipe, as under a container runtime or systemd, so that the cost of writing an
access log to a reader is in the figures; only the tail is kept, to say why a start failed.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.machine import CannotMeasure, process_tree

PROJECT = Path(__file__).parent.parent
TAIL_BYTES = 2048
START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 10.0


class Process:
    def __init__(self, name: str, argv: Sequence[str], cores: frozenset[int]) -> None:
        self.name = name
        read_end, write_end = os.pipe()
        # A session of its own: a terminal's Ctrl-C reaches only us, and what is left at the end is
        # ended as one group.
        self._popen = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, sorted(cores))), *argv],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(write_end)
        self._tail = b""
        self._reader = threading.Thread(target=self._discard, args=(read_end,), daemon=True)
        self._reader.start()

    def tree(self) -> list[int]:
        return process_tree(self._popen.pid)

    def wait_ready(self, url: str) -> None:
        """Poll until the URL answers 2xx."""
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            if self._popen.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, data=b"{}", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise CannotMeasure(f"{self.name} did not become ready at {url}; it said:\n{self.tail()}")

    def tail(self) -> str:
        return self._tail.decode(errors="replace").strip() or "(nothing)"

    def stop(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(STOP_DEADLINE_S)

    def _discard(self, read_end: int) -> None:
        with open(read_end, "rb", buffering=0) as output:
            while chunk := output.read(65_536):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]


@contextlib.contextmanager
def running(
    name: str, argv: Sequence[str], cores: frozenset[int], ready_url: str
) -> Iterator[Process]:
    """Ready when the URL answers; without one its callers wait for it themselves."""
    process = None
    try:
        with uninterrupted():
            process = Process(name, argv, cores)
        if ready_url:
            process.wait_ready(ready_url)
        yield process
    finally:
        if process:
            with uninterrupted():
                process.stop()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the end: between the birth of a process and the moment when
    somebody is bound to end it, they would leave it behind.
    """
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
