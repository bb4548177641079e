"""TrainedModels brought to the servers of many that they name, and kept there.

It gets keys, never events: a model is looked at when it changes, when its service or one of the
servers does, and once a minute, for servers that forgot it. Each look compares what is wanted with
what every server holds. What takes long (fetching, loading) happens within the look, so that two of
one model never meet; other models go on meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import aiohttp

from controller.backend import Backend
from controller.conditions import is_true
from controller.observe import Replica
from controller.queue import Queue
from controller.resources.inferenceservice import serves_many
from controller.resources.quantities import number
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.metadata import finalizers, is_going, with_finalizers
from controller.store.recorder import Recorder
from controller.store.refs import Json, Kind, Ref
from controller.store.store import Store
from controller.trainedmodels.decide import Model, decide
from controller.trainedmodels.lives import Life, Lives, components, limit_bytes
from controller.trainedmodels.repository import Repository
from controller.trainedmodels.server import Server
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

FINALIZER = "trainedmodel.finalizer"  # these three are KServe's
PARENT = "inferenceservice"
ALLOCATED = "serving.kserve.io/trainedmodel-allocated"

RESYNC_S = 60.0

Key = tuple[str, str]  # kind, namespace/name


class Supply(Protocol):
    """What a backend knows of models and servers. `load_s`: how long one may take to load."""

    load_s: float

    def pause_s(self, failures: int) -> float:
        """Before what failed so often in a row is tried again."""

    def repository(self, service: str) -> Path:
        """The folder from which its servers load."""

    async def bring(self, service: str, model: Json, component: Component) -> Path | str:
        """The model on this disk; or why it is not."""

    async def last_words(self, service: str, replica: str) -> str:
        """Of an error that it printed just now; empty if it printed none."""


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
    """`changed` is told of a service whose servers have become ready for calls."""

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
        self._changed = changed
        self._queue: Queue[Key] = Queue(self._look, self._failed)
        self._session: aiohttp.ClientSession | None = None
        self._lives: dict[str, Lives] = {}
        self._placed: dict[str, dict[str, str]] = {}  # digests by service and name
        self._failures: dict[str, _Failed] = {}  # by key
        self._bringing: dict[str, asyncio.Timeout] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def run(self) -> None:
        """Until cancelled."""
        connector = aiohttp.TCPConnector(force_close=True)  # servers come and go
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as self._session:
            for live in self._store.list(TRAINED_MODEL).items:
                self._queue.add((TRAINED_MODEL.name, _key(live)))
            await self._queue.run()

    async def settled(self) -> None:
        await self._queue.settled()

    # When to look again

    def look_at_service(self, key: str) -> None:
        """It, or one of its servers, has changed."""
        models = self._of(key)
        if models or key in self._lives or key in self._placed:
            self._queue.add((SERVICE.name, key))
        for live in models:
            self._queue.add((TRAINED_MODEL.name, _key(live)))

    def on_change(self, change: Change) -> None:
        """Of a TrainedModel. Only what its author said matters: the status is written here."""
        live = change.object
        before = change.before if change.type is ChangeType.MODIFIED else None
        if before is not None and _said(before) == _said(live):
            return
        bringing = self._bringing.get(_key(live))
        if bringing is not None and (is_going(live) or (before and _wish(before) != _wish(live))):
            bringing.reschedule(0)
        if change.type is ChangeType.DELETED:
            self._look_at_refused(_service_key(live))
        elif before is not None and _service_key(before) != _service_key(live):
            self._queue.add((SERVICE.name, _service_key(before)))
            self._look_at_refused(_service_key(before))
        self._queue.add((TRAINED_MODEL.name, _key(live)))

    def _look_at_refused(self, service: str) -> None:
        """There may be room now."""
        for live in self._of(service):
            if not is_true(live.get("status") or {}, MEMORY):
                self._queue.add((TRAINED_MODEL.name, _key(live)))

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
        name, service = live["metadata"]["name"], _service_key(live)
        if is_going(live):
            await self._take_out(service, name)
            self._release(live)
            return None
        found = [*components(self._backend.observe(service))]
        parent = self._parent(service, found)
        refused = self._refused(service, found).get(name)
        live = self._marked(live, allocated=bool(found) and refused is None)
        if not parent.multi_model or refused is not None:
            await self._take_out(service, name)
            self._tell(live, parent, refused, Servers())
            return None
        if not found:  # no server is wanted now; one that comes is told of the model then
            self._tell(live, parent, None, self._servers(service, live))
            return None
        digest = _digest(live)
        failed = self._failures.get(key)
        lives = frozenset(self._now(service))
        if failed is not None and failed.stands(digest, lives, _now_s()):
            self._tell(live, parent, None, failed.servers)
            return failed.again_at - _now_s()
        if not is_true(live.get("status") or {}) and failed is None:
            doing = "" if self._is_placed(service, live) else "its files are on their way"
            self._tell(live, parent, None, replace(self._servers(service, live), doing=doing))
        failure = await self._place(service, live, found[0])
        if failure is not None:
            servers = Servers(failures={"storage": failure})
            self._tell(live, parent, None, servers)
            return self._again(key, digest, lives, servers)
        async with self._locked(service, name), asyncio.TaskGroup() as tasks:
            for life in self._now(service):
                tasks.create_task(self._load(service, life, name, digest))
        servers = self._servers(service, live)
        if servers.total and servers.loaded == servers.total:
            await asyncio.to_thread(self._repository(service).only, name, digest)
        newest = self._find(key)
        if newest is not None and not is_going(newest) and _wish(newest) == _wish(live):
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

    async def _place(self, service: str, live: Json, component: Component) -> str | None:
        """Why it cannot be; None if its files are where servers find them."""
        name, digest, key = live["metadata"]["name"], _digest(live), _key(live)
        if self._is_placed(service, live):
            return None
        try:
            async with asyncio.timeout(None) as self._bringing[key]:
                model = await self._supply.bring(service, live, component)
        except TimeoutError:
            return "something else is wanted of it now"
        finally:
            self._bringing.pop(key, None)
        if isinstance(model, str):
            return model
        framework = live["spec"]["model"]["framework"]
        repository = self._repository(service)
        async with self._locked(service, name):
            failure = await asyncio.to_thread(repository.place, name, digest, model, framework)
            if failure is None:
                self._places(service)[name] = digest
        return failure

    async def _load(self, service: str, life: Life, name: str, digest: str) -> None:
        """A server that serves it in an older form does so until the new one is there."""
        server, now = self._server(life), _now_s()
        if life.has(name, digest):
            if now - life.asked_at[name] < RESYNC_S / 2:
                return
            if await server.is_ready(name):
                life.asked_at[name] = now
                return
        failure = await server.load(name)
        life.asked_at[name] = _now_s()
        life.tried[name] = digest
        if failure is None:
            life.held[name] = digest
            life.failures.pop(name, None)
        else:
            words = await self._supply.last_words(service, life.replica)
            failure = f"{failure}: {words}" if words else failure
            if life.held.get(name, digest) != digest and await server.is_ready(name):
                failure += "; the model before it is still served"
            else:
                life.held.pop(name, None)
            life.failures[name] = failure
        if not life.admitted:
            self._changed(service)

    async def _take_out(self, service: str, name: str) -> None:
        """Of every server, and of their folder."""
        async with self._locked(service, name):
            lives = [life for life in self._now(service) if name in life.tried]
            async with asyncio.TaskGroup() as tasks:
                for life in lives:
                    tasks.create_task(self._unload(life, name))
            if name in self._places(service):
                await asyncio.to_thread(self._repository(service).remove, name)
                self._places(service).pop(name, None)

    async def _unload(self, life: Life, name: str) -> None:
        failure = await self._server(life).unload(name)
        life.forget(name)
        if failure is not None:  # its process may just be ending; nobody is sent to it any more
            log.warning("%s: %s is not unloaded: %s", life.replica, name, failure)

    # One service

    async def _tidy(self, service: str) -> None:
        """Nothing stays that no TrainedModel wants."""
        if self._store.find(_ref(SERVICE, service)) is None:
            self._lives.pop(service, None)
            self._placed.pop(service, None)
            await asyncio.to_thread(self._repository(service).clear)
            return
        wanted = {live["metadata"]["name"] for live in self._of(service)}
        held = {name for life in self._now(service) for name in life.tried}
        for name in (held | self._places(service).keys()) - wanted:
            await self._take_out(service, name)

    def admits(self, service: str, replica: Replica) -> bool:
        """Whether calls may come to this server; see `gate`."""
        life = self._lives.setdefault(service, Lives()).of(replica)
        if life is None or life.admitted:
            return True
        placed = self._places(service)
        refused = self._refused(service, [*components(self._backend.observe(service))])
        life.admitted = all(
            life.tried.get(name) == digest
            for live in self._of(service)
            if (name := live["metadata"]["name"]) not in refused
            and placed.get(name) == (digest := _digest(live))
        )
        return life.admitted

    def _refused(self, service: str, found: list[Component]) -> dict[str, str]:
        wanted = [_model(live) for live in self._of(service)]
        return dict(decide(wanted, {}, limit_bytes(found)).refused)

    def _parent(self, service: str, found: list[Component]) -> Parent:
        live = self._store.find(_ref(SERVICE, service))
        if live is None:
            return Parent()
        said = live.get("status") or {}
        declared = self._view.service(live)
        many = not isinstance(declared, list) and serves_many(declared.resource.spec.predictor)
        protocol = found[0].many if found else None
        address = (said.get("address") or {}).get("url")
        return Parent(True, is_true(said), many, protocol or "v2", said.get("url"), address)

    def _servers(self, service: str, live: Json) -> Servers:
        name, digest = live["metadata"]["name"], _digest(live)
        lives = self._now(service)
        failures = {f.replica: f.failures[name] for f in lives if name in f.failures}
        return Servers(
            total=len(lives),
            loaded=sum(life.has(name, digest) for life in lives),
            placed=self._is_placed(service, live),
            failures=failures,
        )

    # What is written

    def _marked(self, live: Json, *, allocated: bool) -> Json:
        """Whose it is, that it is held, and that it has its place in memory."""
        metadata = live["metadata"]
        parent = live["spec"]["inferenceService"]
        labels = dict(metadata.get("labels") or {})
        kept = {key: value for key, value in labels.items() if key != ALLOCATED}
        kept[PARENT] = parent
        if allocated:
            kept[ALLOCATED] = parent
        held = finalizers(live)
        if labels == kept and FINALIZER in held:
            return live

        def marked(found: Json) -> Json:
            made = with_finalizers(found, list(dict.fromkeys((*held, FINALIZER))))
            return made | {"metadata": made["metadata"] | {"labels": kept}}

        return self._store.edit(Ref.of(TRAINED_MODEL, live), marked)

    def _release(self, live: Json) -> None:
        held = finalizers(live)
        if FINALIZER in held:
            held.remove(FINALIZER)
            self._store.edit(
                Ref.of(TRAINED_MODEL, live), lambda found: with_finalizers(found, held)
            )

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

    def _now(self, service: str) -> list[Life]:
        return self._lives.setdefault(service, Lives()).now(self._backend.observe(service))

    def _places(self, service: str) -> dict[str, str]:
        if service not in self._placed:
            self._placed[service] = self._repository(service).placed()
        return self._placed[service]

    def _is_placed(self, service: str, live: Json) -> bool:
        return self._places(service).get(live["metadata"]["name"]) == _digest(live)

    def _repository(self, service: str) -> Repository:
        return Repository(self._supply.repository(service))

    def _server(self, life: Life) -> Server:
        assert self._session is not None
        return Server(self._session, life.address, self._supply.load_s)

    @asynccontextmanager
    async def _locked(self, service: str, name: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault((service, name), asyncio.Lock())
        async with lock:
            yield

    def _find(self, key: str) -> Json | None:
        return self._store.find(_ref(TRAINED_MODEL, key))

    def _of(self, service: str) -> list[Json]:
        """Its models, without those that are going."""
        namespace, _, name = service.partition("/")

        def names_it(live: Json) -> bool:
            return bool(live["spec"]["inferenceService"] == name) and not is_going(live)

        return self._store.list(TRAINED_MODEL, namespace, names_it).items


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _model(live: Json) -> Model:
    metadata, spec = live["metadata"], live["spec"]
    return Model(
        metadata["name"],
        _digest(live),
        int(number(spec["model"]["memory"])),
        metadata["creationTimestamp"],
        (metadata.get("labels") or {}).get(ALLOCATED) == spec["inferenceService"],
    )


def _digest(live: Json) -> str:
    """Of what a server gets to see. The manifest's place matters to relative paths only."""
    model = live["spec"]["model"]
    words = "\0".join((live["metadata"]["uid"], model["storageUri"], model["framework"]))
    return sha256(words.encode()).hexdigest()[:16]


def _wish(live: Json) -> tuple[str, str]:
    return _service_key(live), _digest(live)


def _said(live: Json) -> Json:
    """By its author; and whether it is to go."""
    metadata = live["metadata"]
    kept = ("deletionTimestamp", "labels")
    return {"spec": live["spec"]} | {key: metadata.get(key) for key in kept}


def _told(said: Json, kind: str, reason: str) -> str:
    found = (c for c in said.get("conditions") or () if c["type"] == kind)
    return next((c.get("message", "") for c in found if c.get("reason") == reason), "")


def _service_key(live: Json) -> str:
    return f"{live['metadata']['namespace']}/{live['spec']['inferenceService']}"


def _key(live: Json) -> str:
    return f"{live['metadata']['namespace']}/{live['metadata']['name']}"


def _ref(kind: Kind, key: str) -> Ref:
    namespace, _, name = key.partition("/")
    return Ref(kind, namespace, name)
