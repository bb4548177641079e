"""A backend that runs nothing: what it is told is written down, what is observed a test decides."""

from collections.abc import Collection
from dataclasses import dataclass, field

from controller.desired import Unit
from controller.observe import Failure, Observed, Phase, Replica, Running
from controller.workload import Role

CRASH = Failure("Error", "it ended with status 3", 3, 1.0)


@dataclass
class _Kept:
    role: Role
    unit: Unit | None
    phase: Phase = Phase.STARTING
    reason: str = ""
    address: str = ""


@dataclass
class Scripted:
    calls: list[str] = field(default_factory=list)
    # So many replicas of a unit at most are ready; the others start.
    most_of: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, _Kept] = field(default_factory=dict)  # of one service, by unit
    _port: int = 20_000

    # For tests

    def becomes(self, role: Role, phase: Phase, reason: str = "") -> None:
        """The newest unit of that role."""
        name = [name for name, each in self._kept.items() if each.role is role][-1]
        self._becomes(self._kept[name], phase, reason)

    def is_ready(self, name: str) -> None:
        self._becomes(self._kept[name], Phase.READY)

    def _becomes(self, kept: _Kept, phase: Phase, reason: str = "") -> None:
        kept.phase, kept.reason = phase, reason
        if phase is Phase.READY and not kept.address:
            self._port += 1
            kept.address = f"http://127.0.0.1:{self._port}"

    def gone(self) -> None:
        """What was told to end has ended."""
        self._kept = {name: kept for name, kept in self._kept.items() if kept.unit is not None}

    # For the reconciler

    def apply(self, service: str, unit: Unit) -> None:
        self.calls.append(f"apply {unit.role}")
        if (kept := self._kept.get(unit.name)) is not None:
            kept.unit = unit
        else:
            self._kept[unit.name] = _Kept(unit.role, unit)

    def end(self, service: str, name: str) -> None:
        kept = self._kept[name]
        self.calls.append(f"end {kept.role}")
        kept.unit, kept.phase = None, Phase.STOPPING

    def observe(self, service: str) -> Observed:
        order = sorted(self._kept.items(), key=lambda item: [*Role].index(item[1].role))
        return {name: self._running(name, kept) for name, kept in order}

    def services(self) -> Collection[str]:
        return ("default/iris",) if self._kept else ()

    def try_again(self, service: str) -> None:
        self.calls.append("try again")

    def host(self, service: str, name: str) -> str | None:
        kept = self._kept.get(name)
        return kept.address.partition("://")[2] or None if kept is not None else None

    def _running(self, name: str, kept: _Kept) -> Running:
        number = kept.unit.replicas if kept.unit is not None else 1
        most = self.most_of.get(name, number)
        failure = CRASH if kept.phase is Phase.FAILED else None
        replicas = tuple(
            Replica(
                f"iris-{name}-{at}",
                kept.phase if at < most else Phase.STARTING,
                1.0,
                kept.reason,
                address=kept.address if kept.phase is Phase.READY and at < most else None,
                failure=failure,
            )
            for at in range(number)
        )
        return Running(kept.role, kept.unit, replicas)
