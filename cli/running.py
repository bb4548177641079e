"""Router and control plane in one process, from their start to their end.

The router ends first, draining; the control plane then stops what it runs. What `up` and the demo
have in common is here.
"""

import asyncio
import ipaddress
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from cli import options
from cli.control import Control, Given
from cli.options import FAILED, USAGE, fail
from cli.progress import Progress, progress_on
from cli.router_side import RouterSide
from controller.api.routes import routes
from controller.local.built_in import built_in_runtimes
from controller.local.home import Home
from controller.local.plan import Machine
from controller.local.settings import LocalSettings
from controller.running import Running, announced
from controller.storage.settings import StorageSettings, read_settings
from controller.store.database import CannotOpen
from controller.store.own_kinds import ALL_KINDS
from controller.store.store import Store
from router.config import DataPlaneConfig
from router.files import FileSource
from router.parent import Parent, StartFailed
from router.services import GivenService
from router.settings import Settings

TOKEN = "GRAPHWAY_ADMIN_TOKEN"

OnReady = Callable[[Parent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Start:
    """What is to run, and where its state is kept."""

    paths: tuple[str, ...]
    given: tuple[GivenService, ...]
    machine: Machine
    home: Home
    project: str


def run(
    read: Settings,
    start: Start,
    on_ready: OnReady | None = None,
    show_output: bool = True,
) -> int:
    config = options.configure(read)
    storage = read_settings(os.environ)
    if isinstance(storage, list):
        fail(USAGE, storage)
    try:
        store = Store(start.home.of(start.project).state, ALL_KINDS)
    except CannotOpen as error:
        fail(FAILED, [str(error)])
    try:
        return uvloop.run(_Up(read, config, start, store, storage, on_ready, show_output).run())
    finally:
        store.close()


class _Up:
    def __init__(
        self,
        read: Settings,
        config: DataPlaneConfig,
        start: Start,
        store: Store,
        storage: StorageSettings,
        on_ready: OnReady | None,
        show_output: bool,
    ) -> None:
        self._start = start
        self._on_ready = on_ready
        self._show_output = show_output
        self._started = asyncio.Event()
        given = Given(
            start.home.of(start.project),
            start.machine,
            tuple(built_in_runtimes()),
            LocalSettings(),
            storage,
            os.environ,
            frozenset(service.name for service in start.given),
        )
        self._control = Control(store, given)
        source = FileSource(
            start.paths,
            start.given,
            self._control.manifests,
            self._control.beside,
            read.port,
        )
        self._token = _token(read)
        self._parent = Parent(
            read,
            source,
            config,
            on_started=lambda _: self._started.set(),
            on_change=self._control.router_changed,
            on_waiting=self._control.waiting,
            on_end=store.changes.close,  # lets go of who watches; the store itself goes on
            admin_routes=routes(
                store,
                logs=self._control.logs,
                token=self._token,
                built_in=[document.data for document in given.built_in],
                max_streams=max(1, read.admin_connections // 2),
            ),
        )
        self._side = RouterSide(self._parent)

    async def run(self) -> int:
        async with asyncio.TaskGroup() as tasks:
            controlling = tasks.create_task(self._run_control())
            try:
                return await self._parent.run()
            except StartFailed as failed:
                print("\n".join(failed.lines), file=sys.stderr)
                return FAILED
            finally:
                controlling.cancel()

    async def _run_control(self) -> None:
        await self._started.wait()
        parent, control = self._parent, self._control
        progress = progress_on(sys.stderr, self._show_output)
        me = Running(parent.admin_url, os.getpid(), self._start.project, self._token)
        try:
            with announced(self._start.home, me):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._until_stopped(progress))
                    await control.ready()
                    await self._side.settled()
                    progress.close()
                    self._announce(progress)
                    if self._on_ready is not None:
                        await self._on_ready(parent)
        finally:
            progress.close()

    async def _until_stopped(self, progress: Progress) -> None:
        """The router has ended by then, and no longer listens to signals: one more means at
        once.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._control.run(self._parent, self._side, progress))
            try:
                await running
            except asyncio.CancelledError:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.add_signal_handler(number, self._control.kill)
                raise

    def _announce(self, progress: Progress) -> None:
        number = self._control.services
        progress.note(f"{number} service{'' if number == 1 else 's'} ready")
        for key in sorted(self._parent.generation.graphs):
            progress.note(f"graph {key}: {self._parent.data_url}/graphs/{key}")


def _token(read: Settings) -> str | None:
    """Whoever can only come from this machine needs none."""
    if _is_loopback(read.admin_host):
        return None
    return os.environ.get(TOKEN) or secrets.token_urlsafe(32)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
