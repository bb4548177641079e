"""The backend of one machine, as the reconciler knows it: units made of fetched models and
processes.

What a unit does stands in `unit`, what a process does in `backend`; here they are kept by service
and component, and whatever changes about one is reported by the name of its service.
"""

from collections.abc import Collection

from controller.desired import Unit
from controller.local.replica import ProcessState
from controller.local.unit import Around, LocalUnit
from controller.observe import NOTHING, Observed
from controller.workload import Role


class LocalUnits:
    def __init__(self, around: Around) -> None:
        self._around = around
        self._units: dict[str, dict[str, LocalUnit]] = {}  # by service, then by name
        self._hosts: dict[tuple[str, str], str] = {}
        around.backend.subscribe(self._on_state)

    def apply(self, service: str, unit: Unit) -> None:
        of_service = self._units.setdefault(service, {})
        if (known := of_service.get(unit.name)) is not None:
            known.apply(unit)
        else:
            of_service[unit.name] = LocalUnit(service, unit, self._around)

    def end(self, service: str, name: str) -> None:
        if (known := self._units.get(service, {}).get(name)) is not None:
            known.end()
            self._forget(service)

    def observe(self, service: str) -> Observed:
        of_service = self._units.get(service)
        if not of_service:
            return NOTHING
        states = self._around.backend.states()
        observed = {name: unit.observe(states) for name, unit in of_service.items()}
        order = [*Role]
        return dict(sorted(observed.items(), key=lambda item: order.index(item[1].role)))

    def services(self) -> Collection[str]:
        return tuple(self._units)

    def host(self, service: str, name: str) -> str | None:
        running = self.observe(service).get(name)
        hosts = [address.partition("://")[2] for address in running.addresses] if running else []
        if hosts and self._hosts.get((service, name)) not in hosts:
            self._hosts[service, name] = hosts[0]
        return self._hosts.get((service, name))

    def try_again(self, service: str) -> None:
        for unit in self._units.get(service, {}).values():
            unit.try_again()

    def _on_state(self, key: str, state: ProcessState) -> None:
        service = key.rpartition("/")[0]
        if key not in self._around.backend.states():
            for unit in self._units.get(service, {}).values():
                unit.stopped(key)
        self._forget(service)
        self._around.changed(service)

    def _forget(self, service: str) -> None:
        of_service = self._units.get(service, {})
        for name in [name for name, unit in of_service.items() if unit.done]:
            del of_service[name]
            self._hosts.pop((service, name), None)
            self._around.models.release(f"{service}/{name}")
        if not of_service:
            self._units.pop(service, None)
