"""A backend whose servers of many are not ready before they hold their models again.

A server that starts, or starts again, answers at once and knows no model: its callers would meet a
404. Here it stays Starting for all others until each model has been loaded into it, or refused by
it. Models that come later do not take its readiness away.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.observe import Observed, Phase, Replica, Running

if TYPE_CHECKING:
    from controller.backend import Backend
else:
    Backend = object

Admits = Callable[[str, Replica], bool]


class Gated:
    """Only what is observed differs."""

    def __init__(self, backend: "Backend", admits: Admits) -> None:
        self._backend = backend
        self._admits = admits
        self.apply = backend.apply
        self.end = backend.end
        self.services = backend.services
        self.try_again = backend.try_again
        self.host = backend.host

    def observe(self, service: str) -> Observed:
        observed = self._backend.observe(service)
        return {key: self._running(service, running) for key, running in observed.items()}

    def _running(self, service: str, running: Running) -> Running:
        if running.unit is None or running.unit.component.many is None:
            return running
        replicas = tuple(
            _loading(each) if each.ready and not self._admits(service, each) else each
            for each in running.replicas
        )
        return replace(running, replicas=replicas)


def _loading(replica: Replica) -> Replica:
    return replace(
        replica,
        phase=Phase.STARTING,
        reason="LoadingModels",
        message="its models are being loaded",
        address=None,
    )
