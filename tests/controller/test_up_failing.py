"""A revision that fails while the service is called all the time: the one before goes on answering,
and only what a crashed process was working on is lost.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.controller.rolling import CONNECTIONS, Rolling, rolling, version
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.shares import assert_shares

ANSWERS = 500
BAD = {
    "fails to load": (
        ("broken",),
        {"activeModelState": "Loaded", "targetModelState": "FailedToLoad"},
        "BlockedByFailedLoad",
        "cannot load the model",
    ),
    "never becomes ready": (
        ("late", "/nowhere"),
        {"activeModelState": "Loaded", "targetModelState": "Pending"},
        "InProgress",
        "",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("vices", "states", "transition", "why"), BAD.values(), ids=BAD)
async def test_one_that_never_answers_never_gets_a_call(
    tmp_path: Path, vices: tuple[str, ...], states: dict[str, str], transition: str, why: str
) -> None:
    async with rolling(tmp_path, version(1)) as iris:
        async with iris.called() as callers:
            for percent in (50, None):
                iris.says(version(2, percent, *vices))
                await eventually_told(iris, states, transition)
                assert_shares(await callers.answered(ANSWERS), {"v1": 100})
                status = await iris.status()
                assert why in status["modelStatus"].get("lastFailureInfo", {}).get("message", "")
                ready = next(c for c in status["conditions"] if c["type"] == "Ready")
                assert ready["status"] != "True"
                assert ready["message"].endswith("iris-00001 serves")
            iris.says(version(3))
            await iris.goes_to(v3=100)
            assert_shares(await callers.answered(ANSWERS), {"v3": 100})
        callers.check()


async def eventually_told(iris: Rolling, states: dict[str, str], transition: str) -> None:
    async def is_so() -> bool:
        status = await iris.status()
        model = status.get("modelStatus", {})
        settled = status.get("observedGeneration") is not None
        told = (model.get("states"), model.get("transitionStatus"))
        return settled and told == (states, transition)

    await eventually_awaited(is_so, f"{transition}: {states}", deadline_s=60)


@pytest.mark.slow
async def test_one_that_crashes_loses_only_what_it_was_working_on(tmp_path: Path) -> None:
    soon = {"GRAPHWAY_RESTART_FIRST_SECONDS": "0.2", "GRAPHWAY_RESTART_LONGEST_SECONDS": "1"}
    async with rolling(tmp_path, version(1), workers=2, **soon) as iris:
        iris.says(version(2, 30))
        await iris.goes_to(v1=70, v2=30)
        async with iris.called() as callers:
            await callers.answered(ANSWERS)
            (crashes,) = iris.living()["v2"]
            os.kill(crashes, signal.SIGSTOP)  # first, so that all know what it was working on
            await all_wait_for_it(iris)
            answered = callers.statuses[200]
            await killed(iris, "v2")
            await iris.goes_to(v1=70, v2=30)
            assert_shares(await callers.answered(4 * ANSWERS), {"v1": 70, "v2": 30})
            assert callers.statuses[502] == CONNECTIONS
            for _ in range(3):  # and while it works
                failed = callers.statuses[502]
                await killed(iris, "v2")
                await iris.goes_to(v1=70, v2=30)
                # Its connections do not all end at the same moment.
                assert callers.statuses[502] - failed <= 2 * CONNECTIONS
                failed = callers.statuses[502]
                assert_shares(await callers.answered(ANSWERS), {"v1": 70, "v2": 30})
                assert callers.statuses[502] == failed
        assert callers.statuses[200] > answered
        assert set(callers.statuses) == {200, 502}
        assert callers.lost == []


async def killed(iris: Rolling, name: str) -> None:
    """And there again, as another process."""
    (crashes,) = iris.living()[name]
    os.kill(crashes, signal.SIGKILL)
    await eventually(lambda: crashes not in iris.living().get(name, [crashes]), deadline_s=60)


async def all_wait_for_it(iris: Rolling) -> None:
    """Each caller's request is with the process that does not answer."""

    async def is_so() -> bool:
        metrics = await iris.metrics()
        waiting = metrics.total("graphway_service_requests_in_flight", revision="iris-00002")
        return waiting == CONNECTIONS

    await eventually_awaited(is_so, "all wait", deadline_s=60)
