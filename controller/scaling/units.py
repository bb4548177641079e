"""Units as the scaler sees them: what a unit declares -> its policy, and which revision it is.

Between whoever runs units and the scaler, which knows neither. What is asked for in one look at a
service is what it is made of; what was not asked for has gone.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from controller.scaling.declared import policy_of
from controller.scaling.knobs import KNATIVE, Knobs
from controller.scaling.policy import Policy
from controller.scaling.scaler import Key, Scaled, Scaler
from controller.workload import Component


class Unit(Protocol):
    """One component of a service, under a name of its own within it."""

    @property
    def name(self) -> str: ...

    @property
    def component(self) -> Component: ...


def policy_of_component(component: Component, config: Knobs = KNATIVE) -> Policy:
    resources = component.container.resources
    requests = resources.requests if resources is not None else {}
    limits = resources.limits if resources is not None else {}
    return policy_of(
        component.declared,
        ("spec", component.role.value),
        component.annotations,
        {**limits, **requests},  # what has a limit and no request requests that
        config,
    )


class UnitScale:
    """`ready`: how many replicas of a service's unit are; `config`: as it is now."""

    def __init__(
        self,
        scaler: Scaler,
        ready: Callable[[str, str], int],
        config: Callable[[], Knobs] = lambda: KNATIVE,
    ) -> None:
        self._scaler = scaler
        self._ready = ready
        self._config = config
        self._units: dict[str, dict[Key, str]] = {}  # by service, as asked for since `told`
        self._unit_of: dict[Key, tuple[str, str]] = {}

    def replicas(self, service: str, revision: str, unit: Unit) -> int:
        """`service` and `revision`: as which its calls are counted. One that is no revision of its
        own is counted as a service, by the names of service and unit.
        """
        owner = service if revision else service.removesuffix(f"-{unit.name}")
        key = service, revision
        self._units.setdefault(owner, {})[key] = unit.name
        self._unit_of[key] = owner, unit.name
        return self._scaler.replicas(
            service,
            revision,
            policy_of_component(unit.component, self._config()),
            ready=self._ready(owner, unit.name),
            owner=owner,
        )

    def told(self, service: str) -> Mapping[Key, Scaled]:
        """What was asked for since the last time; the rest is forgotten."""
        asked = self._units.pop(service, {})
        self._scaler.forget(service, but=asked.keys())
        for key in [k for k, (owner, _) in self._unit_of.items() if owner == service]:
            if key not in asked:
                del self._unit_of[key]
        return self._scaler.decisions(service)

    def unit_of(self, key: Key) -> tuple[str, str] | None:
        return self._unit_of.get(key)

    def forget(self, service: str) -> None:
        self._units.pop(service, None)
        self.told(service)
