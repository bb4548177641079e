"""Keeps the worker processes: starts them, tells them what to serve, replaces the dead.

What workers should do is one state (generation, readiness, drain) that each worker is fed from;
the newest wins, so nothing queues up behind a slow worker, and one started later gets the same as
all. The supervisor knows no files: generations come from the parent.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import sysconfig
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from router.backoff import backoff, failures_after
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
    ToParent,
    ToWorker,
    Waiting,
    parent_end,
)
from router.config import DataPlaneConfig
from router.counters import Block, Ledger
from router.log import fields
from router.series import IN_FLIGHT

log = logging.getLogger("graphway.workers")

COMMAND = (sys.executable, "-P", "-m", "router.worker")  # -P: the user's folder is not on the path
START_TRIES = 3  # deaths in a row before anything ever served
START_LIMIT_S = 60.0  # from exec to serving, manifests of any sensible size compiled
CLOSING_LIMIT_S = 2.0  # between the end of a drain or a channel and that of the process
LOOKS = 4  # in a row without a sign of life: one alone may follow a pause of the whole machine
DIED, HUNG = "died", "hung"


class End(NamedTuple):
    """Of one life of a worker."""

    how: str
    reason: str = DIED
    cut_off: int = 0  # requests that were in flight


class Process:
    """One life of a worker."""

    def __init__(
        self, number: int, process: asyncio.subprocess.Process, channel: Channel[ToWorker, ToParent]
    ) -> None:
        self.number = number
        self.process = process
        self.channel = channel
        self.wake = asyncio.Event()
        self.generation = 0  # the newest that it serves
        self.serving = asyncio.Event()
        self.hung = False


class Workers:
    def __init__(
        self,
        count: int,
        ledger: Ledger,
        *,
        hang_s: float,
        on_change: Callable[[], None],
        on_answer: Callable[[Installed], None],
        on_waiting: Callable[[str], None],
        on_explained: Callable[[bytes], None],
        grpc: int = 0,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`count` workers for HTTP and `grpc` further ones for gRPC."""
        self._sockets: Sequence[socket.socket] = ()
        self._grpc_sockets: Sequence[socket.socket] = ()
        self._http = count
        self._config = DataPlaneConfig()
        self._ledger = ledger
        self._hang_s = hang_s  # 0: whatever hangs may hang
        self._on_change = on_change
        self._on_answer = on_answer
        self._on_waiting = on_waiting
        self._on_explained = on_explained
        self._command = command
        self._places: list[Process | None] = [None] * (count + grpc)
        self._served = [False] * (count + grpc)  # places that once served
        self._install: Install | None = None
        self._ready = True
        self._drain: Drain | None = None
        self._ending = asyncio.Event()
        self._lives = 0
        self.restarts = {DIED: 0, HUNG: 0}
        self.killed = 0  # workers that did not end by themselves when all should
        self.cut_off = 0  # requests that were in flight in the end
        self.failure: str | None = None  # no worker ever came up: why

    @property
    def alive(self) -> list[Process]:
        return [process for process in self._places if process is not None]

    @property
    def serving(self) -> list[Process]:
        return [process for process in self.alive if process.serving.is_set()]

    @property
    def started(self) -> bool:
        """Whether every place has served at some time."""
        return all(self._served)

    # What should be

    def without_grpc(self) -> None:
        """Before `run`: there is no port for it."""
        del self._places[self._http :]
        del self._served[self._http :]

    def install(self, message: Install) -> None:
        self._install = message
        self._wake()

    def set_ready(self, ready: bool) -> None:
        self._ready = ready
        self._wake()

    def drain(self, limit_s: float) -> None:
        """`run` returns when all have finished, or been killed after the limit."""
        self._drain = Drain(limit_s)
        self._ending.set()
        self._wake()

    def kill(self) -> None:
        """`run` returns at once."""
        self._ending.set()
        for process in self.alive:
            self._kill(process)

    # What is

    async def run(
        self,
        sockets: Sequence[socket.socket],
        config: DataPlaneConfig,
        grpc_sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Until the end of a drain, or of all hope (`failure`)."""
        self._sockets, self._config, self._grpc_sockets = sockets, config, grpc_sockets
        async with asyncio.TaskGroup() as places:
            for place in range(len(self._places)):
                places.create_task(self._keep(place))

    async def _keep(self, place: int) -> None:
        """One worker after the other, until the end."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            began = clock()
            try:
                how, reason, cut_off = await self._live(place)
            except OSError as error:
                how, reason, cut_off = End(f"could not be started: {error}")
            if self._ending.is_set():
                self.cut_off += cut_off
                return
            failures = failures_after(failures, clock() - began)
            about = fields(worker=place, failures=failures, requests_cut_off=cut_off)
            log.error("worker %s", how, extra=about)
            if not any(self._served) and failures >= START_TRIES:
                self.failure = f"workers end before they serve; the last one {how}"
                self._on_change()
                return
            if await within(backoff(failures), self._ending.wait()):
                return
            self.restarts[reason] += 1

    async def _live(self, place: int) -> End:
        """From exec to the end of the process."""
        process = await self._start(place)
        self._places[place] = process
        try:
            async with asyncio.TaskGroup() as talk:
                feeding = talk.create_task(self._feed(process))
                watching = talk.create_task(self._watch(process))
                hearing = talk.create_task(self._hear(process, place))
                code = await process.process.wait()
                for task in (feeding, watching, hearing):
                    task.cancel()
        finally:
            if process.process.returncode is None:
                process.process.kill()
            await process.process.wait()
            process.channel.close()
            cut_off = self._ledger.total(process.number, IN_FLIGHT)
            self._ledger.retire(process.number)
            self._places[place] = None
            self._on_change()
        reason = HUNG if process.hung else DIED
        return End(_ending(process.process.pid, code), reason, cut_off)

    async def _start(self, place: int) -> Process:
        self._lives += 1
        number = self._lives
        block = Block.create()
        self._ledger.open(number, block)
        ours, theirs = socket.socketpair()
        is_grpc = place >= self._http
        sockets = self._grpc_sockets if is_grpc else self._sockets
        listening = [listener.fileno() for listener in sockets]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *("--channel-fd", str(theirs.fileno())),
                *("--counters-fd", str(block.fd)),
                *("--listen-fd", *map(str, listening)),
                *("--parent", str(os.getpid())),
                *(("--grpc",) if is_grpc else ()),
                pass_fds=(theirs.fileno(), block.fd, *listening),
                stdin=asyncio.subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # a terminal's Ctrl-C and hang-up are the parent's
            )
        except OSError:
            self._ledger.retire(number)
            ours.close()
            raise
        finally:
            theirs.close()
        return Process(number, process, await parent_end(ours))

    async def _feed(self, process: Process) -> None:
        """Tells the worker what it does not know yet."""
        generation, ready, draining = 0, True, False
        try:
            await process.channel.send(Configure(self._config))
            while True:
                process.wake.clear()
                if self._install and self._install.generation != generation:
                    generation = self._install.generation
                    await process.channel.send(self._install)
                if self._ready != ready:
                    ready = self._ready
                    await process.channel.send(Ready(ready))
                if self._drain and not draining:
                    draining = True
                    await process.channel.send(self._drain)
                await process.wake.wait()
        except ConnectionError:
            return  # it is dying; whoever waits for the process learns how

    async def _hear(self, process: Process, place: int) -> None:
        try:
            while (message := await process.channel.receive()) is not None:
                match message:
                    case Drained(cut_off):
                        self.cut_off += cut_off
                    case Waiting(services):
                        for service in services:
                            self._on_waiting(service)
                    case Explained(records):
                        for record in records:
                            self._on_explained(record)
                    case Installed(generation, problems):
                        if not problems:
                            process.generation = generation
                            self._served[place] = True
                            process.serving.set()
                        self._on_answer(message)
        except BrokenChannel as error:
            log.error("worker speaks garbage: %s", error, extra=fields(pid=process.process.pid))
        # Its end of the channel is closed: the process ends by itself, or hangs.
        await asyncio.sleep(CLOSING_LIMIT_S)
        self._kill(process)

    async def _watch(self, process: Process) -> None:
        """Ends a worker that takes too long: to start, to show itself, or to drain."""
        if not await within(START_LIMIT_S, process.serving.wait()):
            log.error("worker does not start", extra=fields(pid=process.process.pid))
            self._kill(process)
            return
        if await self._hangs(process):
            log.error("worker hangs", extra=fields(pid=process.process.pid))
            process.hung = True
            self._kill(process)
            return
        limit_s = self._drain.limit_s if self._drain else 0.0
        await asyncio.sleep(limit_s + CLOSING_LIMIT_S)
        log.error("worker does not end", extra=fields(pid=process.process.pid))
        self._kill(process)

    async def _hangs(self, process: Process) -> bool:
        """True once its loop has stood still for too long, False once all should end."""
        if not self._hang_s:
            await self._ending.wait()
        seen, still = -1, 0
        while still < LOOKS:
            if await within(self._hang_s / LOOKS, self._ending.wait()):
                return False
            before, seen = seen, self._ledger.ticks(process.number)
            still = still + 1 if seen == before else 0
        return True

    def _kill(self, process: Process) -> None:
        self.killed += self._ending.is_set()
        process.process.kill()

    def _wake(self) -> None:
        for process in self.alive:
            process.wake.set()


async def within(seconds: float, happening: Coroutine[Any, Any, object]) -> bool:
    """Whether it happened in time."""
    try:
        async with asyncio.timeout(seconds):
            await happening
    except TimeoutError:
        return False
    return True


def _ending(pid: int, code: int) -> str:
    if code < 0:
        return f"(process {pid}) was killed by signal {-code} ({signal.strsignal(-code)})"
    return f"(process {pid}) ended with exit code {code}"


def _environment() -> dict[str, str]:
    """Ours, so that the worker finds the same packages: an installed tree is found anyway."""
    root = str(Path(__file__).parents[1])
    environment = dict(os.environ)
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([root, known] if known else [root])
    return environment
