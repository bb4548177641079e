"""The local backend: every service of a plan as processes on this machine, until cancelled.

It runs inside somebody's event loop and tells what it knows: endpoints whenever one comes or goes,
progress all the time. Who serves graphs from that is not its business.
"""

import asyncio
import os
from collections.abc import Callable, Mapping

import aiohttp

from controller.endpoints import Endpoint
from controller.local.home import Home
from controller.local.leftovers import RunFile, end_leftovers
from controller.local.plan import Plan
from controller.local.ports import Ports
from controller.local.process import Process
from controller.local.progress import ProgressSink, Silent
from controller.local.supervise import Supervisor, Surroundings

GRACE_S = 10.0  # from SIGTERM to SIGKILL; a cluster gives 30, but here somebody waits at a terminal

OnEndpoints = Callable[[Mapping[str, Endpoint]], None]


class LocalController:
    def __init__(
        self,
        plan: Plan,
        *,
        home: Home,
        on_endpoints: OnEndpoints,
        progress: ProgressSink | None = None,
        environ: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._plan = plan
        self._home = home
        self._on_endpoints = on_endpoints
        self._progress = progress or Silent()
        self._environ = os.environ if environ is None else environ
        self._grace_s = grace_s
        self._addresses: dict[str, str | None] = {s.key: None for s in plan.services}
        self._all_ready = asyncio.Event()
        self._running: set[Process] = set()

    @property
    def waiting(self) -> list[str]:
        """Who is not ready."""
        return [key for key, address in self._addresses.items() if address is None]

    async def wait_ready(self) -> None:
        """Until all are ready at once."""
        await self._all_ready.wait()

    def kill(self) -> None:
        """For those who cannot wait for its end."""
        for process in self._running:
            process.kill()

    async def run(self) -> None:
        """Until cancelled; then everything is stopped."""
        await asyncio.to_thread(end_leftovers, self._home.runs)
        self._say()
        run_file = RunFile(self._home.runs)
        try:
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
                around = Surroundings(
                    self._home,
                    run_file,
                    Ports(),
                    session,
                    self._progress,
                    self._environ,
                    self._grace_s,
                    self._running,
                )
                for service in self._plan.services:
                    supervisor = Supervisor(service, around, self._setter(service.key))
                    group.create_task(supervisor.run())
                await asyncio.Event().wait()  # without services too: the graphs still run
        finally:
            run_file.remove()

    def _setter(self, key: str) -> Callable[[str | None], None]:
        def set_address(address: str | None) -> None:
            if self._addresses[key] != address:
                self._addresses[key] = address
                self._say()

        return set_address

    def _say(self) -> None:
        self._on_endpoints(
            {
                service.key: Endpoint(_addresses(self._addresses[service.key]), service.path)
                for service in self._plan.services
            }
        )
        if self.waiting:
            self._all_ready.clear()
        else:
            self._all_ready.set()


def _addresses(address: str | None) -> tuple[str, ...]:
    return () if address is None else (address,)
