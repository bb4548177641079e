"""What the reconciler asks of whoever runs units: processes here, Kubernetes objects on a cluster.

Calls say what is wanted and return at once; how it goes is observed. A backend drains what it ends:
nobody is sent to a replica that is about to stop.
"""

from collections.abc import Collection
from typing import Protocol

from controller.desired import Unit
from controller.observe import Observed


class Backend(Protocol):
    """Services go by `namespace/name`."""

    def apply(self, service: str, unit: Unit) -> None:
        """As it should be; the same again changes nothing."""

    def end(self, service: str, name: str) -> None:
        """That unit is no longer wanted. It is observed until nothing of it is left."""

    def observe(self, service: str) -> Observed:
        """In the order of roles."""

    def services(self) -> Collection[str]:
        """Of which something runs."""

    def try_again(self, service: str) -> None:
        """Something that it may wait for has changed: a Secret, say."""

    def host(self, service: str, name: str) -> str | None:
        """Where a replica of that unit is called, as HOST:PORT; None while nobody knows. Stays the
        same as long as it can.
        """
