"""How many replicas a unit has: what the reconciler asks of whoever scales."""

from collections.abc import Mapping
from typing import Protocol

from controller.desired import Unit
from controller.scaling.scaler import Key, Scaled


class Scale(Protocol):
    def replicas(self, service: str, revision: str, unit: Unit) -> int:
        """Now. `service` and `revision`: as which the router counts the calls to this unit."""

    def bounds(self, unit: Unit) -> tuple[int, int]:
        """How many there are at least, and at most."""

    def told(self, service: str) -> Mapping[Key, Scaled]:
        """How what was asked for since the last time is scaled; the rest is forgotten."""

    def forget(self, service: str) -> None:
        """The service is gone."""


class Fixed:
    """As many as the manifest says at least, and one of what may be none."""

    def replicas(self, service: str, revision: str, unit: Unit) -> int:
        return unit.replicas

    def bounds(self, unit: Unit) -> tuple[int, int]:
        return unit.replicas, unit.replicas

    def told(self, service: str) -> Mapping[Key, Scaled]:
        return {}

    def forget(self, service: str) -> None:
        pass


FIXED = Fixed()
