"""Units as the scaler sees them: what a unit declares -> its policy, and which revision it is.

Between whoever runs units and the scaler, which knows neither. What is asked for in one look at a
service is what it is made of; what was not asked for has gone.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from controller.endpoints import inner_key
from controller.resources.credentials import ConfigMap
from controller.scaling.declared import policy_of
from controller.scaling.knobs import CONFIG_MAP, KNATIVE, Knobs, configured
from controller.scaling.policy import Policy
from controller.scaling.scaler import Key, Scaled, Scaler
from controller.workload import Component

log = logging.getLogger("graphway.controller")


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


class Configuration:
    """What the ConfigMap says now, in whatever namespace it is; what it says wrong is logged."""

    def __init__(self, config_maps: Callable[[], Iterable[ConfigMap]]) -> None:
        self._config_maps = config_maps
        self._data: Mapping[str, str] = {}
        self._knobs = KNATIVE

    def __call__(self) -> Knobs:
        named = (each for each in self._config_maps() if each.metadata.name == CONFIG_MAP)
        found = next(named, None)
        data = found.data if found is not None else {}
        if data != self._data:
            self._data = data
            self._knobs, faults = configured(data)
            for key, fault in faults.items():
                log.warning("ConfigMap %s, %s: %s", CONFIG_MAP, key, fault)
        return self._knobs


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
        owner = service if revision else service.removesuffix(inner_key("", unit.name))
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

    def bounds(self, unit: Unit) -> tuple[int, int]:
        """How many there are at least, and at most."""
        policy = policy_of_component(unit.component, self._config())
        return policy.least, policy.most

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
