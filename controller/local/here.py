"""This machine as the control plane has it: processes, models and their environments, joined.

`running` holds everything that lives: in the end nothing of it is left. What a unit needs of the
store (Secrets, service accounts) is looked up at the moment when it is needed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from controller.desired import Unit
from controller.local.backend import LocalBackend
from controller.local.home import Home
from controller.local.node import this_node
from controller.local.pods import process_of
from controller.local.progress import ProgressSink
from controller.local.replica import ProcessSpec
from controller.local.settings import LocalSettings
from controller.local.show import Shown
from controller.local.supply import LocalSupply
from controller.local.unit import Around
from controller.local.units import LocalUnits
from controller.local.wishes import Wishes
from controller.modelcache.keeper import Keeper
from controller.modelcache.models import Models
from controller.resources.component import MODEL_MOUNT
from controller.storage.fetch import Fetcher
from controller.storage.settings import StorageSettings
from controller.store.store import Store
from controller.view import View
from graph.problems import Problem


class Here:
    def __init__(
        self,
        home: Home,
        store: Store,
        view: View,
        *,
        uri_map: Mapping[str, Path],
        environ: Mapping[str, str],
        local: LocalSettings,
        storage: StorageSettings,
        progress: ProgressSink,
    ) -> None:
        self._home = home
        self._store = store
        self.supply: LocalSupply | None = None  # while it runs
        self._view = view
        self._uri_map = uri_map
        self._environ = environ
        self._settings = local
        self._storage = storage
        self._shown = Shown(progress, home)
        self._wishes = Wishes(view, home, environ, uri_map, this_node())
        self.keeper: Keeper | None = None  # while it runs
        self.backend = LocalBackend(
            home, settings=local, environ=environ, on_output=self._shown.on_output
        )
        self.backend.subscribe(self._shown.on_state)

    @asynccontextmanager
    async def running(
        self,
        changed: Callable[[str], None],
        drained: Callable[[Collection[str], float], Awaitable[object]],
    ) -> AsyncIterator[LocalUnits]:
        """`changed` gets the service of which something has; `drained` returns once nobody calls
        these addresses any more, or after so many seconds.
        """
        fetcher = Fetcher(self._storage, uri_map=self._uri_map, environ=self._environ)
        async with self.backend.running(), fetcher, asyncio.TaskGroup() as tasks:
            spawned: set[asyncio.Task[None]] = set()

            def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                task = tasks.create_task(work)
                spawned.add(task)
                task.add_done_callback(spawned.discard)
                return task

            models = Models(fetcher, self._home.models)
            self.keeper = self._keeper(models, fetcher)
            spawn(self.keeper.run())
            around = Around(
                backend=self.backend,
                models=models,
                backoff=self._settings.backoff,
                drain_s=self._settings.replica_drain_seconds,
                wish=self._wishes.request,
                process=self._process,
                drained=drained,
                changed=changed,
                on_loading=self._shown.on_loading,
                on_failed=self._shown.on_failed,
                spawn=spawn,
                clock=time.time,
            )
            self.supply = LocalSupply(
                self._home.repositories,
                self._view,
                self._wishes,
                models,
                self.backend,
                self._settings,
            )
            try:
                yield LocalUnits(around)
            finally:
                for task in spawned:
                    task.cancel()

    def _keeper(self, models: Models, fetcher: Fetcher) -> Keeper:
        return Keeper(
            self._store,
            models,
            self._wishes.of_cache,
            fetcher,
            node=this_node(),
            limit=self._settings.models_limit,
            pause_s=self._settings.backoff.pause_s,
        )

    def _process(
        self, service: str, key: str, unit: Unit, mounts: Mapping[str, Path]
    ) -> ProcessSpec | list[Problem]:
        namespace = service.partition("/")[0]

        def lookup(kind: str, name: str) -> Mapping[str, str] | None:
            return self._view.values(kind, namespace, name)

        if unit.component.many is not None:
            folder = self._home.repositories / service
            folder.mkdir(parents=True, exist_ok=True)
            mounts = {MODEL_MOUNT: folder, **mounts}
        return process_of(service, key, unit, mounts, self._home, lookup)
