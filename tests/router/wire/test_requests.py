"""The corpus of requests: what is served, and how the connection ends, however the bytes arrive.

Judged through a whole client connection whose handler answers at once, so that the order of
answers, the closing and the refusing are part of the verdict.
"""

import asyncio

import pytest

from tests.router.wire.corpus import Case, cases, portions, sent, written
from tests.router.wire.judges import RequestJudge, Served

REQUESTS = cases("requests")
OF_ANY_SIZE = [each for each in REQUESTS if each.values[0]["end"] != 413]


@pytest.mark.parametrize("case", REQUESTS)
def test_the_verdict_is_the_same_however_the_bytes_arrive(
    case: Case, loop: asyncio.AbstractEventLoop
) -> None:
    expected = Served(
        [written(text) for text in case.get("requests", [])] * case.get("times", 1), case["end"]
    )
    judge = RequestJudge(loop)
    for how, pieces in portions(sent(case)):
        found = judge.verdict(pieces)
        assert found == expected, how
        if "host" in case:
            assert found.hosts[-1] == case["host"].encode(), how
        if "continues" in case:
            assert found.continues == case["continues"], how


@pytest.mark.parametrize("case", OF_ANY_SIZE)
def test_the_verdict_is_the_same_where_bodies_may_stream(
    case: Case, loop: asyncio.AbstractEventLoop
) -> None:
    gathered, streamed = RequestJudge(loop), RequestJudge(loop, streams=True)
    for how, pieces in portions(sent(case)):
        assert streamed.verdict(pieces) == gathered.verdict(pieces), how


def test_there_are_enough_cases_and_each_has_its_own_sentence() -> None:
    ids = [parameter.id for parameter in REQUESTS]
    assert len(ids) == len(set(ids)) >= 200
