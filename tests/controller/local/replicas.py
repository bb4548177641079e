"""The local backend over fake servers: what was told of each replica, and how to speak to it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from controller.local.backend import LocalBackend
from controller.local.gpus import FixedInventory, Inventory, NoDevices
from controller.local.home import Home
from controller.local.replica import HttpGet, Phase, Port, Probe, ProcessSpec, ProcessState
from controller.local.settings import LocalSettings
from tests.kit.eventually import eventually

SERVER = Path(__file__).parents[1] / "fake_server.py"
READY = Probe(HttpGet(8080, "/ready"), period_s=0.05, failures=2)
NO_GPUS = FixedInventory(NoDevices("this machine has none"))
KEY = "default/iris/0"


class Replicas:
    def __init__(self, home: Home, inventory: Inventory, settings: LocalSettings) -> None:
        self.home = home
        self.lines: list[tuple[str, str]] = []
        self.told: list[tuple[str, ProcessState]] = []
        self.backend = LocalBackend(
            home,
            settings=settings,
            inventory=inventory,
            on_output=lambda key, line: self.lines.append((key, line)),
        )
        self.backend.subscribe(lambda key, state: self.told.append((key, state)))

    def server(self, *vices: str, key: str = KEY, **fields: Any) -> ProcessSpec:
        spec = ProcessSpec(
            argv=(sys.executable, "-I", str(SERVER), "$(PORT)", *vices),
            folder=self.home.scratch(key),
            ports=(Port(8080),),
            readiness=READY,
            grace_s=5.0,
        )
        return replace(spec, **fields)

    def script(self, code: str, key: str = KEY, **fields: Any) -> ProcessSpec:
        argv = (sys.executable, "-c", code)
        return replace(self.server(key=key), argv=argv, ports=(), readiness=None, **fields)

    def state(self, key: str = KEY) -> ProcessState:
        return self.backend.states()[key]

    def phases(self, key: str = KEY) -> list[Phase]:
        """Without repetitions."""
        found: list[Phase] = []
        for told, state in self.told:
            if told == key and found[-1:] != [state.phase]:
                found.append(state.phase)
        return found

    def pids(self, word: str = "listening as") -> list[int]:
        """As the servers (or `child`, `daemon`) said, in order."""
        return [int(line.split()[-1]) for _, line in self.lines if line.startswith(word)]

    async def until(self, *phases: Phase, key: str = KEY) -> ProcessState:
        await eventually(lambda: self.state(key).phase in phases, f"{key} {phases}")
        return self.state(key)

    async def until_restarted(self, times: int = 1, key: str = KEY) -> ProcessState:
        await eventually(lambda: self.state(key).restarts >= times and self.state(key).ready)
        return self.state(key)

    async def until_gone(self, key: str = KEY) -> None:
        await eventually(lambda: key not in self.backend.states(), f"{key} gone")

    async def ask(self, path: str, key: str = KEY) -> int | None:
        """The status; None if there was no answer."""
        url = f"http://127.0.0.1:{self.state(key).ports[8080]}{path}"
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None


@asynccontextmanager
async def replicas(
    folder: Path, *, inventory: Inventory = NO_GPUS, **settings: Any
) -> AsyncIterator[Replicas]:
    made = Replicas(Home(folder), inventory, LocalSettings(**settings))
    async with made.backend.running():
        yield made
