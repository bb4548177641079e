"""A running graphway as its clients see it: the store and the API over it, on a loopback port.

It runs in a thread of its own, since its clients wait; nothing behind it starts a model. What a
controller would write can be written by `act`, or by a function that hears of each change.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from controller.api.logs import LogRequest
from controller.api.routes import routes
from controller.local.home import Home
from controller.resources.kinds import by_name
from controller.running import Running, announced
from controller.store.changes import Change
from controller.store.errors import ApiError
from controller.store.own_kinds import ALL_KINDS
from controller.store.recorder import Recorder
from controller.store.refs import Ref
from controller.store.store import Store

T = TypeVar("T")
OnChange = Callable[[Store, Change], None]


class ApiServer:
    """`with ApiServer(folder).running() as server`; `server.url` is where it listens."""

    def __init__(
        self,
        folder: Path,
        *,
        token: str | None = None,
        on_change: OnChange | None = None,
        logs: dict[str, bytes] | None = None,
    ) -> None:
        self.home = Home(folder / "home")
        self.url = ""
        self.logs = logs or {}  # component -> what it has printed
        self.followed: asyncio.Queue[bytes | None] = asyncio.Queue()  # what it prints then
        self._file = folder / "state.db"
        self._token = token
        self._on_change = on_change
        self._loop = asyncio.new_event_loop()
        self._started: Future[None] = Future()
        self._end = asyncio.Event()

    @contextmanager
    def running(self, *, project: str = "models") -> Iterator["ApiServer"]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            self._started.result(timeout=10)
            with announced(self.home, Running(self.url, os.getpid(), project, self._token)):
                yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join()

    def act(self, change: Callable[[Store], T]) -> T:
        """On the thread of the server: what its controller would do."""
        done: Future[T] = Future()

        def called() -> None:
            try:
                done.set_result(change(self.store))
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(called)
        return done.result(timeout=10)

    def record(self, word: str, name: str, reason: str, message: str, **options: bool) -> None:
        """An event about an object of the namespace default."""
        self.act(
            lambda store: self.recorder.record(
                store.get(ref(word, name)), reason, message, **options
            )
        )

    def print(self, line: bytes | None) -> None:
        """To those who follow a log; None: its end."""
        self._loop.call_soon_threadsafe(self.followed.put_nowait, line)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.store = Store(self._file, ALL_KINDS)
        self.recorder = Recorder(self.store)
        if self._on_change is not None:
            heard = self._on_change
            # Not within the write that it hears of.
            self.store.changes.subscribe(
                lambda change: self._loop.call_soon(heard, self.store, change)
            )
        app = web.Application()
        app.add_routes(routes(self.store, logs=self._log, token=self._token))
        server = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        host, port = server.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._started.set_result(None)
        await self._end.wait()
        self.store.close()
        await server.cleanup()

    async def _log(self, wanted: LogRequest) -> AsyncIterator[bytes]:
        component = wanted.component or "predictor"
        if component not in self.logs:
            raise ApiError(404, "NotFound", f"{wanted.about.name} has no {component}")
        lines = self.logs[component].splitlines(keepends=True)
        yield b"".join(lines if wanted.tail is None else lines[len(lines) - wanted.tail :])
        while wanted.follow and (line := await self.followed.get()) is not None:
            yield line


def ref(word: str, name: str, namespace: str = "default") -> Ref:
    kind = by_name(word)
    assert kind is not None
    return Ref(kind, namespace if kind.namespaced else "", name)


def ready(store: Store, change: Change) -> None:
    """A controller for which everything is ready at once."""
    resource = change.object
    if change.type == "DELETED" or "spec" not in resource:
        return
    name, generation = resource["metadata"]["name"], resource["metadata"]["generation"]
    status = {
        "observedGeneration": generation,
        "url": f"http://127.0.0.1:1/{name}",
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    if resource.get("status") != status and store.find(change.ref) is not None:
        store.replace_status(change.ref, status)
