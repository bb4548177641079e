"""Bytes that nobody thought of: random ones, and the corpus with random faults.

Whatever comes, in whatever pieces: readers refuse or wait, nothing else is raised, and the verdict
is that of the whole.
"""

import asyncio
from itertools import pairwise
from typing import Any

import httptools
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.wire.head import parse_request_head, parse_response_head
from router.wire.refused import Refused
from tests.router.wire.corpus import cases, sent
from tests.router.wire.judges import RequestJudge, answer_parser, judge_answer

LONGEST = 1500
REQUESTS = [data for p in cases("requests") if len(data := sent(p.values[0])) <= LONGEST]
ANSWERS = [data for p in cases("answers") if len(data := sent(p.values[0])) <= LONGEST]

# What framing hangs on, so that faults are made of it more often than chance would have it.
PARTS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"0", b"5", b"\x00", b"\xff", b";",
        b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
        b"chunked", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"0\r\n\r\n", b"Host: h\r\n", b"GET / ",
    ]
)  # fmt: skip


@st.composite
def faulty(draw: st.DrawFn, corpus: list[bytes]) -> bytes:
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        until = draw(st.integers(at, min(len(data), at + 30)))
        match draw(st.sampled_from(["put", "cut", "twice", "other"])):
            case "put":
                data = data[:at] + draw(PARTS | st.binary(max_size=3)) + data[at:]
            case "cut":
                data = data[:at] + data[until:]
            case "twice":
                data = data[:until] + data[at:]
            case _:
                data += draw(st.sampled_from(corpus))
    return data[: 2 * LONGEST]


CUTS = st.lists(st.integers(0, 2 * LONGEST), max_size=8)
fuzz = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@fuzz
@given(data=faulty(REQUESTS) | st.binary(max_size=200), cuts=CUTS)
def test_requests(data: bytes, cuts: list[int], loop: asyncio.AbstractEventLoop) -> None:
    judge = RequestJudge(loop)
    whole = judge.verdict([data])
    assert judge.verdict(_cut(data, cuts)) == whole
    if whole.end != 413:  # a stream may have any size
        assert RequestJudge(loop, streams=True).verdict(_cut(data, cuts)) == whole
    assert judge.verdict([data[i : i + 1] for i in range(len(data))]) == whole


@fuzz
@given(data=faulty(ANSWERS) | st.binary(max_size=200), cuts=CUTS, closes=st.booleans())
def test_answers(data: bytes, cuts: list[int], closes: bool) -> None:
    parse = answer_parser()
    then = "close" if closes else None
    whole = judge_answer([data], then, parse)
    assert judge_answer(_cut(data, cuts), then, parse) == whole
    assert judge_answer([data[i : i + 1] for i in range(len(data))], then, parse) == whole
    if whole.failure != "protocol":  # a stream may have any size
        assert judge_answer(_cut(data, cuts), then, parse, streams=True) == whole


class Events:
    """What the parser says of a head, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.events.append("field")

    def on_headers_complete(self) -> None:
        self.events.append("complete")


def _whole(parser: Any, events: Events, head: bytes) -> list[str]:
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass
    return events.events


@fuzz
@given(data=faulty(REQUESTS))
def test_a_head_that_is_taken_ends_where_the_parser_says(data: bytes) -> None:
    """We find the end of a head ourselves: were it another than the parser's, fields would be
    missing, or be another message's.
    """
    end = data.find(b"\r\n\r\n") + 4
    try:
        head = parse_request_head(data[:end], 128)
    except Refused:
        return
    events = Events()
    found = _whole(httptools.HttpRequestParser(events), events, data[:end])
    assert found == ["field"] * len(head.headers) + ["complete"]


@fuzz
@given(data=faulty(ANSWERS))
def test_the_head_of_an_answer_ends_where_the_parser_says(data: bytes) -> None:
    end = data.find(b"\r\n\r\n") + 4
    try:
        parse_response_head(data[:end], 128, frozenset())
    except Refused:
        return
    events = Events()
    found = _whole(httptools.HttpResponseParser(events), events, data[:end])
    assert found == ["field"] * (data[:end].count(b"\r\n") - 2) + ["complete"]
