"""The model caches of this machine, brought a step nearer to what they say; asked again until
nothing is left.

One look at all of them, since they share the room: observe the store and the disk, decide, carry
out, tell. Downloads run beside it and have it look again. What is not decided yet is not fetched:
a service whose model a cache keeps waits for a look that has seen it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from controller.modelcache.decide import Decision, Lying, Situation, Wanted, decide, spare
from controller.modelcache.known import (
    CACHES,
    GROUP,
    NODE,
    SERVICE,
    Known,
    counts,
    known,
    services_by_cache,
)
from controller.modelcache.models import Models, by_service
from controller.modelcache.rules import Placed, User
from controller.modelcache.teller import Teller
from controller.queue import Queue
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.quantities import number
from controller.storage.fetch import Fetcher
from controller.storage.outcome import FetchFailed
from controller.storage.request import Request
from controller.storage.shelf import clear, scan
from controller.storage.threads import in_thread
from controller.store.changes import Change, ChangeType
from controller.store.metadata import is_going
from controller.store.refs import Json, Ref
from controller.store.store import Store

log = logging.getLogger("graphway.modelcache")

LOOK_S = 60.0  # KServe's node agent: reconcilationFrequencyInSecs
AT_ONCE = 2  # downloads that nobody waits for; each has many connections

_OPENERS = ("Secret", "ServiceAccount", "ConfigMap", "StorageContainer", "ClusterStorageContainer")
_WATCHED = (*_OPENERS, *(each.name for each in (SERVICE, GROUP, NODE, *CACHES)))
_ALL = ""  # the one key of the queue
_ELSEWHERE = "another Graphway"


@dataclass(slots=True)
class _Failure:
    message: str
    tries: int
    again_at: float


@dataclass(slots=True)
class _Look:
    """What one look has found."""

    known: Known
    requests: Mapping[str, Request] = field(default_factory=dict)  # of caches that are to be kept
    users: Mapping[str, tuple[User, ...]] = field(default_factory=dict)  # of caches
    situation: Situation = Situation()  # noqa: RUF009 - frozen


class Keeper:
    """`wish`: what fetches a cache's model, or what is wrong with it. `limit`: of all models.
    `pause_s`: before which try of a download.
    """

    def __init__(
        self,
        store: Store,
        models: Models,
        wish: Callable[[AnyLocalModelCache], Request | str],
        fetcher: Fetcher,
        *,
        node: str,
        limit: int | None = None,
        pause_s: Callable[[int], float],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._models = models
        self._wish = wish
        self._fetcher = fetcher
        self._node = node
        self._limit = limit
        self._retry_s = pause_s
        self._clock = clock
        self._teller = Teller(store, node)
        self._queue: Queue[str] = Queue(self._look, self._failed, at_once=1)
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failures: dict[str, _Failure] = {}
        self._elsewhere: set[str] = set()  # models that another process did not let go
        self._refused: Mapping[str, str] = {}
        self._asked = self._seen = 0
        self._looked = asyncio.Condition()
        self._something_came = False  # or was let go of: only then somebody may have to go
        self._tick_at = 0.0
        models.changed, models.admitted = self._on_models, self._admitted

    async def run(self) -> None:
        """Until cancelled."""
        self._tick_at = self._clock() + LOOK_S
        unsubscribe = self._store.changes.subscribe(self._on_change)
        try:
            await in_thread(clear, self._models.shelf, time.time())
            self._queue.add(_ALL)
            async with asyncio.TaskGroup() as self._tasks:
                await self._queue.run()
        finally:
            unsubscribe()
            self._models.close()

    def look_again(self) -> None:
        self._queue.add(_ALL)

    async def settled(self) -> None:
        """Until there is nothing to look at; downloads may still run."""
        await self._queue.settled()

    def _on_change(self, change: Change) -> None:
        name = change.ref.kind.name
        if name in _OPENERS:
            for failure in self._failures.values():
                failure.again_at = 0
        changed = change.type is not ChangeType.MODIFIED or counts(change.before) != counts(
            change.object
        )
        if changed and name in _WATCHED:
            self._queue.add(_ALL)

    def _on_models(self) -> None:
        self._something_came = True
        self._queue.add(_ALL)

    async def _admitted(self, model: str) -> str | None:
        """Why there is no room for it; else once there is."""
        if not any(self._store.list(each).items for each in CACHES):
            return None
        self._asked += 1
        mine = self._asked
        self._queue.add(_ALL)
        async with self._looked:
            await self._looked.wait_for(lambda: self._seen >= mine)
        return self._refused.get(model)

    def _failed(self, _key: str, bug: Exception, pause_s: float) -> None:
        log.error("model caches: a look failed, again in %.1f s", pause_s, exc_info=bug)

    # One look

    async def _look(self, _key: str) -> float | None:
        asked = self._asked
        lying = {}
        if self._limit is not None or any(self._store.list(k).items for k in (*CACHES, GROUP)):
            copies = await in_thread(scan, self._models.shelf)
            lying = {c.name: Lying(c.size_bytes, c.used_at, c.here) for c in copies}
        self._tick()
        # From here to the first wait nothing changes in the store.
        seen = self._observe(lying)
        decision = decide(seen.situation)
        acted = await self._carry_out(seen, decision)
        self._refused = decision.refused
        async with self._looked:
            self._seen = asked
            self._looked.notify_all()
        if acted:
            self._queue.add(_ALL)  # what became of it is told then
            return None
        self._teller.tell(seen.known, seen.users, decision, self._clock())
        for name, cache in seen.known.going.items():
            await self._let_go(name, cache, seen, decision)
        return self._pause_s()

    def _tick(self) -> None:
        if self._clock() >= self._tick_at:
            self._tick_at = self._clock() + LOOK_S
            self._models.used_now()
            self._elsewhere.clear()
            self._something_came = True

    def _pause_s(self) -> float:
        """To the next try that is due. One that is due already finds no room, and waits for it."""
        now = self._clock()
        dates = [failure.again_at for failure in self._failures.values()]
        return min([self._tick_at, *(at for at in dates if at > now)]) - now

    def _observe(self, lying: Mapping[str, Lying]) -> _Look:
        caches = known(self._store, self._node)
        users = services_by_cache(self._store, caches)
        requests: dict[str, Request] = {}
        wanted: list[Wanted] = []
        in_use = {m: list(by) for m, by in by_service(self._models.users()).items()}
        for name, placed in caches.placed.items():
            found = self._wanted(name, placed, caches.live[name], requests)
            wanted.append(found)
            active = [user.key for user in users.get(name, ()) if user.active]
            if found.model is not None and active:
                in_use.setdefault(found.model, []).extend(active)
        for model in self._elsewhere:
            in_use.setdefault(model, []).append(_ELSEWHERE)
        situation = Situation(
            tuple(wanted),
            {name: _bytes(caches.groups[name].spec.storage_limit) for name in caches.here},
            lying,
            {model: tuple(dict.fromkeys(by)) for model, by in in_use.items()},
            frozenset(self._loading),
            {model: failure.message for model, failure in self._failures.items()},
        )
        return _Look(caches, requests, users, situation)

    def _wanted(
        self, name: str, placed: Placed, live: Json, requests: dict[str, Request]
    ) -> Wanted:
        cache, problem, model = placed.cache, placed.problem, None
        if not problem:
            match self._wish(cache):
                case str(problem):
                    pass
                case request:
                    fault = self._fault_in_place(request)
                    problem = fault or ""
                    if fault is None:
                        requests[name], model = request, request.target.name
        return Wanted(
            name, model, placed.group, _bytes(cache.spec.model_size), _made_at(live), problem
        )

    def _fault_in_place(self, request: Request) -> str | None:
        """None: it is not used in place."""
        match self._fetcher.in_place(request):
            case FetchFailed(message=message):
                return message
            case Path() as path:
                return "" if path.exists() else f"there is nothing at {path}; put the model there"
        return None

    # What is to be done

    async def _carry_out(self, seen: _Look, decision: Decision) -> bool:
        """Whether anything was, so that things are other than they seemed."""
        acted = False
        lying = seen.situation.lying
        for model in [model for model in self._loading if model not in decision.keep]:
            await self._stop(model)
            acted = True
        for model in decision.evict:
            acted = True
            if await self._models.evict(model, remember=True):
                for name, request in seen.requests.items():
                    if request.target.name == model:
                        self._teller.evicted(seen.known.live[name])
            else:
                self._elsewhere.add(model)
        if self._something_came and self._limit is not None:
            self._something_came = False
            users = seen.situation.users
            for model in spare(lying, decision.keep, users, self._limit):
                if await self._models.evict(model):
                    acted = True
                    log.info("model %s is evicted: nobody uses it", model)
        await self._models.keep(decision.keep)
        requests = {request.target.name: request for request in seen.requests.values()}
        for model in decision.fetch:
            failure = self._failures.get(model)
            due = failure is None or failure.again_at <= self._clock()
            if due and model not in self._loading:
                task = self._tasks.create_task(self._load(model, requests[model]))
                self._loading[model] = task
                acted = True
        wanted = {request.target.name for request in seen.requests.values()}
        self._failures = {m: f for m, f in self._failures.items() if m in wanted}
        return acted

    async def _load(self, model: str, request: Request) -> None:
        try:
            async with self._slots:
                found = await self._models.prefetch(request)
            if isinstance(found, FetchFailed):
                tries = 1 + (self._failures[model].tries if model in self._failures else 0)
                again_at = self._clock() + self._retry_s(tries + 1)
                self._failures[model] = _Failure(found.message, tries, again_at)
            else:
                self._failures.pop(model, None)
                self._something_came = True
        finally:
            if self._loading.get(model) is asyncio.current_task():
                del self._loading[model]
            self._queue.add(_ALL)

    async def _stop(self, model: str) -> None:
        task = self._loading.pop(model)
        task.cancel()  # it may not even have begun
        await asyncio.wait((task,))

    async def _let_go(
        self, name: str, cache: AnyLocalModelCache, seen: _Look, decision: Decision
    ) -> None:
        """Of a cache that is deleted, with its model if nobody else wants it."""
        request = self._wish(cache)
        if isinstance(request, Request) and self._fetcher.in_place(request) is None:
            model = request.target.name
            if any(self._is_ending(user) for user in seen.situation.users.get(model, ())):
                return  # whoever uses it will have ended soon, and then it can go
            if model not in decision.keep:
                await self._models.evict(model)
        self._teller.let_go(seen.known.live[name])

    def _is_ending(self, service: str) -> bool:
        if service == _ELSEWHERE:
            return False
        namespace, _, name = service.partition("/")
        live = self._store.find(Ref(SERVICE, namespace, name))
        return live is None or is_going(live)


def _bytes(quantity: int | float | str) -> int:
    return int(number(quantity))


def _made_at(live: Json) -> float:
    return datetime.fromisoformat(live["metadata"]["creationTimestamp"]).timestamp()
