"""What services carry now, read from the counters of all workers.

Whoever decides how many replicas a service has asks several times a second, so only the series that
matter are read. A revision is `(service, revision)`: `namespace/name` and the name that the
endpoint table gives it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from router.counters import Labels, Ledger
from router.series import (
    REPLICA_IN_FLIGHT,
    SERVICE_HELD,
    SERVICE_IN_FLIGHT,
    SERVICE_REQUESTS,
)


@dataclass(slots=True)
class ServiceLoad:
    """Of one revision. The totals only grow, also when a worker dies."""

    in_flight: int = 0  # with a replica, or on the way there
    held: int = 0  # waiting for a replica
    requests: int = 0  # that have ended, so far
    errors: int = 0  # of these: answers with 5xx, and failures


def service_loads(ledger: Ledger) -> dict[tuple[str, str], ServiceLoad]:
    loads: dict[tuple[str, str], ServiceLoad] = {}

    def of(labels: Labels) -> ServiceLoad:
        by_name = dict(labels)
        return loads.setdefault((by_name["service"], by_name["revision"]), ServiceLoad())

    for labels, number in ledger.named(SERVICE_IN_FLIGHT).items():
        of(labels).in_flight += number
    for labels, number in ledger.named(SERVICE_HELD).items():
        of(labels).held += number
    for labels, number in ledger.named(SERVICE_REQUESTS).items():
        load = of(labels)
        load.requests += number
        if is_error(dict(labels)["code"]):
            load.errors += number
    return loads


def in_flight(ledger: Ledger, origins: Collection[str]) -> int:
    """Calls that replicas at these origins still work on."""
    return sum(
        number
        for labels, number in ledger.named(REPLICA_IN_FLIGHT).items()
        if dict(labels)["target"] in origins
    )


def is_error(code: str) -> bool:
    """A status, or the kind of a failure; a caller that left is no error of the service."""
    return code >= "500" if code.isdecimal() else code != "cancelled"
