"""A service goes from one version to the next while it is called all the time: no request fails,
and each version gets its share.
"""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.controller.manifests import service
from tests.controller.rolling import rolling, version
from tests.controller.test_rollout_live import RUNTIME, STANDARD, named
from tests.kit.shares import assert_shares

ANSWERS = 2000
EDITS = 25
PAUSES_S = (0.0, 0.02, 0.1, 0.3, 0.8)


@dataclass(frozen=True)
class Way:
    workers: int
    transformed: bool = False
    replicas: tuple[int, ...] = (1,)  # in turn, while the shares change


WAYS = {
    "two workers": Way(2),
    "behind a transformer": Way(1, True),
    "replicas come and go": Way(2, False, (2, 1, 3, 1, 2)),
    "replicas come and go behind a transformer": Way(2, True, (2, 1, 2, 1, 2)),
}
STAGES = (
    (2, 10, {"v1": 90, "v2": 10}),
    (2, 50, {"v1": 50, "v2": 50}),
    (2, None, {"v2": 100}),
    (2, 0, {"v1": 100}),
    (1, None, {"v1": 100}),
)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_canary_grows_to_all_of_it_and_is_taken_back(tmp_path: Path, way: Way) -> None:
    def said(number: int, percent: int | None, stage: int) -> str:
        replicas = way.replicas[stage % len(way.replicas)]
        fields = {"minReplicas": replicas, "maxReplicas": max(way.replicas)}
        return version(number, percent, transformed=way.transformed, **fields)

    async with rolling(tmp_path, said(1, None, 0), workers=way.workers) as iris:
        async with iris.called() as callers:
            for stage, (number, percent, shares) in enumerate(STAGES):
                iris.says(said(number, percent, stage))
                await iris.goes_to(**shares)
                assert_shares(await callers.answered(ANSWERS), shares)
        callers.check()


OVERTAKEN = {"alone": False, "behind a transformer": True}


@pytest.mark.slow
@pytest.mark.parametrize("transformed", OVERTAKEN.values(), ids=OVERTAKEN)
async def test_edits_that_overtake_each_other_lose_nothing(
    tmp_path: Path, transformed: bool
) -> None:
    """The next one comes whatever has become of the one before."""

    def said(number: int, percent: int | None = None, replicas: int = 1) -> str:
        fields = {"minReplicas": replicas, "maxReplicas": 3}
        return version(number, percent, transformed=transformed, **fields)

    choice = random.Random(5)
    async with rolling(tmp_path, said(1), workers=2) as iris:
        async with iris.called() as callers:
            for _ in range(EDITS):
                number, replicas = choice.choice((1, 2, 3)), choice.choice((1, 2, 3))
                await iris.edit(said(number, choice.choice((None, 0, 20, 100)), replicas))
                await asyncio.sleep(choice.choice(PAUSES_S))  # the moment is the test
            await iris.edit(said(4))
            await iris.run(v4=1, **({"other": 1} if transformed else {}))
            answered = await callers.answered(ANSWERS)
            assert answered == {"v4": answered.total()}
        callers.check()


@pytest.mark.slow
async def test_blue_and_green_by_name(tmp_path: Path) -> None:
    """Both run side by side; who is promoted is started by nobody, and who was before is again."""

    def said(stable: str, *canary: tuple[str, int]) -> tuple[str, str]:
        below = "".join(
            f"\n  canary: [{{predictor: {named(name, tmp_path)}, trafficPercent: {percent}}}]"
            for name, percent in canary
        )
        spec = f"spec:\n  predictor: {named(stable, tmp_path)}{below}"
        return RUNTIME, service(spec, annotations=STANDARD)

    async with rolling(tmp_path, *said("v1"), workers=2) as iris:
        async with iris.called() as callers:
            for stable, canary, shares in (
                ("v1", ("v2", 0), {"v1": 100}),
                ("v1", ("v2", 10), {"v1": 90, "v2": 10}),
                ("v1", ("v2", 50), {"v1": 50, "v2": 50}),
                ("v2", ("v1", 0), {"v2": 100}),
                ("v1", ("v2", 0), {"v1": 100}),
            ):
                iris.says(*said(stable, canary))
                await iris.goes_to(**shares)
                await iris.run(v1=1, v2=1)
                assert_shares(await callers.answered(ANSWERS), shares)
            started = iris.living()
            iris.says(*said("v2"))
            await iris.goes_to(v2=100)
            await iris.run(v2=1)
            assert_shares(await callers.answered(ANSWERS), {"v2": 100})
            assert iris.living()["v2"] == started["v2"]
        callers.check()
