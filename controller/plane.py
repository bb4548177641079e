"""The control plane: manifests in, running services and served graphs out, kept that way.

It joins store, reconcilers and backend, and decides only what has to be looked at again when
something changes. Who serves graphs comes in as `Router`; where manifests come from is not its
business: whoever has files hands them over, and the API writes to the same store.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Protocol

from controller.backend import Backend
from controller.conditions import is_true
from controller.desired import World
from controller.endpoints import Endpoint
from controller.graphs import Graphs, Served, called
from controller.queue import Queue
from controller.reconcile import Around, Services
from controller.scale import FIXED, Scale
from controller.stopped import is_stopped
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.recorder import Recorder
from controller.store.refs import Json, Kind, Ref
from controller.store.store import Store
from controller.trainedmodels.carrier import Supply
from controller.trainedmodels.gate import Gated
from controller.trainedmodels.models import TrainedModels
from controller.view import GRAPH, SERVICE, TRAINED_MODEL, View, kind

log = logging.getLogger("graphway.controller")

_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
# Whoever waits for one of these may go on when it changes.
_AWAITED = ("Secret", "ConfigMap", "ServiceAccount", "StorageContainer", "ClusterStorageContainer")
_NO_AUTO_UPDATE = "serving.kserve.io/disable-auto-update"
_NEW_RUNTIME = ("NoSupportingRuntime", "RuntimeNotRecognized", "RuntimeDisabled")

REVISIONS_KEPT = 10

Key = tuple[str, str]  # kind, namespace/name


class Router(Protocol):
    """Whoever serves graphs."""

    def set_endpoints(self, endpoints: Mapping[str, Endpoint]) -> None: ...

    def graph(self, key: str) -> Served | str:
        """What is served of it; a text if nothing is, and why."""

    def service_url(self, key: str) -> str:
        """Where it offers this service, whatever becomes of its replicas."""


class ControlPlane:
    """`on_change` is called after each look, for those who wait for something; `elsewhere` names
    services that run, but are not kept here. `supply`: None where TrainedModels are not served.
    """

    def __init__(
        self,
        store: Store,
        view: View,
        backend: Backend,
        world: World,
        router: Router,
        *,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[], None] = lambda: None,
        elsewhere: Collection[str] = (),
        supply: Supply | None = None,
        scale: Scale = FIXED,
        revisions: int = REVISIONS_KEPT,
    ) -> None:
        self._store = store
        self._router = router
        self._backend = backend
        self._on_change = on_change
        self._recorder = Recorder(store)
        self._endpoints: dict[str, Endpoint] = {}
        self._models: TrainedModels | None = None
        if supply is not None:
            self._models = TrainedModels(
                store, self._recorder, view, backend, supply, clock, self._look_again
            )
            backend = Gated(backend, self._models.admits)
        self._services = Services(
            Around(
                store,
                self._recorder,
                view,
                backend,
                world,
                self._publish,
                router.service_url,
                clock,
                scale,
                revisions,
            )
        )
        self._graphs = Graphs(store, self._recorder, router.graph, clock, elsewhere)
        self._queue: Queue[Key] = Queue(self._look, self._failed)

    async def run(self) -> None:
        """Until cancelled."""
        unsubscribe = self._store.changes.subscribe(self._changed)
        if self._models is not None:
            self._models.begin()
        try:
            for each in (SERVICE, GRAPH):
                for live in self._store.list(each).items:
                    self._add(each, live)
            async with asyncio.TaskGroup() as tasks:
                if self._models is not None:
                    tasks.create_task(self._models.run())
                await self._queue.run()
        finally:
            unsubscribe()

    def look_at_service(self, key: str) -> None:
        """Something about what it runs has changed."""
        self._look_again(key)
        if self._models is not None:
            self._models.look_at_service(key)

    def _look_again(self, key: str) -> None:
        self._queue.add((SERVICE.name, key))

    def look_at_graphs(self) -> None:
        """The router serves something else now."""
        for live in self._store.list(GRAPH).items:
            self._add(GRAPH, live)

    async def settled(self) -> None:
        """Until there is nothing to look at; what runs may still change."""
        await self._queue.settled()

    def waiting(self) -> list[str]:
        """The services that should be ready and are not."""
        return [
            Ref.of(SERVICE, live).namespace + "/" + live["metadata"]["name"]
            for live in self._store.list(SERVICE).items
            if not is_stopped(live) and not self._is_up_to_date(live)
        ]

    def _is_up_to_date(self, live: Json) -> bool:
        status = live.get("status") or {}
        current = status.get("observedGeneration") == live["metadata"]["generation"]
        return current and is_true(status) and self._is_published(live)

    def _is_published(self, live: Json) -> bool:
        """A status may be that of a run before this one."""
        endpoint = self._endpoints.get(_key(live))
        if endpoint is None:
            return False
        return bool(endpoint.addresses) or (endpoint.hold and bool(endpoint.routes))

    async def _look(self, key: Key) -> float | None:
        which, name = key
        again_s = None
        if which == SERVICE.name:
            again_s = self._services.reconcile(name)
        else:
            self._graphs.reconcile(name)
        self._on_change()
        return again_s

    def _failed(self, key: Key, bug: Exception, pause_s: float) -> None:
        which, name = key
        log.error("%s %s: reconciling failed, again in %.1f s", which, name, pause_s, exc_info=bug)
        namespace, _, short = name.partition("/")
        live = self._store.find(Ref(kind(which), namespace, short))
        if live is not None:
            with suppress(ApiError):  # a full disk may be what failed
                message = f"{type(bug).__name__}: {bug}"
                self._recorder.record(live, "InternalError", message, warning=True)

    def _publish(self, key: str, endpoint: Endpoint | None) -> None:
        if self._endpoints.get(key) == endpoint:
            return
        if endpoint is None:
            del self._endpoints[key]
        else:
            self._endpoints[key] = endpoint
        self._router.set_endpoints(dict(self._endpoints))

    # Who is to be looked at again

    def _changed(self, change: Change) -> None:
        name = change.ref.kind.name
        if name == SERVICE.name:
            self._add(SERVICE, change.object)
            if self._models is not None:
                self._models.look_at_service(_key(change.object))
            if _readiness(change.before) != _readiness(
                None if change.type is ChangeType.DELETED else change.object
            ):
                self._add_graphs_over(change.ref)
        elif name == GRAPH.name:
            self._add(GRAPH, change.object)
        elif name == TRAINED_MODEL.name and self._models is not None:
            self._models.on_change(change)
        elif name in _RUNTIMES:
            self._add_services_on(change)
        elif name in _AWAITED:
            for live in self._store.list(SERVICE, change.ref.namespace or None).items:
                self._backend.try_again(_key(live))
                self._add(SERVICE, live)

    def _add(self, of: Kind, live: Json) -> None:
        self._queue.add((of.name, _key(live)))

    def _add_graphs_over(self, service: Ref) -> None:
        for live in self._store.list(GRAPH, service.namespace).items:
            if service.name in called(live):
                self._add(GRAPH, live)

    def _add_services_on(self, change: Change) -> None:
        """Those that this runtime serves, and those that nobody does."""
        for live in self._store.list(SERVICE, change.ref.namespace or None).items:
            status = live.get("status") or {}
            serves = change.ref.name in (
                status.get("servingRuntimeName"),
                status.get("clusterServingRuntimeName"),
            )
            info = (status.get("modelStatus") or {}).get("lastFailureInfo") or {}
            annotations = live["metadata"].get("annotations") or {}
            pinned = annotations.get(_NO_AUTO_UPDATE) == "true" and is_true(status)
            if (serves and not pinned) or info.get("reason") in _NEW_RUNTIME:
                self._add(SERVICE, live)


def _readiness(live: Json | None) -> bool | None:
    """Whether callers have somewhere to go: what graphs over it want to know."""
    return None if live is None else is_true(live.get("status") or {}, "IngressReady")


def _key(live: Json) -> str:
    metadata = live["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"
