"""The async shell around the lifecycle of one replica: it starts, asks, signals and reports.

No decision is made here that a test would want to see: `lifecycle.step` says what to do, and what
happened goes back to it. Each life is one task, which ends with nothing left of its processes.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from controller.local import lifecycle, probe, process, python_env
from controller.local.cgroups import Cgroup, Cgroups
from controller.local.events import (
    Action,
    Answered,
    Apply,
    Begin,
    Cancel,
    Event,
    Exited,
    Gone,
    Kill,
    Lacking,
    Look,
    OverMemory,
    Preparing,
    Started,
    Stop,
    Terminate,
    Unsupported,
    Wake,
)
from controller.local.gpus import Inventory, NotEnough, allocate
from controller.local.home import Home
from controller.local.launch import Launch, launch
from controller.local.leftovers import MARK, RunFile, kill_marked
from controller.local.ports import Ports, stranger, taken
from controller.local.process import Process
from controller.local.replica import ProcessSpec, ProcessState
from controller.local.settings import LocalSettings

log = logging.getLogger("graphway.local")

CHILDREN_S = 2.0  # for what a process that ended left in its group, from SIGTERM to SIGKILL


@dataclass(slots=True)
class Surroundings:
    """What all replicas share."""

    home: Home
    settings: LocalSettings
    environ: Mapping[str, str]
    run_file: RunFile
    ports: Ports
    session: aiohttp.ClientSession
    cgroups: Cgroups | None
    inventory: Inventory
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    on_state: Callable[[str, ProcessState], None]
    on_output: Callable[[str, str], None]
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)  # GPUs, by replica
    told_of_cpus: bool = False


class Replica:
    def __init__(self, key: str, spec: ProcessSpec, around: Surroundings) -> None:
        self.key = key
        self._around = around
        self._log = around.home.log(key)
        self._loop = asyncio.get_running_loop()
        # Monotonic, and yet a time that can be shown.
        self._epoch = time.time() - self._loop.time()
        self._life_task: asyncio.Task[None] | None = None
        self._looks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._process: Process | None = None
        self._launch: Launch | None = None
        self._limited = False  # by a cgroup
        self._answers_itself = False  # seen once in a life; the look is not cheap
        self._life, actions = lifecycle.new(spec, around.settings.backoff, self._now())
        self._carry_out(actions)

    @property
    def state(self) -> ProcessState:
        return self._life.state

    @property
    def done(self) -> bool:
        return self._life.done

    @property
    def memory_limit(self) -> tuple[int, int] | None:
        """Session and bytes, if somebody has to watch it."""
        limit = self._life.spec.memory_bytes
        if self._process is None or limit is None or self._limited:
            return None
        return self._process.pid, limit

    def apply(self, spec: ProcessSpec) -> None:
        self._handle(Apply(spec))

    def stop(self) -> None:
        self._handle(Stop())

    def wake(self) -> None:
        self._handle(Wake())

    def over_memory(self, session: int, used_bytes: int) -> None:
        if self._process is not None and self._process.pid == session:  # and no later life
            self._handle(OverMemory(used_bytes))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _now(self) -> float:
        return self._epoch + self._loop.time()

    def _handle(self, event: Event) -> None:
        before = self._life
        self._life, actions = lifecycle.step(before, event, self._now())
        self._carry_out(actions)
        if self._life.state != before.state or self._life.done != before.done:
            self._around.on_state(self.key, self._life.state)

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Begin(spec):
                    self._life_task = self._around.spawn(self._live(spec))
                case Cancel():
                    assert self._life_task is not None
                    self._life_task.cancel()
                case Terminate():
                    if self._process is not None:
                        self._process.terminate()
                case Kill():
                    self.kill()
                case Look():
                    task = self._around.spawn(self._look(action))
                    self._looks.add(task)
                    task.add_done_callback(self._looks.discard)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (at := self._life.next_at()) is not None:
            self._timer = self._loop.call_at(at - self._epoch, self.wake)

    async def _live(self, spec: ProcessSpec) -> None:
        lost: tuple[int, ...] = ()
        ports: dict[int, int] = {}
        try:
            if refusal := probe.unsupported((spec.readiness, spec.liveness, spec.startup)):
                self._handle(Unsupported(refusal))
                return
            gpus = await self._take_gpus(spec)
            if isinstance(gpus, NotEnough):
                self._handle(Lacking(gpus.message))
                return
            mark = self._around.run_file.life_mark()
            environ = {**self._around.environ, MARK: mark}
            made = await self._environment(spec, environ)
            if isinstance(made, python_env.EnvironmentFailed):
                self._handle(Exited(None, made.message))
                return
            for port in spec.ports:
                ports[port.number] = self._around.ports.take()
            ready = launch(spec, ports=ports, gpus=gpus, python_env=made, environ=environ)
            if await self._run(spec, ready, ports, gpus, mark) != 0:
                lost = tuple(filter(taken, ports.values()))
        except OSError as error:  # the working directory, the log file, no port, no process
            self._handle(Exited(None, f"it cannot be started: {error}"))
        finally:
            self._around.ports.give_back(ports.values())
            self._handle(Gone(lost))

    async def _take_gpus(self, spec: ProcessSpec) -> tuple[str, ...] | NotEnough:
        held = self._around.held
        if spec.gpus == 0:
            held.pop(self.key, None)
            return ()
        devices = await asyncio.to_thread(self._around.inventory.devices)
        found = allocate(self.key, spec.gpus, devices, held)
        if not isinstance(found, NotEnough):
            held[self.key] = found
        return found

    async def _environment(
        self, spec: ProcessSpec, environ: Mapping[str, str]
    ) -> Path | python_env.EnvironmentFailed | None:
        if spec.packages is None:
            return None
        return await python_env.ensure(
            self._around.home.envs,
            spec.packages,
            log=self._log,
            environ=environ,
            on_detail=lambda detail: self._handle(Preparing(detail)),
        )

    async def _run(
        self,
        spec: ProcessSpec,
        ready: Launch,
        ports: Mapping[int, int],
        gpus: tuple[str, ...],
        mark: str,
    ) -> int:
        cgroup = self._cgroup(spec, mark)
        try:
            running = await process.start(
                ready,
                self._log,
                lambda line: self._around.on_output(self.key, line),
                limits=self._around.settings.log_limits,
                cgroup=cgroup.folder if cgroup else None,
            )
        except asyncio.CancelledError:  # it may have begun to run
            await asyncio.to_thread(kill_marked, mark)
            raise
        self._process, self._launch, self._limited = running, ready, cgroup is not None
        self._answers_itself = False
        self._around.run_file.add(running.pid)
        try:
            self._handle(Started(running.pid, ports, gpus))
            status = await running.run()
            self._handle(_exited(status, running.last_lines, cgroup))
        except BaseException:
            running.kill()
            raise
        finally:
            for look in self._looks:
                look.cancel()
            await self._clear(running, cgroup, mark)
            self._process = None
        return status

    async def _clear(self, running: Process, cgroup: Cgroup | None, mark: str) -> None:
        await running.stop(CHILDREN_S)
        if cgroup is not None:
            cgroup.kill()
        await asyncio.to_thread(kill_marked, mark)
        if cgroup is not None:
            cgroup.remove()
        self._around.run_file.discard(running.pid)

    def _cgroup(self, spec: ProcessSpec, mark: str) -> Cgroup | None:
        if spec.memory_bytes is None and spec.cpus is None:
            return None
        if self._around.cgroups is not None:
            return self._around.cgroups.make(mark, spec.memory_bytes, spec.cpus)
        if spec.cpus is not None and not self._around.told_of_cpus:
            self._around.told_of_cpus = True
            log.warning(
                "CPU limits have no effect here: no cgroup of version 2 is writable; "
                "`systemd-run --user --scope -p Delegate=yes graphway up` gives it one"
            )
        return None

    async def _look(self, look: Look) -> None:
        assert self._launch is not None
        ports = self._life.state.ports
        failed = await probe.failure(look.probe, self._around.session, ports, self._launch)
        if failed is None and not self._answers_itself:
            failed = await self._stranger(ports)
            self._answers_itself = failed is None
        self._handle(Answered(look.kind, failed is None, failed or ""))

    async def _stranger(self, ports: Mapping[int, int]) -> str | None:
        """Whether the answer came from somebody who took a port before it could."""
        assert self._process is not None
        for port in ports.values():
            pid = await asyncio.to_thread(stranger, port, self._process.pid)
            if pid is not None:
                return f"process {pid} took its port {port} first"
        return None


def _exited(status: int, last_lines: list[str], cgroup: Cgroup | None) -> Exited:
    oom = cgroup is not None and cgroup.oom_kills() > 0
    name = _signal_name(-status) if status < 0 else None
    how = f"it was ended by {name}" if name else f"it ended with status {status}"
    if oom:
        how = "it outgrew its memory limit and was killed"
    last = last_lines[-1] if last_lines else "it printed nothing"
    return Exited(status, f"{how}: {last}", name, tuple(last_lines), oom)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
