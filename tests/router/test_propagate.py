"""Which of the caller's headers every call carries: KServe's rules."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Headers
from router.messages import Head
from router.propagate import Propagate, canonical

SENT: Headers = (
    (b"host", b"a.test"),
    (b"content-length", b"2"),
    (b"content-type", b"text/plain"),
    (b"authorization", b"Bearer t"),
    (b"x-request-id", b"r1"),
    (b"x-custom-foo", b"1"),
    (b"custom-bar", b"2"),
    (b"x-custom-foo", b"3"),
    (b"user-agent", b"curl"),
)


def names(patterns: tuple[str, ...], sent: Headers = SENT) -> list[str]:
    return [name.decode() for name, _ in Propagate(patterns)(Head(b"POST", b"/", b"", sent))]


PATTERNS = {
    "nothing asked, nothing copied": ((), []),
    "a whole name": (("Authorization",), ["authorization"]),
    "searched anywhere in the name": (("Custom",), ["x-custom-foo", "custom-bar", "x-custom-foo"]),
    "anchors are the pattern's own": (("^Custom",), ["custom-bar"]),
    "as Go writes the name, and with its case": (("x-custom-foo",), []),
    "unless the pattern says otherwise": (("(?i)X-CUSTOM-FOO",), ["x-custom-foo"] * 2),
    "several patterns, each header once": (
        ("X-.*", "Custom", "Foo$"),
        ["x-request-id", "x-custom-foo", "custom-bar", "x-custom-foo"],
    ),
    "an empty pattern matches every name, but what we write ourselves stays ours": (
        ("",),
        [
            *("authorization", "x-request-id", "x-custom-foo", "custom-bar", "x-custom-foo"),
            "user-agent",
        ],
    ),
    "names that are never copied": (("Host", "Content-Length", "Content-Type"), []),
    "white space belongs to the pattern": ((" Authorization",), []),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name: str) -> None:
    patterns, expected = PATTERNS[name]
    assert names(patterns) == expected


def test_all_values_are_copied_in_order() -> None:
    head = Head(b"POST", b"/", b"", SENT)
    assert Propagate(("Foo",))(head) == ((b"x-custom-foo", b"1"), (b"x-custom-foo", b"3"))


FRAMING = [
    *("host", "content-length", "transfer-encoding", "trailer", "connection", "keep-alive"),
    *("proxy-connection", "upgrade", "te", "expect"),
]


@pytest.mark.parametrize("name", FRAMING)
def test_what_frames_a_message_is_never_copied(name: str) -> None:
    assert names((".*",), ((name.encode(), b"x"),)) == []


def test_what_a_connection_names_as_its_own_is_not_copied() -> None:
    sent = ((b"x-hop", b"1"), (b"x-far", b"2"), (b"connection", b"close, X-Hop"))
    assert names((".*",), sent) == ["x-far"]


def test_what_any_connection_header_names_is_not_copied() -> None:
    sent = ((b"connection", b"x-hop"), (b"x-hop", b"1"), (b"connection", b"keep-alive"))
    assert names((".*",), sent) == []


def test_a_pattern_that_is_none_is_said_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert names(("*Trace-Id*", "(", "Authorization", "(?=x)")) == ["authorization"]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "'*Trace-Id*'" in said[0]


@pytest.mark.parametrize(
    ("patterns", "expected"), [((), False), (("(",), False), (("",), True), (("a", "("), True)]
)
def test_is_false_if_there_is_nothing_to_look_for(
    patterns: tuple[str, ...], expected: bool
) -> None:
    assert bool(Propagate(patterns)) is expected


CANONICAL = {
    b"x-request-id": "X-Request-Id",
    b"etag": "Etag",
    b"x-b3traceid": "X-B3traceid",
    b"x-1abc": "X-1abc",
    b"x_under_score": "X_under_score",
    b"a--b-": "A--B-",
    b"www-authenticate": "Www-Authenticate",
}


@pytest.mark.parametrize("name", CANONICAL, ids=bytes.decode)
def test_canonical_names_are_those_of_go(name: bytes) -> None:
    assert canonical(name) == CANONICAL[name]


TOKEN = st.text("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz", min_size=1)


@given(st.lists(TOKEN, min_size=1, max_size=5))
def test_any_header_name_is_taken(given_names: list[str]) -> None:
    sent = tuple((name.encode(), b"v") for name in given_names)
    assert set(names(("",), sent)) <= set(given_names)


def test_more_names_than_it_remembers() -> None:
    propagate = Propagate(("X-",))
    for index in range(3000):
        name = b"x-%d" % index
        assert propagate(Head(b"POST", b"/", b"", ((name, b"v"),))) == ((name, b"v"),)


def test_patterns_of_a_graph_stand_beside_those_of_the_environment() -> None:
    propagate = Propagate(("^X-A$",))
    head = Head(b"POST", b"/", b"", ((b"x-a", b"1"), (b"x-b", b"2"), (b"host", b"h")))
    assert propagate.beside(("^X-B$", "Host"))(head) == ((b"x-a", b"1"), (b"x-b", b"2"))
    assert propagate(head) == ((b"x-a", b"1"),)
    assert propagate.beside(("^X-B$",)) is propagate.beside(("^X-B$",))
