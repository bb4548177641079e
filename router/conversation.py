"""The worker's half of the channel: does what the parent says, and says what became of it.

It knows a data plane only by this protocol. The end of the channel means that the parent is dead
(or has heard `Drained`): the worker stops at once, so no orphan goes on serving.
"""

import asyncio
import gc
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from router.channel import (
    BrokenChannel,
    Channel,
    Configure,
    Drain,
    Drained,
    Explained,
    Install,
    Installed,
    Ready,
    Started,
    ToParent,
    ToWorker,
    Waiting,
)
from router.config import DataPlaneConfig, EndpointSource, GraphSource

SETTLE_S = 0.05  # who waited for the swap of many plans need not wait for the collector too


class Plane(Protocol):
    """What a data plane must do for its parent."""

    async def install(
        self, graphs: Sequence[GraphSource], endpoints: Mapping[str, EndpointSource]
    ) -> tuple[str, ...]:
        """Serve these and no others; problems (nothing changes then), or none."""

    def listen(self, sockets: Sequence[socket.socket]) -> None: ...

    def set_ready(self, ready: bool) -> None: ...

    async def drain(self, limit_s: float) -> int:
        """Accept no more, finish; how many requests the limit cut off."""

    def close(self) -> None: ...


class Worker:
    """Serves from the first good `Install` on, until it is drained or alone."""

    def __init__(
        self,
        channel: Channel[ToParent, ToWorker],
        make_plane: Callable[
            [DataPlaneConfig, Callable[[str], None], Callable[[bytes], None]], Plane
        ],
        sockets: Sequence[socket.socket],
    ) -> None:
        self._channel = channel
        self._make_plane = make_plane
        self._sockets = sockets
        self._listening = False
        self._graphs: tuple[GraphSource, ...] = ()  # as installed last
        self._waiting: dict[str, None] = {}  # services that the parent is to hear of
        self._explained: deque[bytes] = deque()  # and records of requests
        self._wake = asyncio.Event()
        self.drained = False

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            self._channel.close()

    async def _run(self) -> None:
        first = await self._channel.receive()
        if first is None:
            return
        if not isinstance(first, Configure):
            raise BrokenChannel(f"{type(first).__name__} came before Configure")
        self._explained = deque(maxlen=first.config.explain_kept)
        plane = self._make_plane(first.config, self._note_waiting, self._note_explained)
        try:
            await self._channel.send(Started())
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell())
                while (message := await self._channel.receive()) is not None:
                    match message:
                        case Install():
                            await self._channel.send(await self._install(plane, message))
                            if message.graphs != self._graphs:  # not for replicas that come and go
                                self._graphs = message.graphs
                                await self._settle()
                        case Ready(ready):
                            plane.set_ready(ready)
                        case Drain(limit_s):
                            tasks.create_task(self._drain(plane, limit_s))
                        case Configure():
                            raise BrokenChannel("Configure came twice")
                telling.cancel()
                if not self.drained:
                    raise _Alone
        except* (_Alone, ConnectionError):
            pass
        finally:
            if not self.drained:
                plane.close()

    async def _install(self, plane: Plane, message: Install) -> Installed:
        problems = await plane.install(message.graphs, message.endpoints)
        if not problems and not self._listening:
            plane.listen(self._sockets)
            self._listening = True
        return Installed(message.generation, problems)

    async def _settle(self) -> None:
        """Plans live until the next install: the collector need not walk them again and again."""
        await asyncio.sleep(SETTLE_S)
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def _note_waiting(self, service: str) -> None:
        self._waiting[service] = None
        self._wake.set()

    def _note_explained(self, record: bytes) -> None:
        self._explained.append(record)
        self._wake.set()

    async def _tell(self) -> None:
        """At once, but all of one turn of the loop in one message."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            services, self._waiting = tuple(self._waiting), {}
            if services:
                await self._channel.send(Waiting(services))
            records = tuple(self._explained)
            self._explained.clear()
            if records:
                await self._channel.send(Explained(records))

    async def _drain(self, plane: Plane, limit_s: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(plane.drain(limit_s))
            await asyncio.sleep(0)  # it has stopped accepting; what stays open would still queue
            for listener in self._sockets:
                listener.close()
        self.drained = True
        await self._channel.send(Drained(draining.result()))
        self._channel.close()  # ends `run`


class _Alone(Exception):
    """The parent is gone: cancels a drain that still runs."""
