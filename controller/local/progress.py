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

    def loading(self, key: str, done_bytes: int, total_bytes: int | None) -> None:
        """Its model comes; how much it is in all may be unknown."""

    def output(self, key: str, line: str) -> None: ...


class Silent:
    def phase(self, key: str, phase: Phase, detail: str) -> None:
        pass

    def loading(self, key: str, done_bytes: int, total_bytes: int | None) -> None:
        pass

    def output(self, key: str, line: str) -> None:
        pass
