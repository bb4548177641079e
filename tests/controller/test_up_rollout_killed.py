"""`graphway up` killed with SIGKILL at random moments of a rollout, and started again: each time it
comes to what its manifest asks for, with no orphan and no revision lost.
"""

import asyncio
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.controller.rolling import Rolling, rolling, version
from tests.controller.test_up import GRAPH, up, write
from tests.controller.test_up_killed import started_with
from tests.kit.shares import assert_shares

KILLS = 20
CHANGE_S = 1.0  # that a change takes, from the file to the last worker and the end of who was
START_S = 2.0  # that all is there again takes
ANSWERS = 150
Json = dict[str, Any]


def stages() -> Iterator[tuple[str, dict[str, int]]]:
    """Manifests in turn, and to which shares each leads from the one before it."""
    yield version(1), {"v1": 100}
    for number in count(2):
        before, new = f"v{number - 1}", f"v{number}"
        yield version(number, 10), {before: 90, new: 10}
        yield version(number, 50), {before: 50, new: 50}
        yield version(number), {new: 100}


@pytest.mark.slow
async def test_it_converges_after_each_of_twenty_kills(tmp_path: Path) -> None:
    choice = random.Random(4)
    rollout = stages()
    said, shares = next(rollout)
    known: dict[int, Json] = {}
    for _ in range(KILLS):
        async with rolling(tmp_path, said, workers=choice.choice((1, 2))) as iris:
            known = await converged(iris, shares, known)
            said, shares = next(rollout)
            if at_start := choice.random() < 0.4:
                await iris.killed()
            else:
                iris.says(said)
                await asyncio.sleep(choice.uniform(0.0, CHANGE_S))  # the moment is the test
                await iris.killed()
        if at_start:
            write(tmp_path, said, GRAPH)
            async with up(tmp_path):
                await asyncio.sleep(choice.uniform(0.0, START_S))
    async with rolling(tmp_path, said) as iris:
        await converged(iris, shares, known)
    assert started_with(tmp_path / "home") == {}
    assert list((tmp_path / "home" / "running").iterdir()) == []


async def converged(
    iris: Rolling, shares: dict[str, int], before: dict[int, Json]
) -> dict[int, Json]:
    """The revisions that there are, of which none may have gone or changed."""
    await iris.goes_to(**shares)
    await iris.run(**dict.fromkeys(shares, 1))
    runs = set(started_with(iris.home).values())
    assert len(runs) == 1, "somebody is left of a run before this one"
    async with iris.called(connections=8) as callers:
        assert_shares(await callers.answered(ANSWERS), shares)
    callers.check()
    revisions = await iris.revisions()
    assert {number: revisions.get(number) for number in before} == before
    newest = max(int(name.removeprefix("v")) for name in shares)
    assert [*revisions] == [*range(1, newest + 1)]
    return revisions
