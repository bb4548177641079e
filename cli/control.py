"""The control plane beside a router, in one process: what `up` runs.

Files and API write to the store, the control plane acts upon it, the router gets endpoints and the
graphs that are not as a file says. All of it on one loop; only loading runs in a thread.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cli.manifests import Manifests, Taken
from cli.overlay import key_of, overlay
from cli.router_side import RouterSide
from controller.api.logs import LogRequest
from controller.local.here import Here
from controller.local.home import Home
from controller.local.logs import output
from controller.local.node import this_node
from controller.local.plan import Machine, world
from controller.local.progress import ProgressSink
from controller.local.settings import LocalSettings
from controller.local.units import LocalUnits
from controller.local.usage import UnitUsage
from controller.modelcache.kept import KeptCaches
from controller.plane import ControlPlane
from controller.resources.credentials import ConfigMap
from controller.scaling.scaler import Key, Scaler
from controller.scaling.shown import decided_before
from controller.scaling.units import Configuration, UnitScale
from controller.storage.settings import StorageSettings
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.files import Manifest, apply_files
from controller.store.metadata import is_going
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import GRAPH, SERVICE, View
from graph.loader import Document
from router.files import Beside
from router.parent import Parent

NOBODY: Json = {"metadata": {}}

log = logging.getLogger("graphway.controller")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user decides about this machine."""

    home: Home
    machine: Machine
    built_in: tuple[Document, ...]
    local: LocalSettings
    storage: StorageSettings
    environ: Mapping[str, str]
    elsewhere: frozenset[str]  # services that `--service` tells an address of


