"""Calls to ports of our own are counted, and come to an end."""

import pytest

from graph.effects import Failure, FailureKind, Headers
from graph.inner import MAX_DEPTH
from router.circles import ROUNDS, further, outgoing
from router.messages import JSON, Head


def head(*headers: tuple[bytes, bytes]) -> Head:
    return Head(b"POST", b"/", b"", headers)


@pytest.mark.parametrize("value", [None, b"", b"-1", b"many", "²".encode()])
def test_who_brings_no_count_begins_none(value: bytes | None) -> None:
    assert further(head() if value is None else head((ROUNDS, value))) == ()


def test_the_count_goes_on_with_the_calls_of_a_request() -> None:
    assert outgoing(JSON) == (*JSON, (ROUNDS, b"1"))
    assert further(head((ROUNDS, b"1"))) == ((ROUNDS, b"2"),)
    assert outgoing((*JSON, (ROUNDS, b"2"))) == (*JSON, (ROUNDS, b"2"))


def test_a_request_comes_round_so_often_and_no_more() -> None:
    headers: Headers = outgoing(())
    for _ in range(MAX_DEPTH - 1):
        counted = further(head(*headers))
        assert not isinstance(counted, Failure)
        headers = counted
    for last in (headers, ((ROUNDS, b"9" * 5000),)):
        refused = further(head(*last))
        assert isinstance(refused, Failure)
        assert refused.kind is FailureKind.CIRCLE
        assert "lead one of their serviceUrls elsewhere" in refused.cause
