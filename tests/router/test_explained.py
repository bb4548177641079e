"""Records of what happened: in JSON, and in one bounded line."""

from typing import Any

import pytest

from graph.document import Document
from graph.effects import Call, Failure, FailureKind, Forward, Reply
from graph.plan import Target
from graph.trace import Answered, Checked, Drawn, Partial
from router.explained import (
    MOST_BODY,
    MOST_EVENTS,
    MOST_ROUTE,
    asked,
    body,
    headers,
    route,
    shown,
    told,
)
from router.streams import End, Ended, Pipe
from router.traced import Called


def call(step: str = "n/s", url: str | None = "http://x/y", **further: Any) -> Call:
    target = Target(url or "service:ns/iris", url)
    return Call(f"ns/g/{step}", target, (), b"{}", None, **further)


def called(
    answer: Reply | Failure | None = None, *, cancelled: bool = False, step: str = "n/s"
) -> Called:
    found = Called(call(step), 0.0015)
    found.answer, found.cancelled = answer, cancelled
    found.duration_s = 0.25 if answer is not None or cancelled else None
    return found


GOOD = Reply(200, (), Document(b'{"a":1}'))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Checked("ns/g/root/a", "x", True, ""), "root>a total(5ms)"),
        (Checked("ns/g/root/a", "x", False, "so"), "total(5ms)"),
        (Drawn("ns/g/root", "b", 0.25, (("a", 10), ("b", 90))), "root>b total(5ms)"),
        (Answered("ns/g/root/a", GOOD), "root/a(200) total(5ms)"),
        (called(GOOD), "n/s(200;1.5+250ms) total(5ms)"),
        (called(Failure(FailureKind.TIMEOUT, "late")), "n/s(timeout;1.5+250ms) total(5ms)"),
        (called(cancelled=True), "n/s(cancelled;1.5+250ms) total(5ms)"),
        (called(), "n/s(open;1.5+...) total(5ms)"),
        (called(GOOD, step="a b/ש>%2F"), "a%20b/%D7%A9%3E%2F(200;1.5+250ms) total(5ms)"),
        (Partial("ns/g/root", ("a",)), "total(5ms)"),
        ("something else", "total(5ms)"),
    ],
)
def test_a_route_names_what_was_chosen_and_called(event: object, line: str) -> None:
    assert route([event], 0.005) == line


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("ns/g/root", "failed(no_match;root) total(5ms)"),
        ("ns/g/root/a b", "failed(no_match;root/a%20b) total(5ms)"),
        ("", "failed(no_match) total(5ms)"),
    ],
)
def test_a_route_ends_with_where_the_request_failed(address: str, line: str) -> None:
    assert route([], 0.005, Failure(FailureKind.NO_MATCH, "so", address)) == line


def test_a_route_is_bounded() -> None:
    failure = Failure(FailureKind.TIMEOUT, "late", f"ns/g/n/{'ש' * 300}")
    line = route([called(GOOD) for _ in range(1000)], 1.0, failure)
    assert len(line) <= MOST_ROUTE
    assert " ... failed(timeout;n/%D7" in line
    assert line.endswith(" total(1000ms)")


def test_all_events_in_json() -> None:
    events = [
        Checked("ns/g/root/a", "x", False, "so"),
        Checked("ns/g/root/b", "y", True, ""),
        Drawn("ns/g/root", "b", 0.25, (("a", 10), ("b", 90))),
        Answered("ns/g/root/a", GOOD),
        Partial("ns/g/root", ("a", "b")),
        called(Failure(FailureKind.TIMEOUT, "late")),
        called(cancelled=True),
        called(),
        "something else",
    ]
    answer = {"status": 200, "headers": {}, "body": '{"a":1}'}
    sent = {
        "event": "call", "step": "ns/g/n/s", "method": "POST", "url": "http://x/y",
        "headers": {}, "body": "{}", "started_ms": 1.5,
    }  # fmt: skip
    cancelled = {"failure": "cancelled", "cause": "nobody needed its answer any more"}
    assert list(told(events)) == [
        {"event": "condition", "step": "ns/g/root/a", "condition": "x", "matched": False}
        | {"why": "so"},
        {"event": "condition", "step": "ns/g/root/b", "condition": "y", "matched": True},
        {"event": "draw", "node": "ns/g/root", "step": "b", "point": 0.25}
        | {"weights": {"a": 10, "b": 90}},
        {"event": "answer", "step": "ns/g/root/a", **answer},
        {"event": "partial", "node": "ns/g/root", "without": ["a", "b"]},
        sent | {"duration_ms": 250.0, "answer": {"failure": "timeout", "cause": "late"}},
        sent | {"duration_ms": 250.0, "answer": cancelled},
        sent,
    ]