class Control:
    def __init__(self, store: Store, given: Given) -> None:
        self._store = store
        self._given = given
        self.manifests = Manifests(given.machine, given.built_in)
        self._view = View(store, given.built_in, Path.cwd())
        self._beside = overlay(store.list(GRAPH).items, None)
        self._applied: Taken | None = None
        self._kept = KeptCaches(store, this_node())
        self._going: set[Ref] = set()  # said by files, and not yet gone from before
        self._said: Mapping[str, Manifest] | None = None
        self._turned = asyncio.Event()
        self._here: Here | None = None
        self._plane: ControlPlane | None = None
        self._scaler: Scaler | None = None

    def beside(self) -> Beside:
        """For the source of graphs, in whatever thread it loads."""
        return self._beside

    def kill(self) -> None:
        """All that runs, at once: for who cannot wait."""
        if self._here is not None:
            self._here.backend.kill()

    @property
    def services(self) -> int:
        return len(self._store.list(SERVICE).items)

    async def logs(self, wanted: LogRequest) -> AsyncIterator[bytes]:
        if self._here is None:
            raise ApiError(503, "ServiceUnavailable", "nothing runs yet; try again")
        async for line in output(self._here.backend, wanted):
            yield line

    async def run(self, parent: Parent, side: RouterSide, progress: ProgressSink) -> None:
        """Until cancelled; then everything that it runs is stopped."""
        loop = asyncio.get_running_loop()
        given = self._given
        here = self._here = Here(
            given.home,
            self._store,
            self._view,
            uri_map=given.machine.uri_map,
            environ=given.environ,
            local=given.local,
            storage=given.storage,
            progress=progress,
        )
        unsubscribe = self._store.changes.subscribe(partial(self._on_change, parent))
        self.manifests.on_load = lambda taken: _soon(loop, partial(self._take, parent, taken))
        self.manifests.others = lambda: side.endpoints
        self._take(parent, self.manifests.taken)
        try:
            async with here.running(self._look_at, side.drained) as units:
                scaler, scale = self._scaling(side, here, units)
                self._plane = ControlPlane(
                    self._store,
                    self._view,
                    units,
                    world(given.machine),
                    side,
                    on_change=self._turned.set,
                    elsewhere=given.elsewhere,
                    supply=here.supply,
                    scale=scale,
                    revisions=given.local.revisions_kept,
                )
                async with asyncio.TaskGroup() as tasks:
                    scaling = tasks.create_task(scaler.run())
                    try:
                        await self._plane.run()
                    finally:
                        scaling.cancel()
        finally:
            self.manifests.on_load = lambda _: None
            unsubscribe()

    async def ready(self) -> None:
        """Until every service is that should be, at once."""
        while self._plane is None or self._going or self._plane.waiting():
            self._turned.clear()
            await self._turned.wait()

    def router_changed(self) -> None:
        """It serves something else now, or says something else of what it does not serve."""
        if self._plane is not None:
            self._plane.look_at_graphs()

    def waiting(self, service: str) -> None:
        """A call to this service waits at the router until it has a replica."""
        if self._scaler is not None:
            self._scaler.waiting(service)

    def _scaling(self, side: RouterSide, here: Here, units: LocalUnits) -> tuple[Scaler, UnitScale]:
        def ready(service: str, name: str) -> int:
            running = units.observe(service).get(name)
            return running.ready if running is not None else 0

        def unit_of(key: Key) -> tuple[str, str] | None:
            return scale.unit_of(key)

        scaler = self._scaler = Scaler(
            side.loads,
            self._look_at,
            clock=asyncio.get_running_loop().time,
            usage=UnitUsage(here.backend.states, unit_of),
            resumed=partial(decided_before, self._store),
        )
        config = Configuration(lambda: self._view.all(ConfigMap, None))
        scale = UnitScale(scaler, ready, config)
        return scaler, scale

    def _look_at(self, service: str) -> None:
        if self._plane is not None:
            self._plane.look_at_service(service)

    def _take(self, parent: Parent, taken: Taken) -> None:
        if taken == self._applied:
            return
        self._kept.begin()
        try:
            refused = apply_files(
                self._store,
                taken.manifests,
                unreadable=self._within(taken.unreadable),
                needed=self._kept.add,
            )
        except ApiError as error:  # a full disk, say; the next load tries again
            log.error("the files are not applied: %s", error.message)
            return
        for manifest, refusal in refused:
            log.error("%s: %s", manifest.file, refusal.message)
        bad = self._within(taken.unreadable)
        self._applied = taken
        refs = [Ref.of(manifest.kind, manifest.resource) for manifest in taken.manifests]
        self._going = {ref for ref in refs if is_going(self._store.find(ref) or NOBODY)}
        # What a file said before it became unreadable still stands.
        still = [m for m in (self._said or {}).values() if m.file in bad]
        self._said = {
            key_of(manifest.resource): manifest
            for manifest in (*still, *taken.manifests)
            if manifest.kind.name == GRAPH.name
        }
        self._overlay(parent)

    def _take_again(self, parent: Parent) -> None:
        taken, self._applied = self._applied, None
        if taken is not None:
            self._take(parent, taken)

    def _within(self, bad: frozenset[str]) -> frozenset[str]:
        """What came from a folder that cannot be read came from a file in it."""
        known = [m.file for m in self._applied.manifests] if self._applied is not None else []
        folders = tuple(f"{path}{os.sep}" for path in bad)
        return bad | {file for file in known if file.startswith(folders)}

    def _on_change(self, parent: Parent, change: Change) -> None:
        if change.type is ChangeType.DELETED and change.ref in self._going:
            # A file says again what was on its way out: now there is room for it.
            asyncio.get_running_loop().call_soon(self._take_again, parent)
        elif change.ref.kind.name == GRAPH.name:
            self._overlay(parent)
        elif self._kept.may_go(change):
            asyncio.get_running_loop().call_soon(self._take_again, parent)

    def _overlay(self, parent: Parent) -> None:
        said: dict[str, Json] | None = None
        if self._said is not None:
            said = {key: manifest.resource for key, manifest in self._said.items()}
        beside = overlay(self._store.list(GRAPH).items, said)
        if beside != self._beside:
            self._beside = beside
            parent.reload()


def _soon(loop: asyncio.AbstractEventLoop, call: "partial[None]") -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the loop has ended, and with it whoever would want to know
        pass
