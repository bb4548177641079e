"""What each server of many is known to hold, for as long as its process lives. No I/O.

A server that starts again holds nothing, so what is known belongs to a life: a replica at an
address, since a restart. Of a life that is over nothing is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from controller.observe import Observed, Replica
from controller.resources.quantities import number
from controller.workload import Component


@dataclass(slots=True, eq=False)
class Life:
    """`held`: digests by name. `tried`: the digest that was loaded last, with what became of it."""

    replica: str
    address: str
    restarts: int
    held: dict[str, str] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)  # when the server was asked last
    admitted: bool = False  # calls may come

    def has(self, name: str, digest: str) -> bool:
        return self.held.get(name) == digest

    def forget(self, name: str) -> None:
        for known in (self.held, self.tried, self.failures, self.asked_at):
            known.pop(name, None)


class Lives:
    """Of one service."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], Life] = {}

    def of(self, replica: Replica) -> Life | None:
        """None while it does not answer."""
        if not replica.ready or not replica.address:
            return None
        key = (replica.name, replica.address, replica.restarts)
        if key not in self._known:
            self._known[key] = Life(*key)
        return self._known[key]

    def now(self, observed: Observed) -> list[Life]:
        """Those that answer. One that is only not ready keeps what is known of it."""
        replicas = list(_replicas(observed))
        there = {(r.name, r.restarts) for r in replicas}
        self._known = {k: v for k, v in self._known.items() if (k[0], k[2]) in there}
        return [life for replica in replicas if (life := self.of(replica)) is not None]


def components(observed: Observed) -> Iterator[Component]:
    """Of the servers of many."""
    for running in observed.values():
        if running.unit is not None and running.unit.component.many is not None:
            yield running.unit.component


def limit_bytes(found: Iterable[Component]) -> int | None:
    """Of the smallest; None if they have no limit."""
    limits = [
        int(number(resources.limits["memory"]))
        for component in found
        if (resources := component.container.resources) is not None and "memory" in resources.limits
    ]
    return min(limits, default=None)


def _replicas(observed: Observed) -> Iterator[Replica]:
    for running in observed.values():
        if running.unit is not None and running.unit.component.many is not None:
            yield from running.replicas