def test_events_are_bounded() -> None:
    said = list(told([called() for _ in range(MOST_EVENTS + 5)]))
    assert len(said) == MOST_EVENTS + 1
    assert said[-1] == {"event": "more"}


class Nowhere:
    """A source that brings nothing."""

    def hold_back(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def streamed(end: Ended | None) -> Called:
    pipe = Pipe(Nowhere(), None)
    pipe.data(b"some")
    found = called(Reply(200, (), Document(b""), pipe))
    found.pipe, found.ended, found.ended_s = pipe, end, 0.0 if end is None else 2.0
    return found


STREAMS: dict[str, tuple[Ended | None, dict[str, Any], str]] = {
    "on its way": (None, {"bytes": 4}, "200;1.5+250ms..."),
    "whole": (
        End.WHOLE,
        {"bytes": 4, "ended_ms": 2000.0, "end": "whole"},
        "200;1.5+250ms..2000ms",
    ),
    "left": (
        End.LEFT,
        {"bytes": 4, "ended_ms": 2000.0, "end": "cancelled"},
        "cancelled;1.5+250ms..2000ms",
    ),
    "broken": (
        Failure(FailureKind.RESET, "gone"),
        {"bytes": 4, "ended_ms": 2000.0, "failure": "reset", "cause": "gone"},
        "reset;1.5+250ms..2000ms",
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_an_answer_that_is_a_stream(name: str) -> None:
    end, stream, line = STREAMS[name]
    (said,) = told([streamed(end)])
    assert (said["answer"]["body"], said["answer"]["stream"]) == ("(a stream)", stream)
    assert route([streamed(end)], 3.0) == f"n/s({line}) total(3000ms)"


def test_bodies_that_are_streams_and_revisions() -> None:
    (said,) = told([Called(call(upload=Pipe(Nowhere(), None), revision="iris-2"), 0.0)])
    assert (said["body"], said["revision"]) == ("(a stream)", "iris-2")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (call(), ("POST", "http://x/y")),
        (call(url=None), ("POST", "http://iris/v1")),
        (call(url="grpc://x:9/iris"), ("gRPC", "grpc://x:9/iris")),
        (call(forward=Forward(b"GET", b"/a?b=1")), ("GET", "http://x/y/a?b=1")),
        (
            call(url="http://x/?k=2", forward=Forward(b"PUT", b"/a?b=1")),
            ("PUT", "http://x/a?k=2&b=1"),
        ),
        (call(url="http://x/", forward=Forward(b"GET", b"/a")), ("GET", "http://x/a")),
    ],
)
def test_what_is_asked(made: Call, expected: tuple[str, str]) -> None:
    assert asked(made, {"service:ns/iris": "http://iris/v1"}) == expected


def test_a_service_of_unknown_address_is_named() -> None:
    assert asked(call(url=None), {}) == ("POST", "service:ns/iris")


def test_bodies_are_text_and_bounded() -> None:
    assert body(b"{}") == "{}"
    assert body(b"\xff\x00") == "(2 bytes, no text)"
    cut = body(b"x" * (MOST_BODY + 1))
    assert cut == "x" * MOST_BODY + f"... ({MOST_BODY + 1} bytes)"


def test_what_authenticates_is_hidden() -> None:
    pairs = ((b"authorization", b"Bearer x"), (b"cookie", b"s=1"), (b"x-tier", b"\xc3\xa4"))
    assert headers(pairs) == {"authorization": "(hidden)", "cookie": "(hidden)", "x-tier": "ä"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/m?access_token=abc&n=1", "/m?access_token=(hidden)&n=1"),
        ("https://h/m?n=1&API_KEY=abc", "https://h/m?n=1&API_KEY=(hidden)"),
        ("/m?key=a%20b&sig=c", "/m?key=(hidden)&sig=(hidden)"),
        ("/m?monkey=1&tokens=2&key=", "/m?monkey=1&tokens=2&key="),
        ("/token=x/m", "/token=x/m"),
    ],
)
def test_what_authenticates_in_a_query_is_hidden(url: str, told: str) -> None:
    assert shown(url) == told
