"""Every service of a plan as one replica of the local backend, until cancelled.

It tells what it knows: endpoints whenever one comes or goes, progress all the time. Who serves
graphs from that is not its business.
"""

import asyncio
from collections.abc import Callable, Mapping

from controller.endpoints import Endpoint
from controller.local.backend import LocalBackend
from controller.local.container import process_spec
from controller.local.home import Home
from controller.local.plan import LocalService, Plan
from controller.local.progress import Phase, ProgressSink, Silent
from controller.local.replica import Phase as State
from controller.local.replica import ProcessSpec, ProcessState
from controller.local.settings import LocalSettings
from controller.local.variables import PodFields

GRACE_S = 10.0  # from SIGTERM to SIGKILL; a cluster gives 30, but here somebody waits at a terminal

OnEndpoints = Callable[[Mapping[str, Endpoint]], None]

_PHASES = {
    State.PENDING: Phase.PREPARING,
    State.STARTING: Phase.STARTING,
    State.READY: Phase.READY,
    State.NOT_READY: Phase.UNREADY,
    State.BACKOFF: Phase.CRASHED,
    State.FAILED: Phase.CRASHED,
    State.STOPPED: Phase.STOPPED,
}


class LocalController:
    def __init__(
        self,
        plan: Plan,
        *,
        home: Home,
        on_endpoints: OnEndpoints,
        progress: ProgressSink | None = None,
        environ: Mapping[str, str] | None = None,
        settings: LocalSettings | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._plan = plan
        self._home = home
        self._on_endpoints = on_endpoints
        self._progress = progress or Silent()
        self._backend = LocalBackend(
            home, settings=settings, environ=environ, on_output=self._progress.output
        )
        self._grace_s = grace_s
        self._services = {service.key: service for service in plan.services}
        self._addresses: dict[str, str | None] = dict.fromkeys(self._services)
        self._started: dict[str, float] = {}
        self._told: dict[str, tuple[Phase, str]] = {}
        self._all_ready = asyncio.Event()

    @property
    def waiting(self) -> list[str]:
        """Who is not ready."""
        return [key for key, address in self._addresses.items() if address is None]

    async def wait_ready(self) -> None:
        """Until all are ready at once."""
        await self._all_ready.wait()

    def kill(self) -> None:
        """For those who cannot wait for its end."""
        self._backend.kill()

    async def run(self) -> None:
        """Until cancelled; then everything is stopped."""
        self._backend.subscribe(self._on_state)
        async with self._backend.running():
            self._say()
            for service in self._plan.services:
                self._backend.apply(service.key, _spec(service, self._home, self._grace_s))
            await asyncio.Event().wait()  # without services too: the graphs still run

    def _on_state(self, key: str, state: ProcessState) -> None:
        service = self._services[key]
        address = None
        if state.ready:
            declared = service.workload.predictor.container.ports[0].container_port
            address = f"http://127.0.0.1:{state.ports[declared]}"
        if state.phase in _PHASES:
            told = (_PHASES[state.phase], self._detail(key, state, address))
            if self._told.get(key) != told:
                self._told[key] = told
                self._progress.phase(key, *told)
        if self._addresses[key] != address:
            self._addresses[key] = address
            self._say()

    def _detail(self, key: str, state: ProcessState, address: str | None) -> str:
        match state.phase:
            case State.STARTING:
                self._started[key] = state.since
                return self._services[key].workload.runtime or "its own command"
            case State.READY:
                took_s = state.since - self._started[key]
                return f"{address} after {took_s:.1f} s"
            case State.BACKOFF | State.FAILED:
                return f"{state.message} (see {self._home.log(key)})"
        return state.message

    def _say(self) -> None:
        self._on_endpoints(
            {
                key: Endpoint(_addresses(self._addresses[key]), service.path)
                for key, service in self._services.items()
            }
        )
        if self.waiting:
            self._all_ready.clear()
        else:
            self._all_ready.set()


def _spec(service: LocalService, home: Home, grace_s: float) -> ProcessSpec:
    namespace, _, name = service.key.partition("/")
    spec = process_spec(
        service.workload.predictor.container,
        pod=PodFields(name, namespace),
        folder=home.scratch(service.key),
        mounts=service.mounts,
        packages=service.packages,
        grace_s=grace_s,
    )
    assert isinstance(spec, ProcessSpec)  # a plan has none of what could be wrong
    return spec


def _addresses(address: str | None) -> tuple[str, ...]:
    return () if address is None else (address,)
