"""What the local backend tells whoever watches: where each service stands, and what it prints."""

from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    PREPARING = "preparing"  # making the environment
    LOADING = "loading"  # its model is on its way
    STARTING = "starting"  # the process runs, its probe has not answered yet
    READY = "ready"
    UNREADY = "unready"  # was ready; the probe fails now
    CRASHED = "crashed"  # ended, starts again after a pause
    STOPPED = "stopped"


class ProgressSink(Protocol):
    def phase(self, key: str, phase: Phase, detail: str) -> None: ...

    def output(self, key: str, line: str) -> None: ...


class Silent:
    def phase(self, key: str, phase: Phase, detail: str) -> None:
        pass

    def output(self, key: str, line: str) -> None:
        pass
