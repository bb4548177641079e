"""What runs of a service, as a backend sees it: the words between backends and status. Values only.

A backend runs units: a predictor, a transformer, an explainer, each as some replicas. How a replica
is made (a process here, a pod on a cluster) stays with the backend; here it has a phase.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from controller.desired import Unit
from controller.workload import Role


class Phase(StrEnum):
    PENDING = "Pending"  # nothing runs yet: it waits for a device, or for its environment
    LOADING = "Loading"  # its model is on its way
    STARTING = "Starting"  # it runs, and was not ready so far
    READY = "Ready"
    NOT_READY = "NotReady"  # it was ready
    FAILED = "Failed"  # it ended, or its model cannot be had; most are tried again
    STOPPING = "Stopping"


@dataclass(frozen=True, slots=True)
class Failure:
    """The last one, also of a replica that has come back since."""

    reason: str
    message: str
    exit_code: int | None
    at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Replica:
    name: str  # iris-predictor-0
    phase: Phase
    since: float
    reason: str = ""
    message: str = ""
    address: str | None = None  # while it is ready; an origin: http://127.0.0.1:20001
    restarts: int = 0
    failure: Failure | None = None

    @property
    def ready(self) -> bool:
        return self.phase is Phase.READY


@dataclass(frozen=True, slots=True)
class Running:
    """One unit, as it was applied, and what became of it. `unit` is None once it is to end."""

    role: Role
    unit: Unit | None
    replicas: tuple[Replica, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(r.address for r in self.replicas if r.ready and r.address)

    @property
    def ready(self) -> int:
        return sum(replica.ready for replica in self.replicas)

    @property
    def available(self) -> bool:
        """Enough of its replicas are ready: of those that it has at least, and as with a Deployment
        a quarter may be away. Those that a load has asked for beyond that may come when they come.
        """
        return self.unit is not None and self.suffices_for(self.unit)

    def suffices_for(self, unit: Unit) -> bool:
        """The same, as that unit says it, which may not have been applied yet."""
        least = max(1, unit.component.declared.min_replicas or 1)
        number = min(unit.replicas, least)
        return self.ready >= number - number // 4


Observed = Mapping[str, Running]  # by the names of units, in the order of roles

NOTHING: Observed = MappingProxyType({})
