"""Replicas follow the load for real: `up`, its router, and servers that run as processes."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.controller.backend import HTTP_PROBE, SERVER
from tests.controller.manifests import service
from tests.controller.test_up import GRAPH, Up, up, write
from tests.controller.test_up_api import Api
from tests.kit.eventually import eventually, eventually_awaited

PODS = "api/v1/namespaces/default/pods"
AUTOSCALER = "apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/iris-00001"
# As short as Knative allows.
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler}
data: {stable-window: 6s, panic-window-percentage: "20"}
"""


def iris(scaling: str) -> str:
    server = f"[{sys.executable}, -I, {SERVER}, $(PORT)]"
    container = f"command: {server}, ports: [{{containerPort: 8080}}], readinessProbe: {HTTP_PROBE}"
    return service(f"{scaling}\ncontainers: [{{{container}}}]")


class Scaled:
    """A running `up` with one service."""

    def __init__(self, running: Up, session: aiohttp.ClientSession, home: Path) -> None:
        self.api = Api(running, session, home)
        self._url = running.url
        self._session = session

    async def ask(self) -> int:
        async with self._session.post(self._url, json={"instances": [1]}) as answer:
            return answer.status

    async def becomes(self, replicas: int) -> None:
        """Decided, and carried out."""

        async def is_so() -> bool:
            status = (await self.api.get(AUTOSCALER)).get("status", {})
            pods = (await self.api.get(PODS))["items"]
            return bool(status.get("desiredReplicas") == replicas == len(pods))

        await eventually_awaited(is_so, f"{replicas} replicas", deadline_s=60)


@asynccontextmanager
async def scaled(folder: Path, scaling: str) -> AsyncIterator[Scaled]:
    write(folder, CONFIG, iris(scaling) + GRAPH)
    everything = aiohttp.TCPConnector(limit=0)
    async with up(folder) as running, aiohttp.ClientSession(connector=everything) as session:
        await eventually(lambda: running.url, deadline_s=30)
        yield Scaled(running, session, folder / "home")


async def test_a_load_that_doubles_and_halves_is_followed_and_none_is_lost(tmp_path: Path) -> None:
    """In requests per second: 7 for each replica, as 70 % of 10."""
    bounds = "minReplicas: 1\nmaxReplicas: 6\nscaleMetric: rps\nscaleTarget: 10"
    async with scaled(tmp_path, bounds) as service:
        answers: list[asyncio.Task[int]] = []
        async with asyncio.TaskGroup() as tasks:
            rate = {"rps": 12.0}

            async def load() -> None:
                while True:
                    answers.append(tasks.create_task(service.ask()))
                    await asyncio.sleep(1 / rate["rps"])

            loading = tasks.create_task(load())
            for rps, replicas in ((12.0, 2), (27.0, 4), (12.0, 2)):
                rate["rps"] = rps
                await service.becomes(replicas)
            loading.cancel()
        assert {each.result() for each in answers} == {200}
