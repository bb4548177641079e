"""The local backend: replicas as processes on this machine, kept as they were last wanted.

`apply` and `stop` say what is wanted and return at once; `states` and `subscribe` say how it goes.
Both are about one replica by its key and know nothing of InferenceServices. It owns all that it
starts: nothing of it survives `running`, and what a killed run left is ended by the next one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from controller.local import cgroups, logfile, memory
from controller.local.gpus import Inventory
from controller.local.home import Home
from controller.local.leftovers import RunFile, end_leftovers
from controller.local.nvml import NvmlInventory
from controller.local.ports import Ports
from controller.local.replica import ProcessSpec, ProcessState, Reason
from controller.local.settings import LocalSettings
from controller.local.shell import Replica, Surroundings

LOGS_KEPT = 20  # replicas of a service; each revision has others

OnState = Callable[[str, ProcessState], None]
OnOutput = Callable[[str, str], None]


class LocalBackend:
    """`on_output` gets each line that a replica prints, with its key."""

    def __init__(
        self,
        home: Home,
        *,
        settings: LocalSettings | None = None,
        inventory: Inventory | None = None,
        environ: Mapping[str, str] | None = None,
        on_output: OnOutput | None = None,
    ) -> None:
        self._home = home
        self._settings = settings or LocalSettings()
        self._inventory = inventory or NvmlInventory()
        self._environ = os.environ if environ is None else environ
        self._on_output = on_output or _ignore
        self._subscribers: list[OnState] = []
        self._replicas: dict[str, Replica] = {}
        self._around: Surroundings | None = None
        self._empty = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Replicas may be applied inside; in the end all are stopped."""
        await asyncio.to_thread(end_leftovers, self._home.runs)
        found = cgroups.find()
        run_file = RunFile(self._home.runs, found.base if found else None)
        try:
            # A connection for each probe, as the kubelet has it: one that is kept would hide a
            # server that accepts no more.
            connector = aiohttp.TCPConnector(force_close=True)
            jar = aiohttp.DummyCookieJar()
            async with (
                aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session,
                asyncio.TaskGroup() as tasks,
            ):
                spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]] = tasks.create_task
                self._around = Surroundings(
                    home=self._home,
                    settings=self._settings,
                    environ=self._environ,
                    run_file=run_file,
                    ports=Ports(),
                    session=session,
                    cgroups=found,
                    inventory=self._inventory,
                    spawn=spawn,
                    on_state=self._on_state,
                    on_output=self._on_output,
                )
                watching = tasks.create_task(self._watch_memory())
                try:
                    yield
                finally:
                    await self._end()
                    watching.cancel()
        finally:
            self._around = None
            run_file.remove()

    def apply(self, key: str, spec: ProcessSpec) -> None:
        """One replica as it should be; the same again changes nothing."""
        if self._around is None:
            raise RuntimeError("the local backend is not running")
        if (replica := self._replicas.get(key)) is not None:
            replica.apply(spec)
            return
        self._empty.clear()
        self._replicas[key] = replica = Replica(key, spec, self._around)
        self._tell(key, replica.state)

    def stop(self, key: str) -> None:
        """No longer wanted: it ends, and is then forgotten."""
        if (replica := self._replicas.get(key)) is not None:
            replica.stop()

    def kill(self) -> None:
        """All processes, at once: for those who cannot wait for their end."""
        for replica in self._replicas.values():
            replica.kill()

    def states(self) -> Mapping[str, ProcessState]:
        return {key: replica.state for key, replica in self._replicas.items()}

    def subscribe(self, callback: OnState) -> Callable[[], None]:
        """Told of each change; what it returns ends that. A replica's last state is Stopped."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def logs(
        self, key: str, *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[str]:
        """Its lines, from all its lives; while it is wanted, with `follow`."""
        return logfile.lines(
            self._home.log(key),
            tail=tail,
            follow_while=(lambda: key in self._replicas) if follow else None,
        )

    def logged(self, service: str) -> list[str]:
        """The replicas of which there are logs, running or not."""
        files = self._home.log(f"{service}/x").parent.glob("*.log")
        return [f"{service}/{file.stem}" for file in files]

    def _on_state(self, key: str, state: ProcessState) -> None:
        replica = self._replicas[key]
        freed = False
        if replica.done:
            del self._replicas[key]
            logfile.forget_oldest(self._home.log(key).parent, LOGS_KEPT)
            self._discard(self._home.scratch(key))
            freed = self._around is not None and bool(self._around.held.pop(key, ()))
            if not self._replicas:
                self._empty.set()
        self._tell(key, state)
        if freed:
            self._wake_those_without_gpu()

    def _discard(self, scratch: Path) -> None:
        """As a container's file system goes with it. Another replica may get this name at once."""
        aside = scratch.with_name(f".{scratch.name}-{uuid4().hex}")
        with suppress(OSError):  # it never ran
            scratch.rename(aside)
            remove = partial(shutil.rmtree, aside, ignore_errors=True)
            asyncio.get_running_loop().run_in_executor(None, remove)

    def _wake_those_without_gpu(self) -> None:
        waiting = [r for r in self._replicas.values() if r.state.reason == Reason.INSUFFICIENT_GPU]
        for replica in sorted(waiting, key=lambda replica: replica.state.since):
            replica.wake()

    def _tell(self, key: str, state: ProcessState) -> None:
        for callback in list(self._subscribers):
            callback(key, state)

    async def _end(self) -> None:
        for replica in list(self._replicas.values()):
            replica.stop()
        if self._replicas:
            await self._empty.wait()

    async def _watch_memory(self) -> None:
        while True:
            await asyncio.sleep(self._settings.memory_watch_seconds)
            limited = {
                limit[0]: (replica, limit[1])
                for replica in self._replicas.values()
                if (limit := replica.memory_limit) is not None
            }
            if limited:
                limits = {session: limit for session, (_, limit) in limited.items()}
                for session, used in (await asyncio.to_thread(memory.over_limit, limits)).items():
                    limited[session][0].over_memory(session, used)


def _ignore(_key: str, _line: str) -> None:
    pass
