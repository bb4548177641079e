"""The name of a request: taken from the caller if it can be written everywhere, else made."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.document import Document
from router.layers.request_id import request_id
from router.messages import DONE, Cancellable, Head, Request, Respond


def named(value: bytes | None, seed: int = 0) -> bytes:
    headers = () if value is None else ((b"x-request-id", value),)
    request = Request(Head(b"POST", b"/", b"", headers), Document(b""))
    seen: list[Request] = []

    def inner(request: Request, respond: Respond) -> Cancellable:
        seen.append(request)
        return DONE

    request_id(inner, Random(seed))(request, lambda _: None)
    assert seen == [request]
    return request.request_id


TAKEN = {
    "a UUID": b"123e4567-e89b-12d3-a456-426614174000",
    "one character": b"!",
    "punctuation": b"a:b/c=d;e,f{g}[h]~'*",
    "as long as may be": b"x" * 128,
}
REFUSED = {
    "empty": b"",
    "too long": b"x" * 129,
    "white space": b"a b",
    "a tab": b"a\tb",
    "a line end": b"a\r\nx-evil: 1",
    "a line feed at the end": b"a\n",
    "a quote, which logs would have to escape": b'a"b',
    "a backslash": b"a\\b",
    "a control character": b"a\x1b[2J",
    "NUL": b"\x00",
    "DEL": b"a\x7f",
    "no ASCII": "ä".encode(),
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    assert named(TAKEN[name]) == TAKEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_another_is_made(name: str) -> None:
    assert_made(named(REFUSED[name]))


def test_made_where_none_is_given() -> None:
    assert_made(named(None))
    assert named(None, 1) != named(None, 2)


@given(st.binary(max_size=200))
def test_whatever_comes_it_can_be_written_into_a_header_and_a_log(value: bytes) -> None:
    made = named(value)
    assert 1 <= len(made) <= 128
    assert made.isascii()
    assert made.decode().isprintable()
    assert not set(made) & set(b' "\\')


def assert_made(name: bytes) -> None:
    assert len(name) == 32
    int(name, 16)
