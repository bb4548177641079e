"""A service at zero, called: requests wait until there is somebody, and none of them is lost."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.controller.rolling import (
    DEADLINE_S,
    GRAPH_URL,
    SERVICE_URL,
    Rolling,
    rolling,
    version,
)
from tests.kit.client import Client, request
from tests.kit.eventually import eventually_awaited
from tests.kit.shares import assert_shares

CALLS = 200
# As short as Knative allows, and what is at zero goes at once.
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler}
data: {stable-window: 6s, scale-to-zero-grace-period: 0s}
"""
HELD = "graphway_service_requests_held"


@asynccontextmanager
async def asking(iris: Rolling, path: str) -> AsyncIterator[Client]:
    async with Client.to(iris.port) as client:
        await client.send(request(path))
        yield client


async def answer(iris: Rolling, path: str = GRAPH_URL) -> tuple[int, bytes]:
    async with asking(iris, path) as client:
        found = await client.response(deadline_s=DEADLINE_S)
        return found.status, found.body


async def answers(iris: Rolling) -> Counter[str]:
    """Of many calls at once, half of them without a graph: versions."""
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(answer(iris, (GRAPH_URL, SERVICE_URL)[number % 2]))
            for number in range(CALLS)
        ]
    assert Counter(task.result()[0] for task in asked) == {200: CALLS}
    return Counter(json.loads(task.result()[1])["version"] for task in asked)


@pytest.mark.slow
async def test_from_zero_under_many_calls_and_back_and_once_more(tmp_path: Path) -> None:
    bounds = {"minReplicas": 0, "maxReplicas": 2, "scaleTarget": 100}
    async with rolling(tmp_path, CONFIG, version(1, **bounds), workers=2) as iris:
        for _ in range(2):
            await iris.run()  # nobody
            assert await answers(iris) == {"v1": CALLS}
        await iris.run()
        told = await iris.events("SuccessfulRescale")
        assert any("iris-00001 goes from 0 to 1 replicas" in each for each in told)
        assert any(each.endswith("no request for 6 s") for each in told)


@pytest.mark.slow
async def test_two_revisions_at_zero_share_what_wakes_them_also_after_a_kill(
    tmp_path: Path,
) -> None:
    """Each behind a transformer of its own, which comes from zero as its predictor does."""

    def said(number: int, percent: int | None = None) -> str:
        return version(number, percent, transformed=True, minReplicas=0)

    shares = {"v1": 70, "v2": 30}
    async with rolling(tmp_path, CONFIG, said(1)) as iris:
        await iris.run()
        assert await answers(iris) == {"v1": CALLS}
        iris.says(CONFIG, said(2, 30))
        await iris.goes_to(**shares)
        await iris.run()
        await iris.killed()
    async with rolling(tmp_path, CONFIG, said(2, 30)) as iris:
        await iris.goes_to(**shares)
        assert iris.living() == {}
        assert_shares(await answers(iris), shares)


@pytest.mark.slow
async def test_who_waits_for_one_that_never_comes_is_told_so(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    loaded.touch()
    text = version(1, None, "late", str(loaded), minReplicas=0)
    limits = {"GRAPHWAY_UPSTREAM_HELD": "5", "GRAPHWAY_UPSTREAM_HOLD_TIMEOUT_SECONDS": "8"}
    async with rolling(tmp_path, CONFIG, text, **limits) as iris, AsyncExitStack() as stack:
        await iris.run()
        loaded.unlink()
        clients = [
            await stack.enter_async_context(asking(iris, path))
            for path in (GRAPH_URL, SERVICE_URL, GRAPH_URL, SERVICE_URL, GRAPH_URL)
        ]
        await held(iris, 5)
        for path in (GRAPH_URL, SERVICE_URL):
            status, body = await answer(iris, path)
            assert (status, b"5 calls wait for its first replica already" in body) == (503, True)
        for client in clients[:2]:
            client.abort()
        await held(iris, 3)
        for client in clients[2:]:
            found = await client.response(deadline_s=DEADLINE_S)
            assert found.status == 503
            assert b"no replica became ready within 8 s" in found.body
        await held(iris, 0)
        late = await stack.enter_async_context(asking(iris, GRAPH_URL))
        await held(iris, 1)
        loaded.touch()
        assert (await late.response(deadline_s=DEADLINE_S)).status == 200


async def held(iris: Rolling, count: int) -> None:
    async def are_so() -> bool:
        return (await iris.metrics()).total(HELD, service="default/iris") == count

    await eventually_awaited(are_so, f"{count} calls wait", DEADLINE_S)
