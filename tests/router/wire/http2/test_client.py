"""A client's end, frame by frame."""

import pytest

from router.wire.http2 import codes, frames
from tests.router.wire.http2.peer import Client, data, frame, headers, reset, update

ANSWER = b"\x88"  # :status 200


def goaway(last: int, code: int = 0, words: bytes = b"") -> bytes:
    body = last.to_bytes(4, "big") + code.to_bytes(4, "big") + words
    return frame(codes.GOAWAY, 0, 0, body)


def test_a_call_and_its_answer() -> None:
    client = Client()
    client.call(b"hello")
    assert client.written() == ["HEADERS 1", "DATA 1 5 end"]
    client.feed(headers(1, ANSWER), data(1, b"world"), headers(1, b"\x00\x01a\x01b", end=True))
    assert client.notes == ["headers 1", "data 5", "headers 1 end"]
    assert not client.connection.streams


def test_nothing_is_sent_before_the_server_has_said_what_it_takes() -> None:
    client = Client.__new__(Client)
    super(Client, client).__init__()
    client.changes = 0
    client.connection = type(Client().connection)(client.write, client._changed, 4096, 64)
    assert client.connection.room == 0
    assert client.feed(frames.settings({codes.MAX_CONCURRENT_STREAMS: 7})) == ""
    assert (client.connection.room, client.changes) == (7, 1)


def test_room_is_what_the_server_takes() -> None:
    client = Client({codes.MAX_CONCURRENT_STREAMS: 2})
    client.call()
    client.call()
    assert client.connection.room == 0
    client.feed(reset(1))
    assert client.connection.room == 1
    client.feed(frames.settings({codes.MAX_CONCURRENT_STREAMS: 0}))
    assert client.connection.room == -1


def test_a_server_that_leaves_says_what_it_has_not_begun() -> None:
    client = Client()
    for _ in range(3):
        client.call()
    assert client.feed(goaway(3, 0, b"bye")) == ""
    assert client.notes == ["lost none unprocessed"]
    assert client.connection.room == 0
    client.feed(headers(1, ANSWER, end=True), headers(3, ANSWER, end=True))
    assert client.notes[1:] == ["headers 1 end", "headers 1 end"]
    assert not client.connection.streams


def test_a_refused_stream_was_not_begun_and_another_reset_may_have_been() -> None:
    client = Client()
    client.call()
    client.call()
    client.feed(reset(1, 7), reset(3, 2))
    assert client.notes == ["lost REFUSED_STREAM unprocessed", "lost INTERNAL_ERROR"]


def test_what_was_given_up_may_still_be_answered() -> None:
    client = Client()
    client.call().reset(codes.ErrorCode.CANCEL)
    late = headers(1, ANSWER) + data(1, b"x") + headers(1, ANSWER, end=True)
    assert client.feed(late) == ""
    assert client.notes == []


def test_many_that_were_given_up_cost_no_calm() -> None:
    client = Client()
    for number in range(1, 10_000, 2):
        client.call().reset(codes.ErrorCode.CANCEL)
        assert client.feed(headers(number, ANSWER), data(number, b"x"), reset(number)) == ""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (headers(1, ANSWER), "PROTOCOL_ERROR"),
        (headers(2, ANSWER), "PROTOCOL_ERROR"),
        (data(2, b"x"), "PROTOCOL_ERROR"),
        (reset(1), "PROTOCOL_ERROR"),
        (frame(codes.PUSH_PROMISE, 4, 1, bytes(4)), "PROTOCOL_ERROR"),
        (update(0, 0), "PROTOCOL_ERROR"),
    ],
)
def test_a_fault_ends_the_connection(said: bytes, code: str) -> None:
    client = Client()
    assert client.feed(said) == code
    assert client.written()[-1].startswith("GOAWAY 0 0 ")


def test_a_server_that_speaks_http1() -> None:
    client = Client.__new__(Client)
    super(Client, client).__init__()
    client.connection = type(Client().connection)(client.write, lambda: None, 4096, 64)
    assert client.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n") == "PROTOCOL_ERROR"
