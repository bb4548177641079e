"""Keeps one service running: environment, process, probe, and again after it ended.

It only ever ends by cancellation, and then nothing of the service is left.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from controller.local import process, python_env
from controller.local.backoff import failures_after, pause
from controller.local.home import Home
from controller.local.launch import launch
from controller.local.leftovers import MARK, RunFile
from controller.local.plan import LocalService
from controller.local.ports import Ports
from controller.local.probe import answers
from controller.local.process import Process
from controller.local.progress import Phase, ProgressSink

STARTING_PERIOD_S = 0.1  # between probes until it is ready: somebody waits
READY_PERIOD_S = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all services share."""

    home: Home
    run_file: RunFile
    ports: Ports
    session: aiohttp.ClientSession
    progress: ProgressSink
    environ: Mapping[str, str]
    grace_s: float
    running: set[Process] = field(default_factory=set)


class Supervisor:
    """`on_address` gets the service's origin when it is ready, None when it no longer is."""

    def __init__(
        self,
        service: LocalService,
        around: Surroundings,
        on_address: Callable[[str | None], None],
    ) -> None:
        self._service = service
        self._around = around
        self._on_address = on_address
        self._log = around.home.log(service.key)

    async def run(self) -> None:
        failures = 0
        try:
            while True:
                began = time.monotonic()
                reason = await self._life()
                failures = failures_after(failures, time.monotonic() - began)
                wait_s = pause(failures)
                self._tell(Phase.CRASHED, f"{reason}; starts again in {wait_s:.0f} s")
                await asyncio.sleep(wait_s)
        finally:
            self._tell(Phase.STOPPED, "")

    async def _life(self) -> str:
        """From nothing to its end; why it ended."""
        around, service = self._around, self._service
        environ = {**around.environ, MARK: around.run_file.mark}
        python: Path | None = None
        if service.packages is not None:
            self._tell(Phase.PREPARING, "")
            made = await python_env.ensure(
                around.home.envs,
                service.packages,
                log=self._log,
                environ=environ,
                on_detail=lambda detail: self._tell(Phase.PREPARING, detail),
            )
            if isinstance(made, python_env.EnvironmentFailed):
                return made.message
            python = made
        ports = {port.container_port: around.ports.take() for port in service.workload.ports}
        try:
            running = await process.start(
                launch(
                    service.workload,
                    ports=ports,
                    mounts=service.mounts,
                    python_env=python,
                    scratch=around.home.scratch(service.key),
                    environ=environ,
                ),
                self._log,
                lambda line: around.progress.output(service.key, line),
            )
        except OSError as error:  # the working directory, the log file
            around.ports.give_back(ports.values())
            return f"it cannot be started: {error}"
        around.running.add(running)
        around.run_file.add(running.pid)
        self._tell(Phase.STARTING, f"{service.workload.runtime or 'its own command'}")
        try:
            return await self._until_end(running, ports)
        finally:
            self._on_address(None)
            await running.stop(around.grace_s)
            around.run_file.discard(running.pid)
            around.running.discard(running)
            around.ports.give_back(ports.values())

    async def _until_end(self, running: Process, ports: Mapping[int, int]) -> str:
        async with asyncio.TaskGroup() as group:
            probing = group.create_task(self._probe(ports))
            status = await running.run()
            probing.cancel()
        last = running.last_lines[-1] if running.last_lines else "it printed nothing"
        return f"{_ending(status)}: {last} (see {self._log})"

    async def _probe(self, ports: Mapping[int, int]) -> None:
        probe = self._service.workload.probe
        address = f"http://127.0.0.1:{ports[self._service.workload.ports[0].container_port]}"
        began = time.monotonic()
        ready, failures = False, 0
        while True:
            good = await answers(self._around.session, probe, ports[probe.port])
            failures = 0 if good else failures + 1
            if good and not ready:
                ready = True
                self._on_address(address)
                self._tell(Phase.READY, f"{address} after {time.monotonic() - began:.1f} s")
            elif ready and failures >= probe.failures:
                ready = False
                self._on_address(None)
                self._tell(Phase.UNREADY, f"{address} does not answer its probe")
            await asyncio.sleep(READY_PERIOD_S if ready else STARTING_PERIOD_S)

    def _tell(self, phase: Phase, detail: str) -> None:
        self._around.progress.phase(self._service.key, phase, detail)


def _ending(status: int) -> str:
    if status >= 0:
        return f"it ended with status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
