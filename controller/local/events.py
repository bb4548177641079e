"""The words between the lifecycle of a replica, which decides, and the shell that carries it out:
what happened, and what is to be done. Values only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from controller.local.replica import Probe, ProcessSpec


class Kind(Enum):
    STARTUP = auto()
    LIVENESS = auto()
    READINESS = auto()

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Apply:
    spec: ProcessSpec


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Wake:
    """It is the time that `Lifecycle.wake_at` named, or a GPU was freed."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """This life cannot have its GPUs; Gone follows."""

    message: str


@dataclass(frozen=True, slots=True)
class Preparing:
    message: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """This spec can never run here; Gone follows."""

    message: str


@dataclass(frozen=True, slots=True)
class Started:
    pid: int
    ports: Mapping[int, int]
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    kind: Kind
    good: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OverMemory:
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Exited:
    """Or it could not be started: then there is no status. Gone follows."""

    status: int | None  # negative for a signal
    message: str
    signal: str | None = None
    last_lines: tuple[str, ...] = ()
    oom: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing of the life is left. `taken`: of its ports, those that somebody else has now."""

    taken: tuple[int, ...] = ()


Event = (
    Apply
    | Stop
    | Wake
    | Lacking
    | Preparing
    | Unsupported
    | Started
    | Answered
    | OverMemory
    | Exited
    | Gone
)


@dataclass(frozen=True, slots=True)
class Begin:
    """A life of this spec."""

    spec: ProcessSpec


@dataclass(frozen=True, slots=True)
class Cancel:
    """The preparation."""


@dataclass(frozen=True, slots=True)
class Terminate:
    pass


@dataclass(frozen=True, slots=True)
class Kill:
    pass


@dataclass(frozen=True, slots=True)
class Look:
    kind: Kind
    probe: Probe


Action = Begin | Cancel | Terminate | Kill | Look
