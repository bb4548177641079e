"""One unit on this machine: its model is brought, then its replicas run as processes.

What it shall be may change at any time; the work then begins anew from where things stand. A
replica that is to end or to become another one is first withdrawn from its callers. What cannot be
done now is tried again after a pause.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.desired import Unit
from controller.local.backend import LocalBackend
from controller.local.backoff import Backoff
from controller.local.replica import Phase as ProcessPhase
from controller.local.replica import ProcessSpec, ProcessState, Reason
from controller.modelcache.models import Models
from controller.observe import Failure, Phase, Replica, Running
from controller.storage.outcome import FetchFailed
from controller.storage.request import Request
from controller.workload import Mount
from graph.problems import Problem

log = logging.getLogger("graphway.local")

_AS_ASKED = (Reason.STOPPED, Reason.REPLACED)  # ends that are no failures

_PHASES = {
    ProcessPhase.PENDING: Phase.PENDING,
    ProcessPhase.STARTING: Phase.STARTING,
    ProcessPhase.READY: Phase.READY,
    ProcessPhase.NOT_READY: Phase.NOT_READY,
    ProcessPhase.BACKOFF: Phase.FAILED,
    ProcessPhase.FAILED: Phase.FAILED,
    ProcessPhase.STOPPING: Phase.STOPPING,
    ProcessPhase.STOPPED: Phase.STOPPING,
}


@dataclass(frozen=True, slots=True)
class Around:
    """What all units share. `process` turns a unit with its models into a process, or says why not;
    `drained` returns once nobody is sent to these addresses any more, and what was on its way has
    ended or has had so many seconds.
    """

    backend: LocalBackend
    models: Models
    backoff: Backoff
    drain_s: float  # for calls on their way to a replica that is to end
    wish: Callable[[str, Unit, Mount], Request | str]
    process: Callable[[str, str, Unit, Mapping[str, Path]], ProcessSpec | list[Problem]]
    drained: Callable[[Collection[str], float], Awaitable[object]]
    changed: Callable[[str], None]
    on_loading: Callable[[str, int, int | None], None]  # bytes so far, and in all
    on_failed: Callable[[str, str], None]
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    clock: Callable[[], float]


Content = tuple[Any, ...]  # what a replica is made of


class LocalUnit:
    def __init__(self, service: str, unit: Unit, around: Around) -> None:
        self.unit: Unit | None = unit
        self._service = service
        self._name = unit.name
        self._role = unit.role
        self._around = around
        self._applied: dict[str, ProcessSpec] = {}
        self._made_of: dict[str, Content] = {}  # the same replicas
        self._withdrawn: set[str] = set()
        self._preparing: Replica | None = None
        self._fetching = False
        self._fetched: tuple[tuple[Mount, ...], dict[str, Path]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._poked = asyncio.Event()
        self._begin()

    @property
    def done(self) -> bool:
        return self.unit is None and not self._applied

    def apply(self, unit: Unit) -> None:
        before, self.unit = self.unit, unit
        if before == unit:
            return
        if (
            before is not None
            and self._fetching
            and replace(before, replicas=unit.replicas) == unit
        ):
            return  # their number is asked for once the model is there
        self._begin()

    def end(self) -> None:
        if self.unit is not None:
            self.unit = None
            self._begin()

    def try_again(self) -> None:
        """What it waits for may be there now."""
        self._poked.set()

    def stopped(self, key: str) -> None:
        """The backend has forgotten it."""
        self._applied.pop(key, None)
        self._made_of.pop(key, None)

    def owns(self, key: str) -> bool:
        return key in self._applied

    def observe(self, states: Mapping[str, ProcessState]) -> Running:
        replicas = [
            self._replica(key, states[key], spec)
            for key, spec in self._applied.items()
            if key in states
        ]
        if self._preparing is not None:
            replicas.append(self._preparing)
        return Running(self._role, self.unit, tuple(replicas))

    def _replica(self, key: str, state: ProcessState, spec: ProcessSpec) -> Replica:
        phase = _PHASES[state.phase]
        if phase is Phase.READY and key in self._withdrawn:
            phase = Phase.STOPPING
        end = state.last_end
        failure = None
        if end is not None and end.reason not in _AS_ASKED:
            said = " / ".join(end.last_lines[-3:])
            message = f"{end.message} [{said}]" if len(end.last_lines) > 1 else end.message
            failure = Failure(end.reason, message, end.exit_code, end.ended)
        elif state.phase is ProcessPhase.FAILED:
            failure = Failure(state.reason, state.message, None, state.since)
        address = _address(state, spec) if phase is Phase.READY else None
        return Replica(
            _name(key),
            phase,
            state.since,
            state.reason,
            state.message,
            address,
            state.restarts,
            failure,
        )

    def _begin(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._around.spawn(self._work())

    async def _work(self) -> None:
        """Until everything stands as it should; who changes that begins anew."""
        tries = 0
        self._withdrawn.clear()
        while self.unit is not None:
            try:
                specs = await self._prepared(self.unit)
            except Exception as bug:  # of one service, which must not end the others
                log.exception("%s: its %s cannot be prepared", self._service, self._name)
                specs = f"this is a bug in Graphway: {type(bug).__name__}: {bug}"
            if not isinstance(specs, str):
                self._preparing = None
                await self._stand(specs)
                break
            tries += 1
            pause_s = self._around.backoff.pause_s(tries + 1)
            self._tell(Phase.FAILED, "ModelLoadFailed", specs)
            self._around.on_failed(self._service, f"{specs}; again in {pause_s:.0f} s")
            await self._pause(pause_s)
        else:
            self._preparing = None
            await self._make_room({})
        self._withdrawn.clear()
        self._around.changed(self._service)

    async def _stand(self, specs: Mapping[str, ProcessSpec]) -> None:
        """Who is new starts at once; who has to become another one is drained before."""
        for key in specs.keys() - self._applied.keys():
            self._apply(key, specs[key])
        self._around.changed(self._service)
        await self._make_room(specs)
        for key, spec in specs.items():
            self._apply(key, spec)

    def _apply(self, key: str, spec: ProcessSpec) -> None:
        if self.unit is not None:
            self._made_of[key] = _content(self.unit), self._fetched
        self._applied[key] = spec
        self._around.backend.apply(key, spec)

    async def _make_room(self, specs: Mapping[str, ProcessSpec]) -> None:
        """Whoever shall be something else, or nothing, is withdrawn; who is not wanted ends."""
        other = {key for key, spec in self._applied.items() if specs.get(key) != spec}
        if not other:
            return
        states = self._around.backend.states()
        called = {
            key: address
            for key in other
            if key in states and (address := _called_at(states[key], self._applied[key]))
        }
        for key in other - called.keys() - specs.keys():
            self._around.backend.stop(key)  # nobody calls it
        if called:
            self._withdrawn |= called.keys()
            self._around.changed(self._service)
            await self._around.drained(called.values(), self._around.drain_s)
        for key in called.keys() - specs.keys():
            self._around.backend.stop(key)

    async def _prepared(self, unit: Unit) -> dict[str, ProcessSpec] | str:
        """By replica; or why it cannot be."""
        self._fetching = True
        try:
            mounts = await self._mounts(unit)
        finally:
            self._fetching = False
        if isinstance(mounts, str):
            return mounts
        unit = self.unit or unit  # another number of replicas may be wanted by now
        specs: dict[str, ProcessSpec] = {}
        standing = self._standing(unit)
        for number in range(unit.replicas):
            key = f"{self._service}/{self._name}-{number}"
            if key in standing:
                specs[key] = self._applied[key]
                continue
            made = self._around.process(self._service, key, unit, mounts)
            if isinstance(made, list):
                return "; ".join(problem.message for problem in made)
            specs[key] = made
        return specs

    def _standing(self, unit: Unit) -> set[str]:
        """Who is ready stays as it is while its content does, as a pod whose Secret was edited: it
        would be no reason to end all replicas when one more is wanted.
        """
        content, states = (_content(unit), self._fetched), self._around.backend.states()
        return {
            key
            for key, made_of in self._made_of.items()
            if made_of == content and key in states and states[key].ready
        }

    async def _mounts(self, unit: Unit) -> dict[str, Path] | str:
        """One more replica needs what the others have, wherever that came from."""
        if self._fetched is not None and self._fetched[0] == unit.component.mounts:
            known = self._fetched[1]
            if all([await asyncio.to_thread(path.exists) for path in known.values()]):
                return known
        mounts: dict[str, Path] = {}
        for mount in unit.component.mounts:
            wish = self._around.wish(self._service, unit, mount)
            if isinstance(wish, str):
                return wish
            if not self._applied:  # else it stays what it is while more replicas come
                self._tell(Phase.LOADING, "Loading", "its model is on its way")
            fetched = await self._around.models.fetch(
                wish, self._progress, user=f"{self._service}/{self._name}"
            )
            if isinstance(fetched, FetchFailed):
                return fetched.message
            mounts[mount.path] = fetched.path
        self._fetched = unit.component.mounts, mounts
        return mounts

    async def _pause(self, seconds: float) -> None:
        self._poked.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._poked.wait()
        except TimeoutError:
            pass

    def _progress(self, done: int, total: int | None) -> None:
        self._around.on_loading(self._service, done, total)

    def _tell(self, phase: Phase, reason: str, message: str) -> None:
        now = self._around.clock()
        before = self._preparing
        failure = before.failure if before is not None else None
        if phase is Phase.FAILED:
            same = failure is not None and failure.message == message
            failure = failure if same else Failure(reason, message, None, now)
        name = _name(f"{self._service}/{self._name}-0")
        told = Replica(name, phase, now, reason, message, failure=failure)
        if before is None or replace(told, since=before.since) != before:
            self._preparing = told
            self._around.changed(self._service)


def _content(unit: Unit) -> Content:
    """What its processes are made of; not how many there are, or how they are called."""
    component = unit.component
    return component.pod, component.called, component.many, component.mounts, unit.packages


def _address(state: ProcessState, spec: ProcessSpec) -> str | None:
    return _called_at(state, spec) if state.phase is ProcessPhase.READY else None


def _called_at(state: ProcessState, spec: ProcessSpec) -> str | None:
    """Where calls are on their way; also to one that has just become too busy to be ready."""
    if state.phase not in (ProcessPhase.READY, ProcessPhase.NOT_READY) or not spec.ports:
        return None
    scheme = "grpc" if spec.grpc else "http"
    return f"{scheme}://127.0.0.1:{state.ports[spec.called.number]}"


def _name(key: str) -> str:
    """As a pod would be called: iris-predictor-00001-0."""
    _, service, replica = key.split("/")
    return f"{service}-{replica}"
