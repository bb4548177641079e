"""TrainedModels brought to the servers of many that they name, and kept there.

It gets keys, never events: a model is looked at when it changes, when its service or one of the
servers does, and once a minute, for servers that forgot it. Each look compares what is wanted with
what every server holds. What takes long (fetching, loading) happens within the look, so that two of
one model never meet; other models go on meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from controller.backend import Backend
from controller.conditions import is_true
from controller.observe import Replica
from controller.queue import Queue
from controller.resources.inferenceservice import serves_many
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.metadata import is_going
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.trainedmodels.carrier import RESYNC_S, Carrier, Supply
from controller.trainedmodels.decide import decide
from controller.trainedmodels.facts import (
    digest_of,
    key_of,
    let_go,
    marked,
    ref_of,
    said_of,
    service_of,
    wish_of,
)
from controller.trainedmodels.known import Known
from controller.trainedmodels.lives import Life, components, limit_bytes
from controller.trainedmodels.tell import (
    LOAD_FAILED,
    LOADED,
    MEMORY,
    NO_MEMORY,
    Parent,
    Servers,
    status,
)
from controller.view import SERVICE, TRAINED_MODEL, View
from controller.workload import Component

log = logging.getLogger("graphway.controller")

Key = tuple[str, str]  # kind, namespace/name


@dataclass(frozen=True, slots=True)
class _Failed:
    """What could not be done, and when it is tried again."""

    number: int  # in a row
    digest: str
    lives: frozenset[Life]
    servers: Servers
    again_at: float

    def stands(self, digest: str, lives: frozenset[Life], now: float) -> bool:
        """Of the same model and no server that has not been tried: asking at once is no use."""
        return digest == self.digest and lives <= self.lives and now < self.again_at


class TrainedModels:
    """`changed` is told of a service whose servers may have become ready for calls."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        view: View,
        backend: Backend,
        supply: Supply,
        clock: Callable[[], float],
        changed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._view = view
        self._backend = backend
        self._supply = supply
        self._clock = clock
        self._queue: Queue[Key] = Queue(self._look, self._failed)
        self._carrier = Carrier(supply, backend.observe, changed)
        self._failures: dict[str, _Failed] = {}  # by key
        self._known = Known()

    def begin(self) -> None:
        """Before the first look at anything; from here on it is told of every change."""
        self._known.begin(self._store.list(TRAINED_MODEL).items)

    async def run(self) -> None:
        """Until cancelled."""
        async with self._carrier.running():
            for live in self._store.list(TRAINED_MODEL).items:
                self._queue.add((TRAINED_MODEL.name, key_of(live)))
            await self._queue.run()

    async def settled(self) -> None:
        await self._queue.settled()

    # When to look again

    def look_at_service(self, key: str) -> None:
        """It, or one of its servers, has changed."""
        models = self._known.of(key)
        if models or self._carrier.knows(key):
            self._queue.add((SERVICE.name, key))
        for live in models:
            self._queue.add((TRAINED_MODEL.name, key_of(live)))

    def on_change(self, change: Change) -> None:
        """Of a TrainedModel. Only what its author said matters: the status is written here."""
        live = change.object
        if change.type is ChangeType.DELETED:
            self._known.drop(live)
        else:
            self._known.take(live)
        before = change.before if change.type is ChangeType.MODIFIED else None
        if before is not None and said_of(before) == said_of(live):
            return
        if is_going(live) or (before is not None and wish_of(before) != wish_of(live)):
            self._carrier.interrupt(key_of(live))
        if change.type is ChangeType.DELETED:
            self._look_at_refused(service_of(live))
        elif before is not None and service_of(before) != service_of(live):
            self._queue.add((SERVICE.name, service_of(before)))
            self._look_at_refused(service_of(before))
        self._queue.add((TRAINED_MODEL.name, key_of(live)))

    def _look_at_refused(self, service: str) -> None:
        """There may be room now."""
        for live in self._known.of(service):
            if not is_true(live.get("status") or {}, MEMORY):
                self._queue.add((TRAINED_MODEL.name, key_of(live)))

    async def _look(self, key: Key) -> float | None:
        which, name = key
        if which == SERVICE.name:
            await self._tidy(name)
            return None
        return await self._reconcile(name)

    def _failed(self, key: Key, bug: Exception, pause_s: float) -> None:
        log.error("%s %s: failed, again in %.1f s", *key, pause_s, exc_info=bug)
        if key[0] == TRAINED_MODEL.name and (live := self._find(key[1])) is not None:
            with suppress(ApiError):
                message = f"{type(bug).__name__}: {bug}"
                self._recorder.record(live, "InternalError", message, warning=True)

    # One model

    async def _reconcile(self, key: str) -> float | None:
        live = self._find(key)
        if live is None:
            self._failures.pop(key, None)
            return None
        name, service = live["metadata"]["name"], service_of(live)
        if is_going(live):
            await self._carrier.take_out(service, name)
            if self._find(key) is not None:
                self._store.edit(ref_of(TRAINED_MODEL, key), let_go)
            return None
        found = [*components(self._backend.observe(service))]
        parent = self._parent(service, found)
        refused = self._refused(service, found).get(name)
        live = self._mark(live, allocated=bool(found) and refused is None)
        if not parent.multi_model or refused is not None:
            await self._carrier.take_out(service, name)
            self._tell(live, parent, refused, Servers())
            return None
        if not found:  # no server is wanted now; one that comes is told of the model then
            self._tell(live, parent, None, self._carrier.servers(service, live))
            return None
        digest = digest_of(live)
        failed = self._failures.get(key)
        lives = frozenset(self._carrier.lives(service))
        if failed is not None and failed.stands(digest, lives, _now_s()):
            self._tell(live, parent, None, failed.servers)
            return failed.again_at - _now_s()
        if not is_true(live.get("status") or {}) and failed is None:
            doing = "" if self._carrier.is_placed(service, live) else "its files are on their way"
            self._tell(
                live, parent, None, replace(self._carrier.servers(service, live), doing=doing)
            )
        failure = await self._carrier.place(service, live, found[0])
        if failure is not None:
            servers = Servers(failures={"storage": failure})
            self._tell(live, parent, None, servers)
            return self._again(key, digest, lives, servers)
        servers = await self._carrier.load(service, live)
        newest = self._find(key)
        if newest is not None and not is_going(newest) and wish_of(newest) == wish_of(live):
            found = [*components(self._backend.observe(service))]
            self._tell(newest, self._parent(service, found), None, servers)
        if servers.failures:
            return self._again(key, digest, lives, servers)
        self._failures.pop(key, None)
        return RESYNC_S

    def _again(self, key: str, digest: str, lives: frozenset[Life], servers: Servers) -> float:
        before = self._failures.get(key)
        number = before.number + 1 if before is not None and before.digest == digest else 1
        pause_s = self._supply.pause_s(number)
        self._failures[key] = _Failed(number, digest, lives, servers, _now_s() + pause_s)
        return pause_s

    # One service

    async def _tidy(self, service: str) -> None:
        """Nothing stays that no TrainedModel wants."""
        if self._store.find(ref_of(SERVICE, service)) is None:
            await self._carrier.forget(service)
            return
        wanted = {live["metadata"]["name"] for live in self._known.of(service)}
        held = {name for life in self._carrier.lives(service) for name in life.tried}
        for name in (held | self._carrier.placed(service).keys()) - wanted:
            await self._carrier.take_out(service, name)

    def admits(self, service: str, replica: Replica) -> bool:
        """Whether calls may come to this server; see `gate`."""
        life = self._carrier.life(service, replica)
        if life is None or life.admitted:
            return True
        placed = self._carrier.placed(service)
        refused = self._refused(service, [*components(self._backend.observe(service))])
        life.admitted = all(
            life.tried.get(name) == digest
            for live in self._known.of(service)
            if (name := live["metadata"]["name"]) not in refused
            and placed.get(name) == (digest := digest_of(live))
        )
        return life.admitted

    def _refused(self, service: str, found: list[Component]) -> dict[str, str]:
        wanted = self._known.models(service)
        return dict(decide(wanted, {}, limit_bytes(found)).refused)

    def _parent(self, service: str, found: list[Component]) -> Parent:
        live = self._store.find(ref_of(SERVICE, service))
        if live is None:
            return Parent()
        said = live.get("status") or {}
        declared = self._view.service(live)
        many = not isinstance(declared, list) and serves_many(declared.resource.spec.predictor)
        protocol = found[0].many if found else None
        address = (said.get("address") or {}).get("url")
        return Parent(True, is_true(said), many, protocol or "v2", said.get("url"), address)

    # What is written

    def _mark(self, live: Json, *, allocated: bool) -> Json:
        if marked(live, allocated=allocated) == live:
            return live
        ref = Ref.of(TRAINED_MODEL, live)
        return self._store.edit(ref, lambda found: marked(found, allocated=allocated))

    def _tell(self, live: Json, parent: Parent, refused: str | None, servers: Servers) -> None:
        """Of the object as it was looked at; its status may have been written since."""
        metadata, ref = live["metadata"], Ref.of(TRAINED_MODEL, live)
        found = self._store.find(ref)
        if found is None:
            return
        before: Json = found.get("status") or {}
        name, now = metadata["name"], self._clock()
        after = status(name, metadata["generation"], parent, refused, servers, before, now)
        if after == before:
            return
        self._store.replace_status(ref, after)
        for kind, reason in ((MEMORY, NO_MEMORY), (LOADED, LOAD_FAILED)):
            told = _told(after, kind, reason)
            if told and told != _told(before, kind, reason):
                self._recorder.record(live, reason, told, warning=True)
        if is_true(after) and not is_true(before):
            self._recorder.record(live, "ModelReady", f"TrainedModel {name} is ready")

    # What is known

    def _find(self, key: str) -> Json | None:
        return self._store.find(ref_of(TRAINED_MODEL, key))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _told(said: Json, kind: str, reason: str) -> str:
    found = (c for c in said.get("conditions") or () if c["type"] == kind)
    return next((c.get("message", "") for c in found if c.get("reason") == reason), "")
