"""A service of `graphway up` that is called all the time while it changes: its versions as
manifests, who runs, and who answers.

    async with rolling(folder, version(1)) as iris, iris.called() as callers:
        iris.says(version(2, 10))
        await iris.goes_to(v1=90, v2=10)
        assert_shares(await callers.answered(2000), {"v1": 90, "v2": 10})
    callers.check()          # nobody was refused, nothing was lost, all answers are 200
"""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from textwrap import indent
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import psutil
import yaml

from controller.local.leftovers import MARK
from tests.controller.backend import container, fake
from tests.controller.test_up import GRAPH, Up, up, write
from tests.controller.test_up_api import PREDICTORS, Api, started
from tests.kit.client import request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.load import Load
from tests.kit.router import Metrics

DEADLINE_S = 60.0
CONNECTIONS = 16
GRAPH_URL = "/graphs/default/g"
SERVICE_URL = "/services/default/iris/v1/models/iris:predict"
Json = dict[str, Any]


def version(
    number: int, percent: int | None = None, *vices: str, transformed: bool = False, **fields: int
) -> str:
    """`fields` of its predictor, as they are written; `transformed`: behind a transformer, which
    may be scaled to zero if the predictor may.
    """
    said = fake("iris", f"v{number}", *vices)
    if percent is not None:
        fields["canaryTrafficPercent"] = percent
    lines = "".join(f"    {name}: {value}\n" for name, value in fields.items())
    said = said.replace("    containers", f"{lines}    containers")
    if not transformed:
        return said
    least = min(fields.get("minReplicas", 1), 1)
    return said + indent(f"transformer:\n  minReplicas: {least}\n  {container()}\n", "  ")


class Rolling:
    def __init__(self, folder: Path, running: Up, api: Api, session: aiohttp.ClientSession) -> None:
        self.running = running
        self.api = api
        self.home = folder / "home"
        self._folder = folder
        self._session = session

    @property
    def port(self) -> int:
        port = urlsplit(self.running.url).port
        assert port
        return port

    def says(self, *texts: str) -> None:
        write(self._folder, *texts, GRAPH)

    async def edit(self, text: str) -> None:
        """At once, by the API."""
        spec = yaml.safe_load(text)["spec"]
        # What a patch does not name stays.
        predictor = dict.fromkeys(("canaryTrafficPercent", "minReplicas"), None)
        spec["predictor"] = predictor | spec["predictor"]
        code, said = await self.api.call("PATCH", f"{PREDICTORS}/iris", {"spec": spec}, patch=True)
        assert code == 200, said

    def called(self, body: bytes = b"{}", connections: int = CONNECTIONS) -> "Callers":
        return Callers(self.port, body, connections)

    # what it tells

    async def status(self) -> Json:
        found: Json = (await self.api.get(f"{PREDICTORS}/iris")).get("status") or {}
        return found

    async def shares(self) -> dict[str, int]:
        """As the status says. Versions come in their order, so that each is the revision of its
        number.
        """
        predictor = (await self.status()).get("components", {}).get("predictor", {})
        return {
            f"v{int(share['revisionName'][-5:])}": share["percent"]
            for share in predictor.get("traffic", ())
            if share["percent"]
        }

    async def revisions(self) -> dict[int, Json]:
        """What ControllerRevisions say that stays as it is, by number, the oldest first."""
        path = "apis/apps/v1/namespaces/default/controllerrevisions"
        return {
            each["revision"]: {
                "uid": each["metadata"]["uid"],
                "digest": each["data"]["digest"],
                "units": each["data"]["units"],
            }
            for each in (await self.api.get(path))["items"]
        }

    async def events(self, reason: str) -> list[str]:
        found = (await self.api.get("api/v1/namespaces/default/events"))["items"]
        return [each["message"] for each in found if each["reason"] == reason]

    async def goes_to(self, **percents: int) -> None:
        """Until the status says these shares, and every worker has them."""

        async def is_so() -> bool:
            return await self.shares() == percents and await self._installed()

        await eventually_awaited(is_so, f"{percents}", DEADLINE_S)

    async def _installed(self) -> bool:
        async with self._session.get(f"{self.api.url}/readyz") as answer:
            workers = (await answer.json())["workers"]
        return bool(workers["current"] == workers["serving"])

    async def metrics(self) -> Metrics:
        async with self._session.get(f"{self.api.url}/metrics") as answer:
            return Metrics(await answer.text())

    # who runs

    def living(self) -> dict[str, list[int]]:
        return living(self.home)

    async def run(self, **replicas: int) -> None:
        """Until so many processes of each version run, and no others."""

        def are_so() -> bool:
            return {name: len(pids) for name, pids in self.living().items()} == replicas

        await eventually(are_so, f"{replicas} run", DEADLINE_S)

    async def killed(self) -> None:
        self.running.process.kill()
        await self.running.process.wait()

    async def ends(self) -> None:
        """Orderly, and nothing is left."""
        self.running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEADLINE_S):
            assert await self.running.process.wait() == 0
        assert self.living() == {}


@asynccontextmanager
async def rolling(
    folder: Path, *texts: str, workers: int = 1, **environ: str
) -> AsyncIterator[Rolling]:
    write(folder, *texts, GRAPH)
    async with (
        aiohttp.ClientSession() as session,
        up(folder, "--workers", str(workers), **environ) as running,
    ):
        api = await started(running, session, folder)
        found = Rolling(folder, running, api, session)
        yield found
        if running.process.returncode is None:  # else the test has ended it
            await found.ends()


class Callers:
    """Of the graph, and as many of the service's own URL."""

    def __init__(self, port: int, body: bytes, connections: int) -> None:
        self.connections = connections
        paths = (GRAPH_URL, SERVICE_URL)
        self.loads = [Load(port, request(path, body), connections // 2) for path in paths]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for load in self.loads:
            await self._stack.enter_async_context(load)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stack.__aexit__(*error)

    async def answered(self, count: int) -> Counter[str]:
        """By version; of requests that begin now."""
        await self._answers(10 * self.connections)  # those that are on their way have ended then
        before = self._versions()
        await self._answers(count)
        return self._versions() - before

    async def _answers(self, count: int) -> None:
        wanted = self.statuses.total() + count
        enough = f"{count} more answers"
        await eventually(lambda: self.statuses.total() >= wanted, enough, DEADLINE_S)

    def _versions(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for load in self.loads:
            for (_, body), count in load.seen.items():
                counts[json.loads(body).get("version", body.decode())] += count
        return counts

    @property
    def statuses(self) -> Counter[int]:
        return sum((load.statuses for load in self.loads), Counter[int]())

    @property
    def lost(self) -> list[str]:
        return [fault for load in self.loads for fault in load.lost]

    def check(self) -> None:
        assert self.lost == []
        assert sum(load.refused for load in self.loads) == 0
        unlike = {body for load in self.loads for _, body in load.seen if b'"error"' in body}
        assert set(self.statuses) == {200}, (self.statuses, unlike)


def living(home: Path) -> dict[str, list[int]]:
    """Servers of this home by version, whoever their parent is now."""
    found: dict[str, list[int]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # somebody else's, dead, or gone meanwhile
            environ = process.environ()
            if environ.get("GRAPHWAY_HOME") == str(home) and MARK in environ:
                words = [word for word in process.cmdline() if word[1:].isdecimal()]
                name = next((word for word in words if word.startswith("v")), "other")
                found.setdefault(name, []).append(process.pid)
    return found
