"""`graphway up` as whoever knows Kubernetes looks into it: its pods, and the events of a life."""

import contextlib
from pathlib import Path
from typing import Any

import aiohttp

from tests.controller.backend import fake
from tests.controller.test_up import GRAPH, up, write
from tests.controller.test_up_api import PREDICTORS, Api, started
from tests.kit.eventually import eventually_awaited

POD = "api/v1/namespaces/default/pods/iris-predictor-0"
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
        assert (failure["exitCode"], failure["location"]) == (137, "iris-predictor-0")
        assert "OOMKilled" in failure["message"]
        told = {each["reason"]: each for each in (await api.get(EVENTS))["items"]}
        assert told["OOMKilled"]["type"] == "Warning"
        assert told["Started"]["count"] == 2
