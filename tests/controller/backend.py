"""The local backend over fake servers: what was told, who runs, what is left."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from controller.endpoints import Endpoint
from controller.local.controller import LocalController
from controller.local.home import Home
from controller.local.plan import Machine, Plan, plan
from controller.local.progress import Phase
from controller.local.settings import LocalSettings
from tests.controller.manifests import service, sound

SERVER = Path(__file__).with_name("fake_server.py")


class Watcher:
    """A progress sink that remembers."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, Phase, str]] = []
        self.lines: list[tuple[str, str]] = []
        self.endpoints: Mapping[str, Endpoint] = {}

    def phase(self, key: str, phase: Phase, detail: str) -> None:
        self.phases.append((key, phase, detail))

    def output(self, key: str, line: str) -> None:
        self.lines.append((key, line))

    def on_endpoints(self, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = endpoints

    def address(self, name: str = "iris") -> str | None:
        found = self.endpoints.get(f"default/{name}")
        return next(iter(found.addresses), None) if found else None

    def seen(self, phase: Phase) -> list[str]:
        """The details of each time."""
        return [detail for _, found, detail in self.phases if found is phase]

    def pids(self, word: str = "listening as") -> list[int]:
        """Of the servers (or, for `child`, their children) as they said, in order."""
        return [int(line.split()[-1]) for _, line in self.lines if line.startswith(word)]


HTTP_PROBE = "{httpGet: {path: /ready, port: 8080}}"
OFTEN = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}"
TCP_PROBE = "{tcpSocket: {port: 8080}}"


def fake(
    name: str = "iris",
    *vices: str,
    probe: str = HTTP_PROBE,
    python: str = sys.executable,
    annotations: str = "{}",
) -> str:
    words = ", ".join(f"'{word}'" for word in (python, "-I", str(SERVER), "$(PORT)", *vices))
    container = f"command: [{words}], ports: [{{containerPort: 8080}}], readinessProbe: {probe}"
    return service(f"containers: [{{{container}}}]", name=name, annotations=annotations)


def planned(*texts: str) -> Plan:
    made = plan(sound(*texts), Machine("3.11.7", {}))
    assert [str(problem) for problem in made.problems] == []
    return made


def controller_of(
    home: Path, watcher: Watcher, *texts: str, grace_s: float = 10.0
) -> LocalController:
    return LocalController(
        planned(*texts),
        home=Home(home),
        on_endpoints=watcher.on_endpoints,
        progress=watcher,
        settings=LocalSettings(restart_first_seconds=1.0),
        grace_s=grace_s,
    )


@asynccontextmanager
async def running(
    home: Path, *texts: str, grace_s: float = 10.0
) -> AsyncIterator[tuple[LocalController, Watcher]]:
    watcher = Watcher()
    controller = controller_of(home, watcher, *texts, grace_s=grace_s)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(controller.run())
        try:
            yield controller, watcher
        finally:
            task.cancel()


def alive(pid: int) -> bool:
    """A zombie is dead; it only waits for whoever should have asked."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
