"""The shell of scaling: it measures, asks the pure part for decisions, and remembers them.

Whoever runs replicas asks how many a revision shall have, and hears when that changes; what it does
about it is not known here. Clock, sleep, the numbers of calls and what replicas use come in, so
that all of it runs on virtual time. Calls are sampled often and decided upon once a second, as long
as a burst may wait; a call that finds no replica is decided upon at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from controller.scaling.decide import Decision, Mode, begin, by_requests, rebound
from controller.scaling.policy import ByRequests, ByResources, Policy
from controller.scaling.resources import Use, by_resources
from controller.scaling.window import Window

Key = tuple[str, str]  # service (namespace/name) and revision, as the router counts their calls
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]

SAMPLE_S = 0.25
RESOURCES_S = 15.0


class Load(Protocol):
    """Of one revision."""

    @property
    def in_flight(self) -> int: ...

    @property
    def held(self) -> int:
        """Waiting for a replica; not among those in flight."""

    @property
    def requests(self) -> int:
        """All that have ended so far."""


Loads = Callable[[], Mapping[Key, Load]]
Usage = Callable[[Collection[Key]], Awaitable[Mapping[Key, Sequence[Use]]]]


@dataclass(frozen=True, slots=True)
class Scaled:
    """A revision as it is scaled now."""

    policy: Policy
    decision: Decision
    ready: int


@dataclass(slots=True)
class _Entry:
    owner: str
    policy: Policy
    decision: Decision
    ready: int | None = None  # None: nobody told, so that all are taken for ready
    window: Window = field(default_factory=lambda: Window(0))
    held: int = 0

    @property
    def ready_now(self) -> int:
        return self.decision.replicas if self.ready is None else self.ready


async def nothing_used(keys: Collection[Key]) -> Mapping[Key, Sequence[Use]]:
    return {}


class Scaler:
    """`changed` is called with the owner of a revision for which another number was decided;
    `resumed` tells what a run before this one had decided, of owner and revision.
    """

    def __init__(
        self,
        loads: Loads,
        changed: Callable[[str], None],
        *,
        clock: Clock,
        usage: Usage = nothing_used,
        sleep: Sleep = asyncio.sleep,
        resumed: Callable[[str, Key], int | None] = lambda _owner, _key: None,
    ) -> None:
        self._loads = loads
        self._changed = changed
        self._clock = clock
        self._usage = usage
        self._sleep = sleep
        self._resumed = resumed
        self._entries: dict[Key, _Entry] = {}

    def replicas(
        self,
        service: str,
        revision: str,
        policy: Policy,
        *,
        ready: int | None = None,
        owner: str | None = None,
    ) -> int:
        """How many it shall have now. `ready`: of those that it has; `owner`: the InferenceService,
        where the router counts the calls under another name.
        """
        key = service, revision
        entry = self._entries.get(key)
        if entry is None:
            owner = service if owner is None else owner
            first = begin(policy, self._clock(), self._resumed(owner, key))
            entry = self._entries[key] = _Entry(owner, policy, first, window=_window(policy))
        elif entry.policy != policy:
            entry.decision = rebound(policy, entry.decision, self._clock())
            if _span(policy) != _span(entry.policy):
                entry.window = _window(policy)
            entry.policy = policy
        entry.ready = ready
        return entry.decision.replicas

    def waiting(self, service: str) -> None:
        """A call to it waits for a replica: it does not wait for the next look, too."""
        asleep = {
            key: entry
            for key, entry in self._entries.items()
            if key[0] == service and not entry.decision.replicas
        }
        if not asleep:
            return
        loads = self._loads()
        called = {key for key in asleep if key in loads and loads[key].held}
        for key in called or asleep:  # nobody knows which, if the call has gone again
            entry = asleep[key]
            entry.held = loads[key].held if key in called else 1
            self._decide(entry)

    def forget(self, service: str, but: Collection[Key] = ()) -> None:
        """All revisions of this owner, but these."""
        for key in [key for key, entry in self._entries.items() if entry.owner == service]:
            if key not in but:
                del self._entries[key]

    def decisions(self, service: str) -> Mapping[Key, Scaled]:
        """Of all revisions of this owner."""
        return {
            key: Scaled(entry.policy, entry.decision, entry.ready_now)
            for key, entry in self._entries.items()
            if entry.owner == service
        }

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_calls())
            tasks.create_task(self._watch_resources())

    async def _watch_calls(self) -> None:
        second = int(self._clock())
        while True:
            entries = {
                key: entry
                for key, entry in self._entries.items()
                if isinstance(entry.policy.by, ByRequests) and _is_free(entry.policy)
            }
            if entries:
                self._sample(entries)
            if second != int(self._clock()):
                second = int(self._clock())
                for entry in entries.values():
                    self._decide(entry)
            await self._sleep(SAMPLE_S)

    def _sample(self, entries: Mapping[Key, _Entry]) -> None:
        loads, now = self._loads(), self._clock()
        for key, entry in entries.items():
            load = loads.get(key)
            if load is None:  # nobody has called it yet
                entry.window.sample(now, 0, 0)
                continue
            entry.held = load.held
            entry.window.sample(now, load.in_flight + load.held, load.requests)

    def _decide(self, entry: _Entry) -> None:
        by, now = entry.policy.by, self._clock()
        if not isinstance(by, ByRequests):
            return
        load = entry.window.load(by.metric, by.stable_s, by.panic_s, now)
        decision = by_requests(
            entry.policy, by, load, entry.held, entry.ready_now, entry.decision, now
        )
        self._take(entry, decision)

    async def _watch_resources(self) -> None:
        while True:
            await self._sleep(RESOURCES_S)
            keys = [
                key
                for key, entry in self._entries.items()
                if isinstance(entry.policy.by, ByResources) and _is_free(entry.policy)
            ]
            if not keys:
                continue
            used = await self._usage(keys)
            for key in keys:
                entry = self._entries.get(key)  # some may have gone meanwhile
                if entry is not None and isinstance(entry.policy.by, ByResources):
                    by, found = entry.policy.by, used.get(key, ())
                    decision = by_resources(entry.policy, by, found, entry.decision, self._clock())
                    self._take(entry, decision)

    def _take(self, entry: _Entry, decision: Decision) -> None:
        before, entry.decision = entry.decision, decision
        if _told(before) != _told(decision):
            self._changed(entry.owner)


def _is_free(policy: Policy) -> bool:
    """Most services have one replica whatever happens, and are not measured for that."""
    return policy.least < policy.most


def _told(decision: Decision) -> tuple[int, Mode, bool]:
    return decision.replicas, decision.mode, decision.capped


def _span(policy: Policy) -> int:
    return policy.by.stable_s if isinstance(policy.by, ByRequests) else 0


def _window(policy: Policy) -> Window:
    return Window(_span(policy))
