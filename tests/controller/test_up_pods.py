"""`graphway up` as whoever knows Kubernetes looks into it: its pods, and the events of a life."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import aiohttp

from controller.local.built_in import built_in_runtimes
from tests.controller.backend import fake
from tests.controller.test_up import GRAPH, up, write
from tests.controller.test_up_api import PREDICTORS, Api, started
from tests.kit.eventually import eventually_awaited

POD = "api/v1/namespaces/default/pods/iris-predictor-00001-0"
EVENTS = "api/v1/namespaces/default/events?fieldSelector=involvedObject.name=iris"
Json = dict[str, Any]


async def container(api: Api) -> Json:
    (said,) = (await api.get(POD))["status"]["containerStatuses"]
    return dict(said)


async def test_who_outgrows_its_memory_is_told_as_on_a_cluster(tmp_path: Path) -> None:
    limits = "resources: {limits: {memory: 96Mi}}, readinessProbe"
    write(tmp_path, fake("iris").replace("readinessProbe", limits) + GRAPH)
    often = {"GRAPHWAY_MEMORY_WATCH_SECONDS": "0.05"}
    async with aiohttp.ClientSession() as session, up(tmp_path, **often) as running:
        api = await started(running, session, tmp_path)
        before = await container(api)
        assert (before["restartCount"], "lastState" in before) == (0, False)
        service = await api.get(f"{PREDICTORS}/iris")
        server = service["status"]["components"]["predictor"]["url"]
        for _ in range(2):  # 64 MiB each
            with contextlib.suppress(aiohttp.ClientError):
                await session.get(f"{server}/eat")

        async def is_back() -> bool:
            found = await container(api)
            return bool(found["restartCount"] and found["ready"])

        await eventually_awaited(is_back, "restarted", deadline_s=30)
        ended = (await container(api))["lastState"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
        failure = (await api.get(f"{PREDICTORS}/iris"))["status"]["modelStatus"]["lastFailureInfo"]
        assert (failure["exitCode"], failure["location"]) == (137, "iris-predictor-00001-0")
        assert "OOMKilled" in failure["message"]
        told = {each["reason"]: each for each in (await api.get(EVENTS))["items"]}
        assert told["OOMKilled"]["type"] == "Warning"
        assert told["Started"]["count"] == 2


async def test_who_watches_is_let_go_when_it_ends(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)
        async with session.get(f"{api.url}/{PREDICTORS}?watch=true") as watch:
            assert b"ADDED" in await watch.content.readline()
            running.process.send_signal(signal.SIGINT)
            await watch.content.read()  # it ends, and is not broken off
            async with asyncio.timeout(30):
                await running.process.wait()


async def test_the_runtimes_that_it_brings_along_are_shown_as_such(tmp_path: Path) -> None:
    write(tmp_path, fake("iris") + GRAPH)
    async with aiohttp.ClientSession() as session, up(tmp_path) as running:
        api = await started(running, session, tmp_path)
        found = (await api.get("apis/serving.kserve.io/v1alpha1/clusterservingruntimes"))["items"]
        marked = [each["metadata"]["annotations"].get("graphway.dev/built-in") for each in found]
        assert len(marked) == len(built_in_runtimes())
        assert {*marked} == {"true"}
