"""The control plane over fake servers, in this process: what was told, who runs, what is left."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.endpoints import Endpoint
from controller.graphs import Served
from controller.local.here import Here
from controller.local.home import Home
from controller.local.plan import Machine, world
from controller.local.progress import Phase
from controller.local.settings import LocalSettings
from controller.plane import ControlPlane
from controller.resources.kinds import kind_of
from controller.resources.model import dump
from controller.resources.parse import parse_object
from controller.storage.settings import StorageSettings
from controller.store.files import Manifest, apply_files
from controller.store.own_kinds import ALL_KINDS, EVENT
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import SERVICE, View
from graph.loader import load


class Watcher:
    """A progress sink that remembers."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, Phase, str]] = []
        self.lines: list[tuple[str, str]] = []

    def phase(self, key: str, phase: Phase, detail: str) -> None:
        self.phases.append((key, phase, detail))

    def loading(self, key: str, done_bytes: int, total_bytes: int | None) -> None:
        self.phase(key, Phase.LOADING, f"{done_bytes}/{total_bytes}")

    def output(self, key: str, line: str) -> None:
        self.lines.append((key, line))

    def seen(self, phase: Phase, name: str = "iris") -> list[str]:
        """The details of each time."""
        return [d for key, found, d in self.phases if found is phase and _is_of(key, name)]

    def pids(self, word: str = "listening as", name: str = "") -> list[int]:
        """Of the servers (or, for `child`, their children) as they said, in order."""
        return [
            int(line.split()[-1])
            for key, line in self.lines
            if line.startswith(word) and (not name or _is_of(key, name))
        ]


def _is_of(key: str, name: str) -> bool:
    """Of the first replica of a predictor of this service, whatever its revision."""
    return re.fullmatch(rf"default/{name}(-[0-9]+)?", key) is not None


class FakeRouter:
    """Serves whatever it is told of."""

    def __init__(self) -> None:
        self.endpoints: Mapping[str, Endpoint] = {}
        self.history: list[Mapping[str, Endpoint]] = []
        self.graphs: dict[str, Served | str] = {}
        self.withdrawn = 0

    def set_endpoints(self, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = endpoints
        self.history.append(endpoints)

    def graph(self, key: str) -> Served | str:
        return self.graphs.get(key, "nobody has told the router of it")

    def service_url(self, key: str) -> str:
        return f"http://router/services/{key}"

    async def drained(self, _addresses: Collection[str], _limit_s: float) -> None:
        self.withdrawn += 1

    def address(self, name: str = "iris") -> str | None:
        found = self.endpoints.get(f"default/{name}")
        return next(iter(found.addresses), None) if found else None


class Plane:
    def __init__(self, store: Store, plane: ControlPlane, here: Here, router: FakeRouter) -> None:
        self.store = store
        self.plane = plane
        self.here = here
        self.router = router
        self.watcher = Watcher()

    def apply(self, *texts: str) -> None:
        apply_manifests(self.store, *texts)

    def live(self, name: str = "iris") -> Json | None:
        return self.store.find(Ref(SERVICE, "default", name))

    def status(self, name: str = "iris") -> Json:
        return (self.live(name) or {}).get("status") or {}

    def condition(self, kind: str = "Ready", name: str = "iris") -> Json:
        found = [c for c in self.status(name).get("conditions", ()) if c["type"] == kind]
        return found[0] if found else {}

    def ready(self, name: str = "iris") -> bool:
        return bool(self.condition(name=name).get("status") == "True")

    def model(self, name: str = "iris") -> Json:
        return self.status(name).get("modelStatus") or {}

    def events(self, name: str = "iris") -> list[str]:
        found = self.store.list(EVENT).items
        return [e["reason"] for e in found if e["involvedObject"]["name"] == name]

    def annotate(self, key: str, value: str, name: str = "iris") -> None:
        def changed(live: Json) -> Json:
            annotations = live["metadata"].get("annotations") or {}
            return live | {
                "metadata": live["metadata"] | {"annotations": annotations | {key: value}}
            }

        self.store.edit(Ref(SERVICE, "default", name), changed)

    async def settled_caches(self) -> None:
        """Looked at once more."""
        assert self.here.keeper is not None
        self.here.keeper.look_again()
        await self.here.keeper.settled()

    def delete(self, name: str = "iris") -> None:
        self.store.delete(Ref(SERVICE, "default", name))


def apply_manifests(store: Store, *texts: str, file: str = "/manifests/all.yaml") -> None:
    manifests: list[Manifest] = []
    for document in load("\n---\n".join(texts), file) if texts else ():
        kind = kind_of(document.api_version, document.kind)
        assert kind is not None
        said: dict[str, Any] = document.data
        if not document.is_graph:
            resource, problems = parse_object(said)
            assert resource is not None, problems
            said = dump(resource)
        manifests.append(Manifest(file, kind, said))
    assert apply_files(store, manifests) == []


@asynccontextmanager
async def running(
    home: Path,
    *texts: str,
    settings: LocalSettings | None = None,
    uri_map: Mapping[str, Path] | None = None,
    limit: int | None = None,
) -> AsyncIterator[Plane]:
    store = Store(home / "state.db", ALL_KINDS)
    try:
        view = View(store, [], Path("/manifests"))
        watcher, router = Watcher(), FakeRouter()
        here = Here(
            Home(home),
            store,
            view,
            uri_map=uri_map or {},
            environ=os.environ,
            local=settings or LocalSettings(restart_first_seconds=1.0, models_limit=limit),
            storage=StorageSettings(attempts=1),
            progress=watcher,
        )
        planes: list[ControlPlane] = []

        def changed(service: str) -> None:
            planes[0].look_at_service(service)

        async with here.running(changed, router.drained) as units, asyncio.TaskGroup() as tasks:
            machine = Machine("3.11.7", uri_map or {})
            planes.append(
                ControlPlane(store, view, units, world(machine), router, supply=here.supply)
            )
            apply_manifests(store, *texts)
            task = tasks.create_task(planes[0].run())
            made = Plane(store, planes[0], here, router)
            made.watcher = watcher
            try:
                yield made
            finally:
                task.cancel()
    finally:
        store.close()
