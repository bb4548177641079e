"""Brings models to the servers of many, and takes them out: what stands where, and what is done.

Two things never happen to one model of a service at once. What is known of a server is known of its
life (`lives`), and compared with what it says itself once in a while.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import aiohttp

from controller.observe import Observed, Replica
from controller.store.refs import Json
from controller.trainedmodels.facts import digest_of, key_of
from controller.trainedmodels.lives import Life, Lives
from controller.trainedmodels.repository import Repository
from controller.trainedmodels.server import Server
from controller.trainedmodels.tell import Servers
from controller.workload import Component

log = logging.getLogger("graphway.controller")

RESYNC_S = 60.0
NO_SETTINGS = (
    "; if the server is MLServer, add a model-settings.json to the model: "
    "how it loads this framework is not known here"
)


class Supply(Protocol):
    """What a backend knows of models and servers. `load_s`: how long one may take to load."""

    load_s: float

    def pause_s(self, failures: int) -> float:
        """Before what failed so often in a row is tried again."""

    def repository(self, service: str) -> Path:
        """The folder from which its servers load."""

    async def bring(self, service: str, model: Json, component: Component) -> Path | str:
        """The model on this disk, where it stays until it is released; or why it is not."""

    def release(self, service: str, name: str, digest: str) -> None:
        """Nobody needs its files any more."""

    async def last_words(self, service: str, replica: str) -> str:
        """Of an error that it printed just now; empty if it printed none."""


class Carrier:
    """`tried` is told of a service one of whose servers has been asked to load a model, and gets no
    calls so far.
    """

    def __init__(
        self,
        supply: Supply,
        observe: Callable[[str], Observed],
        tried: Callable[[str], None],
    ) -> None:
        self._supply = supply
        self._observe = observe
        self._tried = tried
        self._session: aiohttp.ClientSession | None = None
        self._lives: dict[str, Lives] = {}
        self._placed: dict[str, dict[str, str]] = {}  # digests by service and name
        # In this run: digests by service and name. The one before stays until nobody has it.
        self._brought: dict[tuple[str, str], list[str]] = {}
        self._bringing: dict[str, asyncio.Timeout] = {}  # by key of the model
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(force_close=True)  # servers come and go
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as self._session:
            yield

    # What is known

    def knows(self, service: str) -> bool:
        return service in self._lives or service in self._placed

    def life(self, service: str, replica: Replica) -> Life | None:
        return self._lives.setdefault(service, Lives()).of(replica)

    def lives(self, service: str) -> list[Life]:
        """Of the servers that answer."""
        return self._lives.setdefault(service, Lives()).now(self._observe(service))

    def placed(self, service: str) -> Mapping[str, str]:
        """Digests by name, of the models that its servers find."""
        return self._places(service)

    def is_placed(self, service: str, live: Json) -> bool:
        return self._places(service).get(live["metadata"]["name"]) == digest_of(live)

    def servers(self, service: str, live: Json) -> Servers:
        name, digest = live["metadata"]["name"], digest_of(live)
        lives = self.lives(service)
        failures = {life.replica: life.failures[name] for life in lives if name in life.failures}
        return Servers(
            total=len(lives),
            loaded=sum(life.has(name, digest) for life in lives),
            placed=self.is_placed(service, live),
            failures=failures,
        )

    # What is done

    def interrupt(self, model: str) -> None:
        """Its files are not wanted as they were."""
        if (bringing := self._bringing.get(model)) is not None:
            bringing.reschedule(0)

    async def place(self, service: str, live: Json, component: Component) -> str | None:
        """Why it cannot be; None if its files are where servers find them."""
        name, digest, key = live["metadata"]["name"], digest_of(live), key_of(live)
        placed = self.is_placed(service, live)
        if placed and digest in self._brought.get((service, name), ()):
            return None
        try:
            async with asyncio.timeout(None) as self._bringing[key]:
                model = await self._supply.bring(service, live, component)
        except TimeoutError:
            model = "something else is wanted of it now"
        finally:
            self._bringing.pop(key, None)
        if isinstance(model, str):
            self._supply.release(service, name, digest)
            return model
        self._brought.setdefault((service, name), []).append(digest)
        if placed:  # by a run before this one, which held the model as this one does now
            return None
        framework = live["spec"]["model"]["framework"]
        repository = self._repository(service)
        async with self._locked(service, name):
            failure = await asyncio.to_thread(repository.place, name, digest, model, framework)
            if failure is None:
                self._places(service)[name] = digest
        return failure

    async def load(self, service: str, live: Json) -> Servers:
        """Into every server that has it not; what came of it."""
        name, digest = live["metadata"]["name"], digest_of(live)
        async with self._locked(service, name), asyncio.TaskGroup() as tasks:
            for life in self.lives(service):
                tasks.create_task(self._load(service, life, name, digest))
        found = self.servers(service, live)
        if found.total and found.loaded == found.total:
            await asyncio.to_thread(self._repository(service).only, name, digest)
            self._release(service, name, kept=digest)
        return found

    def _release(self, service: str, name: str, kept: str = "") -> None:
        brought = self._brought.pop((service, name), [])
        for digest in {*brought} - {kept}:
            self._supply.release(service, name, digest)
        if kept in brought:
            self._brought[service, name] = [kept]

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
            if not self._repository(service).has_settings(name):
                failure += NO_SETTINGS
            if life.held.get(name, digest) != digest and await server.is_ready(name):
                failure += "; the model before it is still served"
            else:
                life.held.pop(name, None)
            life.failures[name] = failure
        if not life.admitted:
            self._tried(service)

    async def take_out(self, service: str, name: str) -> None:
        """Of every server, and of their folder."""
        async with self._locked(service, name):
            lives = [life for life in self.lives(service) if name in life.tried]
            async with asyncio.TaskGroup() as tasks:
                for life in lives:
                    tasks.create_task(self._unload(life, name))
            if name in self._places(service):
                await asyncio.to_thread(self._repository(service).remove, name)
                self._places(service).pop(name, None)
            self._release(service, name)

    async def _unload(self, life: Life, name: str) -> None:
        failure = await self._server(life).unload(name)
        life.forget(name)
        if failure is not None:  # its process may just be ending; nobody is sent to it any more
            log.warning("%s: %s is not unloaded: %s", life.replica, name, failure)

    async def forget(self, service: str) -> None:
        """It is gone, with its servers."""
        self._lives.pop(service, None)
        self._placed.pop(service, None)
        for each in [each for each in self._brought if each[0] == service]:
            self._release(*each)
        await asyncio.to_thread(self._repository(service).clear)

    def _places(self, service: str) -> dict[str, str]:
        if service not in self._placed:
            self._placed[service] = self._repository(service).placed()
        return self._placed[service]

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


def _now_s() -> float:
    return asyncio.get_running_loop().time()
