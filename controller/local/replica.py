"""One replica as the reconciler wants it, and as it is: the words between it and this backend.

`ProcessSpec` says everything about a process that can be said before it starts; two that are equal
ask for the same process. `ProcessState` says all that is known of it since. Plain values: nothing
here starts, waits or reads a clock, and nothing knows InferenceServices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType


class Phase(StrEnum):
    PENDING = "Pending"  # nothing runs yet: it waits for a GPU or for its environment
    STARTING = "Starting"  # it runs, and was not ready so far
    READY = "Ready"
    NOT_READY = "NotReady"  # it was ready, or is being ended to start again
    BACKOFF = "Backoff"  # it ended, and starts again
    FAILED = "Failed"  # it cannot run as it is written; only another spec helps
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class Reason(StrEnum):
    """Kubernetes' words, where it has one."""

    PREPARING = "Preparing"
    INSUFFICIENT_GPU = "InsufficientGPU"
    UNSUPPORTED = "Unsupported"
    UNREADY = "Unready"  # the readiness probe fails
    CRASH_LOOP = "CrashLoopBackOff"
    PORT_TAKEN = "PortTaken"  # by somebody else, between choice and bind
    # why a process ended
    COMPLETED = "Completed"  # status 0, though it should have gone on
    ERROR = "Error"
    CANNOT_START = "StartError"
    OOM_KILLED = "OOMKilled"
    UNHEALTHY = "Unhealthy"  # ended by us: its liveness or startup probe failed
    REPLACED = "Replaced"  # ended by us: another spec
    STOPPED = "Stopped"  # ended by us: no longer wanted


@dataclass(frozen=True, slots=True)
class Port:
    """As the container declares it; the process gets a free one for it."""

    number: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class HttpGet:
    port: int  # as declared, or a real one of this machine
    path: str = "/"
    tls: bool = False  # certificates are not verified, as the kubelet does not
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpSocket:
    port: int


@dataclass(frozen=True, slots=True)
class Exec:
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grpc:
    """The standard health service."""

    port: int
    service: str = ""


Ask = HttpGet | TcpSocket | Exec | Grpc


@dataclass(frozen=True, slots=True)
class Probe:
    """Kubernetes' meaning and defaults."""

    ask: Ask
    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    successes: int = 1  # in a row, before what failed is good
    failures: int = 3  # in a row, before what was good has failed
    grace_s: float | None = None  # of the end that a failure brings; None: the replica's


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """`$(NAME)` in words and values is filled in at the start: variables and chosen ports."""

    argv: tuple[str, ...]
    folder: Path  # to run in; made if it is not there
    env: tuple[tuple[str, str], ...] = ()  # beside what is inherited
    ports: tuple[Port, ...] = ()  # the first is the one to call, but for gRPC (`called`)
    grpc: bool = False
    packages: tuple[str, ...] | None = None  # of a Python environment; None: it needs none
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    memory_bytes: int | None = None
    cpus: float | None = None
    gpus: int = 0
    grace_s: float = 30.0

    @property
    def called(self) -> Port:
        """Where calls go: of gRPC, to the port whose name says so, as for Kubernetes."""
        named = (p for p in self.ports if (p.name or "").startswith(("grpc", "h2c", "http2")))
        return next(named, self.ports[0]) if self.grpc else self.ports[0]


@dataclass(frozen=True, slots=True)
class End:
    """How the life before this one ended. Times are seconds since the epoch."""

    reason: Reason
    message: str
    exit_code: int | None  # as Kubernetes tells it: 128 and the signal. None: it never ran
    signal: str | None = None
    last_lines: tuple[str, ...] = ()
    started: float | None = None
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class ProcessState:
    phase: Phase
    since: float  # seconds since the epoch
    reason: str = ""
    message: str = ""
    pid: int | None = None
    ports: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    gpus: tuple[str, ...] = ()  # UUIDs
    restarts: int = 0
    last_end: End | None = None

    @property
    def ready(self) -> bool:
        return self.phase is Phase.READY
