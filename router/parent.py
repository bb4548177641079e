"""The parent process of the router: owns what outlives a worker.

It binds the sockets, loads the graphs, watches for changes, keeps workers and counters, answers on
the admin port, and drains at the end. It carries no request itself. `graphway serve` runs it alone,
`graphway up` beside the controller.
"""

import asyncio
import logging
import os
import platform
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import msgspec
from aiohttp import web

from router import sockets
from router.catalog import Catalog
from router.channel import Installed
from router.config import DataPlaneConfig, EndpointSource
from router.counters import Ledger
from router.front.admin import admin_server
from router.front.admin_port import administer
from router.generation import Generation
from router.loads import ServiceLoad, in_flight, service_loads
from router.log import fields
from router.metrics import Sample, Snapshot
from router.settings import Settings
from router.source import Loaded, Source
from router.supervisor import COMMAND, Workers, within
from router.upstream.origin import parse_origin
from router.watch import watch

log = logging.getLogger("graphway.parent")

_STDIN = 0
_HAS_GRPC = find_spec("hpack") is not None


class StartFailed(Exception):
    """Nothing is served. `lines` say why, in the form of `check`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Parent:
    """`on_started` is called once all workers serve, `on_change` when a reload has been dealt with
    and when a worker has what was last loaded; `on_waiting` with the `namespace/name` of a service
    whenever calls to it begin to wait for a replica, `on_end` before the admin port waits for those
    who still listen to it.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        config: DataPlaneConfig,
        *,
        on_started: Callable[["Parent"], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        on_waiting: Callable[[str], None] = lambda _: None,
        on_end: Callable[[], None] = lambda: None,
        admin_routes: Iterable[web.AbstractRouteDef] = (),
        worker_command: Sequence[str] = COMMAND,
    ) -> None:
        self._settings = settings
        self._source = source
        self._config = config
        self._on_started = on_started
        self._tell_change = on_change
        self._on_end = on_end
        self._admin_routes = admin_routes
        self._ledger = Ledger()
        self._grpc_workers = settings.grpc_workers if _HAS_GRPC else 0
        self._explained: deque[bytes] = deque(maxlen=settings.explain_kept)
        self._workers = Workers(
            settings.workers,
            self._ledger,
            on_change=self._on_change,
            hang_s=settings.worker_hang_seconds,
            on_answer=self._on_answer,
            on_waiting=on_waiting,
            grpc=self._grpc_workers,
            on_explained=self._explained.append,
            command=worker_command,
        )
        self._catalog = Catalog(self._workers.install)
        self._wanted = asyncio.Event()  # a reload
        self._changed = asyncio.Event()  # something about the workers
        self._stopping = asyncio.Event()
        self._forced = asyncio.Event()
        self._drain_s = 0.0
        self._exit_code = 0
        self._on_terminal = os.isatty(_STDIN)
        self.data_url = ""
        self.grpc_address = ""  # host:port, empty without a gRPC port
        self.admin_url = ""

    # For those who run it

    async def run(self, *, signals: bool = True) -> int:
        """Serves until told to stop; the exit code. Raises StartFailed if it cannot begin.

        `signals`: act on SIGTERM, SIGINT and SIGHUP (main thread only).
        """
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if signals else ()
        for number in numbers:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            return await self._run()
        except* StartFailed as group:
            raise _only(group) from None
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def reload(self) -> None:
        """Load everything again, soon."""
        self._wanted.set()

    def set_endpoints(self, endpoints: Mapping[str, EndpointSource]) -> None:
        """Where services live now, by `namespace/name`; before those that the source knows."""
        self._catalog.feed(endpoints)

    async def settled(self) -> None:
        """Until every worker that serves has what is current, endpoints too, or this ends."""
        while self.workers()["current"] < self.workers()["serving"] and not self.stopping:
            self._changed.clear()
            await self._changed.wait()

    def stop(self, drain_s: float = 0.0) -> None:
        """Ends after `drain_s` of still accepting; called again, at once."""
        if self._stopping.is_set():
            self._forced.set()
        else:
            self._drain_s = drain_s
            self._stopping.set()
            self._changed.set()

    # What is

    @property
    def generation(self) -> Generation:
        return self._catalog.generation

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def ready(self) -> bool:
        """Every worker has served, one at least serves now, and we are not ending. Neither a reload
        nor the death of one worker among others takes us out of rotation.
        """
        workers = self._workers
        return workers.started and bool(workers.serving) and not self._stopping.is_set()

    def workers(self) -> dict[str, int]:
        """How many there should be, serve, and serve the newest generation."""
        serving = self._workers.serving
        newest = self.generation.number
        return {
            "configured": self._settings.workers + self._grpc_workers,
            "serving": len(serving),
            "current": sum(worker.generation == newest for worker in serving),
        }

    def explained(self) -> list[bytes]:
        """The records of the last requests that asked, as JSON; the newest first."""
        return list(reversed(self._explained))

    def service_loads(self) -> dict[tuple[str, str], ServiceLoad]:
        """By service (`namespace/name`) and revision; cheap."""
        return service_loads(self._ledger)

    def in_flight(self, addresses: Iterable[str]) -> int:
        """Calls that the replicas of services at these addresses still work on."""
        return in_flight(self._ledger, {str(parse_origin(address)) for address in addresses})

    def snapshot(self) -> Snapshot:
        return Snapshot(self._ledger.totals(), self._samples())

    # Life

    async def _run(self) -> int:
        settings = self._settings
        loaded = await asyncio.to_thread(self._source.load)
        config = _checked(self._config, loaded)
        data: list[socket.socket] = []
        admin: list[socket.socket] = []
        grpc: list[socket.socket] = []
        try:
            data += sockets.bind(settings.host, settings.port, "--port")
            admin += sockets.bind(settings.admin_host, settings.admin_port, "--admin-port")
            self.data_url = sockets.url(settings.host, data[0].getsockname()[1])
            self.admin_url = sockets.url(settings.admin_host, admin[0].getsockname()[1])
            grpc += self._bind_grpc()
            self._catalog.begin(loaded)
            config = msgspec.structs.replace(
                config,
                data_port=data[0].getsockname()[1],
                grpc_port=grpc[0].getsockname()[1] if grpc else 0,
            )
            await self._serve(config, data, admin, grpc)
        except sockets.CannotListen as error:
            raise StartFailed([str(error)]) from error
        finally:
            for listener in (*data, *admin, *grpc):
                listener.close()
        log.info("ended", extra=fields(exit_code=self._exit_code))
        return self._exit_code

    def _bind_grpc(self) -> list[socket.socket]:
        """What a default asks for is no reason not to start: then it is only said. Raises
        CannotListen.
        """
        settings = self._settings
        if not settings.grpc_workers:
            return []
        asked = settings.asks_for_grpc()
        if not self._grpc_workers:
            words = "gRPC needs the extra `grpc` (pip install 'graphway[grpc]')"
            if asked:
                raise sockets.CannotListen(f"{words}; without it, set --grpc-workers 0")
            log.info("%s: no gRPC port", words)
            return []
        port = settings.grpc_port
        if settings.port == 0 and "grpc_port" not in settings.model_fields_set:
            port = 0  # whoever wants a free port wants this one free too
        try:
            bound = sockets.bind(settings.host, port, "--grpc-port")
        except sockets.CannotListen as error:
            if asked:
                raise
            log.warning("no gRPC port: %s; --grpc-workers 0 does without", error)
            self._grpc_workers = 0
            self._workers.without_grpc()
            return []
        self.grpc_address = sockets.reachable(settings.host, bound[0].getsockname()[1])
        return bound

    async def _serve(
        self,
        config: DataPlaneConfig,
        data: Sequence[socket.socket],
        admin: Sequence[socket.socket],
        grpc: Sequence[socket.socket],
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._workers.run(data, config, grpc))
            background = [
                tasks.create_task(self._administer(admin)),
                tasks.create_task(self._reload_when_wanted()),
            ]
            if self._settings.watch:
                background.append(tasks.create_task(watch(self._source.paths, self.reload)))
            await self._until_started()
            if not self._stopping.is_set():
                where = fields(data=self.data_url, grpc=self.grpc_address, admin=self.admin_url)
                log.info("serving", extra=where)
                self._on_started(self)
            await self._stopping.wait()
            await self._drain((*data, *grpc), keeping)
            for task in background:
                task.cancel()

    async def _until_started(self) -> None:
        while not (self._workers.started or self._stopping.is_set()):
            if self._workers.failure is not None:
                raise StartFailed([self._workers.failure])
            if self._catalog.refused_at_start:
                raise StartFailed(self._catalog.refused_at_start)
            self._changed.clear()
            await self._changed.wait()

    async def _drain(self, data: Sequence[socket.socket], keeping: "asyncio.Task[None]") -> None:
        log.info("shutting down", extra=fields(still_accepting_s=self._drain_s))
        self._workers.set_ready(False)
        await within(self._drain_s, self._forced.wait())
        for listener in data:  # or callers would queue where nobody accepts any more
            listener.close()
        self._workers.drain(self._settings.finish_seconds)
        async with asyncio.TaskGroup() as tasks:
            forcing = tasks.create_task(self._kill_when_forced())
            await asyncio.wait((keeping,))
            forcing.cancel()
        if self._workers.cut_off:
            log.warning("requests were cut off", extra=fields(requests=self._workers.cut_off))
        if self._workers.killed and not self._exit_code:
            self._exit_code = 1

    async def _kill_when_forced(self) -> None:
        await self._forced.wait()
        self._workers.kill()

    async def _reload_when_wanted(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                loaded = await asyncio.to_thread(self._source.load)
            except Exception:  # a bug in loading must not end what serves
                log.exception("reload failed")
                self._catalog.reload_failed()
            else:
                self._catalog.reload(loaded)
                self._tell_change()

    async def _administer(self, listeners: Sequence[socket.socket]) -> None:
        most = self._settings.admin_connections
        runner = admin_server(self, self._admin_routes)
        await administer(runner, listeners, most=most, on_end=self._on_end)

    # What happens

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP and not self._terminal_is_gone():
            log.info("SIGHUP: loading everything again")
            self.reload()
            return
        if self._stopping.is_set():
            self._exit_code = 128 + number
        log.info("%s", number.name)
        # Ctrl-C comes from a person who waits, SIGTERM from a balancer that still sends requests.
        self.stop(self._settings.drain_seconds if number == signal.SIGTERM else 0.0)

    def _terminal_is_gone(self) -> bool:
        """The window was closed: then SIGHUP means the end, as for any program that runs in one."""
        return self._on_terminal and not os.isatty(_STDIN)

    def _on_change(self) -> None:
        self._changed.set()

    def _on_answer(self, answer: Installed) -> None:
        if answer.problems:
            self._catalog.refused(answer)
        else:
            self._catalog.installed(answer.generation)
        self._changed.set()
        self._tell_change()

    def _samples(self) -> Iterator[Sample]:
        yield from self._catalog.samples()
        workers = self.workers()
        yield Sample("graphway_workers", workers["configured"])
        yield Sample("graphway_workers_serving", workers["serving"])
        for reason, count in self._workers.restarts.items():
            yield Sample("graphway_worker_restarts_total", count, (("reason", reason),))
        yield Sample("graphway_series_refused_total", self._ledger.refused())
        versions = (("python", platform.python_version()), ("version", _version()))
        yield Sample("graphway_build_info", 1, versions)


def _checked(config: DataPlaneConfig, loaded: Loaded) -> DataPlaneConfig:
    """Refuses what cannot be served at all; the only graph at start is the default one."""
    if any(problem.is_error for problem in loaded.problems):
        raise StartFailed(str(problem) for problem in loaded.problems)
    keys = [graph.key for graph in loaded.graphs]
    if config.default_graph is None:
        only = keys[0] if len(keys) == 1 else None
        return msgspec.structs.replace(config, default_graph=only)
    if config.default_graph not in keys:
        known = f"choose one of {', '.join(sorted(keys))}" if keys else "there is none at all"
        raise StartFailed([f"--default-graph {config.default_graph}: no such graph; {known}"])
    return config


def _version() -> str:
    try:
        return version("graphway")
    except PackageNotFoundError:
        return "unknown"  # a checkout that is not installed


def _only(group: BaseExceptionGroup[StartFailed]) -> StartFailed:
    first = group.exceptions[0]
    return _only(first) if isinstance(first, BaseExceptionGroup) else first
