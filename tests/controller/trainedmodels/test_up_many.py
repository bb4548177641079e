"""Servers of many by `up`, as callers see them: whoever calls a model waits until a server runs and
has it, whether that comes from zero or in a new revision.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.controller.scaling.test_up_scaled import CONFIG, PODS
from tests.controller.test_up import up, write
from tests.controller.test_up_api import Api
from tests.controller.trainedmodels.test_serving import many, model
from tests.controller.trainedmodels.test_serving import write as write_model
from tests.kit.eventually import eventually, eventually_awaited

MODELS = "apis/serving.kserve.io/v1alpha1/namespaces/default/trainedmodels"


class Many:
    """A running `up` with a server of models a and b."""

    def __init__(self, api: Api, session: aiohttp.ClientSession) -> None:
        self.api = api
        self._session = session

    async def url(self, name: str) -> str:
        """Once it is ready."""

        async def ready() -> str:
            status: dict[str, Any] = (await self.api.get(f"{MODELS}/{name}"))["status"]
            told = {c["type"]: c["status"] for c in status["conditions"]}
            return str(status["url"]) if told["Ready"] == "True" else ""

        return await eventually_awaited(ready)

    async def pods(self) -> list[str]:
        return [each["metadata"]["name"] for each in (await self.api.get(PODS))["items"]]

    async def ask(self, url: str) -> tuple[int, str]:
        async with self._session.post(url, json={}) as answer:
            return answer.status, (await answer.json()).get("said", "")


def manifests(folder: Path, replicas: int) -> tuple[str, ...]:
    a, b = write_model(folder / "a", "one"), write_model(folder / "b", "two")
    return CONFIG, many(replicas=replicas), model("a", a), model("b", b)


@asynccontextmanager
async def serving(folder: Path, replicas: int) -> AsyncIterator[Many]:
    write(folder, *manifests(folder, replicas))
    async with up(folder) as running, aiohttp.ClientSession() as session:
        await eventually(lambda: "1 service ready" in running.lines, deadline_s=30)
        yield Many(Api(running, session, folder / "home"), session)


async def test_held_calls_are_answered_by_the_model(tmp_path: Path) -> None:
    async with serving(tmp_path, replicas=0) as service:
        urls = [await service.url("a"), await service.url("b")]

        async def nobody_runs() -> bool:
            return await service.pods() == []

        await eventually_awaited(nobody_runs, deadline_s=60)
        assert urls == [await service.url("a"), await service.url("b")]  # they are ready still
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(service.ask(url)) for url in urls * 10]
        assert [task.result() for task in asked] == [(200, "one"), (200, "two")] * 10


async def test_a_new_revision_has_its_models_before_its_first_call(tmp_path: Path) -> None:
    async with serving(tmp_path, replicas=1) as service:
        url = await service.url("a")
        (before,) = await service.pods()
        answers: Counter[tuple[int, str]] = Counter()
        stop = asyncio.Event()

        async def call() -> None:
            while not stop.is_set():
                answers[await service.ask(url)] += 1

        async def is_replaced() -> bool:
            found = await service.pods()
            return len(found) == 1 and found != [before]

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(call())
            config, server, *models = manifests(tmp_path, 1)
            changed = server.replace("name: PROTOCOL", "name: NEW, value: '1'}, {name: PROTOCOL")
            write(tmp_path, config, changed, *models)
            await eventually_awaited(is_replaced, deadline_s=60)
            stop.set()
        assert set(answers) == {(200, "one")}, answers
        assert await service.ask(await service.url("b")) == (200, "two")
