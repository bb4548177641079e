"""What replicas on this machine use of CPU and memory: for whoever scales by that.

A replica is a session of processes, as in `memory`. CPU is what was used since the look before, so
a replica is known from its second look on. What a process has waited for of its children counts,
too: a replica whose work is done by short-lived ones would seem idle.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import psutil

from controller.local.memory import members
from controller.local.replica import ProcessState
from controller.scaling.resources import Use
from controller.scaling.scaler import Key


@dataclass(frozen=True, slots=True)
class _Look:
    session: int
    at: float
    cpu_s: float


class Meter:
    """`look` tells what the processes of each session have used so far: CPU seconds, bytes."""

    def __init__(
        self,
        look: Callable[[Mapping[str, int]], Mapping[str, tuple[float, int]]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = used_so_far if look is None else look
        self._clock = clock
        self._before: dict[str, _Look] = {}

    async def uses(self, sessions: Mapping[str, int]) -> dict[str, Use]:
        """Of those (by the replica's key) that were there at the look before, too."""
        used = await asyncio.to_thread(self._look, sessions)
        now, found = self._clock(), {}
        looks = {key: _Look(sessions[key], now, cpu_s) for key, (cpu_s, _) in used.items()}
        for key, look in looks.items():
            before = self._before.get(key)
            if before is not None and before.session == look.session and before.at < now:
                # A child whose parent is gone takes what it has used with it.
                cores = max(look.cpu_s - before.cpu_s, 0.0) / (now - before.at)
                found[key] = Use(cores, float(used[key][1]))
        self._before = looks
        return found


class UnitUsage:
    """Of the replicas that are ready, by what is scaled. `states`: of all replicas, by key
    (`namespace/service/unit-0`); `unit_of`: the service and unit that a scaled revision is.
    """

    def __init__(
        self,
        states: Callable[[], Mapping[str, ProcessState]],
        unit_of: Callable[[Key], tuple[str, str] | None],
        meter: Meter | None = None,
    ) -> None:
        self._states = states
        self._unit_of = unit_of
        self._meter = Meter() if meter is None else meter

    async def __call__(self, keys: Collection[Key]) -> Mapping[Key, Sequence[Use]]:
        units = {key: unit for key in keys if (unit := self._unit_of(key)) is not None}
        wanted = {f"{service}/{unit}" for service, unit in units.values()}
        sessions = {
            replica: state.pid
            for replica, state in self._states().items()
            if state.ready and state.pid and replica.rpartition("-")[0] in wanted
        }
        uses: dict[str, list[Use]] = {}
        for replica, use in (await self._meter.uses(sessions)).items():
            uses.setdefault(replica.rpartition("-")[0], []).append(use)
        return {key: uses.get("/".join(unit), []) for key, unit in units.items()}


def used_so_far(sessions: Mapping[str, int]) -> dict[str, tuple[float, int]]:
    """CPU seconds and resident bytes, by key; nothing of a session that is gone."""
    processes = members(sessions.values())
    found = {}
    for key, session in sessions.items():
        if pids := processes[session]:
            each = [_used(pid) for pid in pids]
            found[key] = (sum(cpu_s for cpu_s, _ in each), sum(held for _, held in each))
    return found


def _used(pid: int) -> tuple[float, int]:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times, held = process.cpu_times(), int(process.memory_info().rss)
    except psutil.Error:
        return 0.0, 0
    own = times.user + times.system
    return own + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0), held
