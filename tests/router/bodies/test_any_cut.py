"""Streams through the whole data plane, cut anywhere: what is whole arrives, what is not looks so.

The points at which somebody leaves are found by counting bytes, not by hand.
"""

import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.client import Ended, request
from tests.kit.eventually import eventually
from tests.kit.predictor import Predictor
from tests.kit.scripts import early, echo, pieces
from tests.router.bodies.plane import EVENTS, LAST, Plane, chunk, head
from tests.router.whole import source

CHUNKED = "Transfer-Encoding: chunked\r\n"
BODY = b"".join(b"data: %d\n\n" % number for number in range(4))
ANSWERS = {
    "events": head(CHUNKED + EVENTS) + b"".join(map(chunk, BODY.splitlines(keepends=True))) + LAST,
    "chunks": head() + b"".join(map(chunk, BODY.splitlines(keepends=True))) + LAST,
    "until close": head("X-A: b\r\n") + BODY,
}
ASK = request("/graphs/test/g")

some = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextlib.asynccontextmanager
async def served(predictor: Predictor) -> AsyncIterator[Plane]:
    plane = Plane()
    steps = [{"serviceUrl": predictor.url("/m")}]
    with contextlib.closing(plane):
        await plane.install(source("g", {"root": {"routerType": "Sequence", "steps": steps}}))
        yield plane
        await plane.at_rest()


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


@some
@pytest.mark.parametrize("name", ANSWERS)
@given(cuts=st.lists(st.integers(0, 400), max_size=6))
async def test_an_answer_in_any_pieces_is_the_answer(
    predictor: Predictor, name: str, cuts: list[int]
) -> None:
    data = ANSWERS[name]
    async with served(predictor) as plane, plane.client(ASK) as client:
        predictor.on("/m", pieces(parts(data, cuts), close=name == "until close"))
        answer = await client.response()
        assert (answer.status, answer.body) == (200, BODY)


@some
@pytest.mark.parametrize("name", ["events", "chunks"])
@given(end=st.integers(1, 400), cuts=st.lists(st.integers(0, 400), max_size=3))
async def test_an_answer_that_ends_anywhere_never_looks_whole(
    predictor: Predictor, name: str, end: int, cuts: list[int]
) -> None:
    data = ANSWERS[name][: end % len(ANSWERS[name])]
    async with served(predictor) as plane, plane.client(ASK) as client:
        predictor.on("/m", pieces(parts(data, cuts) if data else [], close=True))
        try:
            answer = await client.response()
        except Ended:
            return
        assert answer.status == 502 or b"event: error\ndata: {" in answer.body
        if answer.status == 200:
            assert name == "events"
            before, _, _ = answer.body.partition(b"event: error")
            assert BODY.startswith(before)
            assert before.endswith(b"\n\n") or not before


@pytest.mark.parametrize("after", [0, 1, 40, 90, 200])
async def test_a_client_that_leaves_anywhere_leaves_nothing(
    predictor: Predictor, after: int
) -> None:
    """Within its upload, and within the answer to it."""
    upload = b"POST /graphs/test/g HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    upload += chunk(b"x" * 50) + chunk(b"y" * 50)
    async with served(predictor) as plane:
        predictor.on("/m", early(echo()))
        for leave in ("reset", "abort", "half_close"):
            async with plane.client() as client:
                await client.send(upload[: after or len(upload)])
                getattr(client, leave)()
        predictor.on("/m", pieces([ANSWERS["chunks"][:after]] if after else []))
        async with plane.client(ASK) as client:
            client.reset()
        await eventually(lambda: predictor.open_connections == 0, "no call is left")
