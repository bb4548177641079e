"""Client connections: order, ends, back-pressure. Bytes in and out, no sockets."""

import gc
import tracemalloc

import pytest

from router.config import Limits
from router.front.connection import PIPELINED_BYTES
from tests.router.front.held import Front, Wire

GET = b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def front() -> Front:
    return Front()


@pytest.fixture
def client(front: Front) -> Wire:
    return front.connect()


def paths(front: Front) -> list[bytes]:
    return [held.path for held in front.held]


# order


def test_pipelined_requests_run_one_after_another(front: Front, client: Wire) -> None:
    client.send(GET % b"a" + GET % b"b" + GET % b"c")
    assert paths(front) == [b"/a"]
    front.held[0].answer(b"A")
    assert paths(front) == [b"/a", b"/b"]
    front.held[1].answer(b"B")
    front.held[2].answer(b"C")
    assert [answer.body for answer in client.answers()] == [b"A", b"B", b"C"]
    assert client.state == "open"


def test_a_request_that_comes_while_another_runs_waits(front: Front, client: Wire) -> None:
    client.send(GET % b"a", GET % b"b")
    assert paths(front) == [b"/a"]
    front.held[0].answer()
    assert paths(front) == [b"/a", b"/b"]


def test_a_fault_behind_a_running_request_is_told_after_its_answer(
    front: Front, client: Wire
) -> None:
    client.send(GET % b"a" + b"garbage\r\n\r\n" + GET % b"b")
    assert client.answers() == []
    front.held[0].answer()
    assert [answer.status for answer in client.answers()] == [200, 400]
    assert paths(front) == [b"/a"]
    assert client.state == "ended"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body_get_none(front: Front, client: Wire, status: int) -> None:
    client.send(GET % b"a")
    front.held[0].answer(b"not sent", status)
    (answer,) = client.answers()
    assert answer.status == status
    assert answer.header(b"content-length") is None


def test_an_answer_to_head_tells_the_length_and_sends_no_body(front: Front, client: Wire) -> None:
    client.send(b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n")
    front.held[0].answer(b"four")
    (answer,) = client.answers(to_head=True)
    assert answer.header(b"content-length") == b"4"
    assert client.state == "open"


def test_a_large_answer_is_one_answer(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    front.held[0].answer(b"x" * 1_000_000)
    (answer,) = client.answers()
    assert len(answer.body) == 1_000_000


def test_keep_alive_is_said_only_to_http_1_0(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    front.held[0].answer()
    client.send(b"GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    front.held[1].answer()
    assert [answer.header(b"connection") for answer in client.answers()] == [None, b"keep-alive"]
    assert client.state == "open"


# ends


def test_a_client_that_leaves_cancels_its_request_once(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    client.end()
    assert front.held[0].cancelled == 1
    assert client.answers() == []
    assert not front.http.connections


def test_a_connection_that_breaks_cancels_its_request_once(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    client.lose()
    assert front.held[0].cancelled == 1
    assert not front.http.connections


def test_a_client_that_leaves_after_its_answer_cancels_nothing(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    front.held[0].answer()
    client.end()
    assert front.held[0].cancelled == 0


def test_requests_behind_one_whose_client_left_are_not_served(front: Front, client: Wire) -> None:
    client.send(GET % b"a" + GET % b"b")
    client.end()
    assert paths(front) == [b"/a"]


def test_nothing_is_served_after_the_client_left_with_answers_unread(
    front: Front, client: Wire
) -> None:
    client.connection.pause_writing()
    client.send(GET % b"a")
    assert client.connection.eof_received() is False
    client.connection.resume_writing()
    assert front.held == []


def test_an_answer_that_comes_after_the_connection_broke_goes_nowhere(
    front: Front, client: Wire
) -> None:
    client.send(GET % b"a")
    client.connection.abort()
    front.held[0].answer()
    assert client.answers() == []
    assert client.state == "aborted"


def test_close_ends_the_connection_and_says_so(front: Front, client: Wire) -> None:
    client.send(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    front.held[0].answer()
    (answer,) = client.answers()
    assert answer.closes
    assert client.state == "closed"


def test_an_answer_may_ask_for_the_end_of_its_connection(front: Front, client: Wire) -> None:
    client.send(GET % b"a")
    front.held[0].answer(close=True)
    (answer,) = client.answers()
    assert answer.closes
    assert client.state == "closed"


def test_bytes_behind_the_last_request_do_not_destroy_its_answer(
    front: Front, client: Wire
) -> None:
    """A socket closed with unread bytes is reset, and the answer may go with it."""
    client.send(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + GET % b"b")
    front.held[0].answer()
    assert client.state == "ended"
    client.send(GET % b"c")
    assert paths(front) == [b"/a"]


def test_a_refusal_leaves_the_client_time_to_read_it(front: Front, client: Wire) -> None:
    client.send(b"garbage\r\n\r\n")
    (answer,) = client.answers()
    assert answer.status == 400
    assert client.state == "ended"
    client.send(b"more garbage", GET % b"a")
    assert client.answers() == []
    assert front.held == []
    front.pass_time(1)
    assert client.state == "ended"
    front.pass_time(2)
    assert client.state == "aborted"


def test_a_refusal_is_reported(front: Front, client: Wire) -> None:
    client.send(b"GET /a HTTP/3.0\r\n\r\n")
    assert front.refused == [505]


# Expect


EXPECT = b"POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def test_go_on_is_said_once_and_only_while_the_body_is_awaited(front: Front, client: Wire) -> None:
    client.send(EXPECT)
    assert client.transport.written == GO_ON
    client.send(b"he", b"llo")
    assert client.transport.written == GO_ON
    front.held[0].answer()
    (answer,) = client.answers()
    assert answer.interim == (100,)


def test_go_on_is_not_said_to_a_client_that_has_gone_on(front: Front, client: Wire) -> None:
    client.send(EXPECT + b"h", b"ello")
    front.held[0].answer()
    (answer,) = client.answers()
    assert answer.interim == ()


def test_go_on_is_said_for_each_request(front: Front, client: Wire) -> None:
    for number in range(2):
        client.send(EXPECT, b"hello")
        front.held[number].answer()
    assert [answer.interim for answer in client.answers()] == [(100,), (100,)]


def test_go_on_waits_for_the_answer_before_it(front: Front, client: Wire) -> None:
    client.send(GET % b"a" + EXPECT)
    assert client.transport.written == b""
    front.held[0].answer()
    assert client.transport.written.endswith(GO_ON)


# back-pressure


def test_a_client_that_reads_no_answers_gets_no_further_requests_served(
    front: Front, client: Wire
) -> None:
    client.send(GET % b"a" + GET % b"b")
    client.connection.pause_writing()
    front.held[0].answer()
    assert paths(front) == [b"/a"]
    client.connection.resume_writing()
    assert paths(front) == [b"/a", b"/b"]


def test_a_client_that_reads_no_answers_is_not_read_without_end(front: Front, client: Wire) -> None:
    client.connection.pause_writing()
    taken = 0
    while client.transport.reading:
        client.send(GET % b"a" * 100)
        taken += len(GET % b"a" * 100)
        assert taken < 2 * PIPELINED_BYTES
    client.connection.resume_writing()
    for number in range(taken // len(GET % b"a")):
        front.held[number].answer()
    assert client.transport.reading


def test_what_is_read_ahead_is_bounded_however_many_are_answered(
    front: Front, client: Wire
) -> None:
    segment = GET % b"a" * 2000
    taken = 0
    for _ in range(5000):
        if client.transport.reading:
            client.send(segment)
            taken += len(segment)
        front.held[-1].answer()
        unused = taken - len(front.held) * len(GET % b"a")
        assert unused < PIPELINED_BYTES + len(segment)
    assert taken > 2 * len(segment)


def test_a_body_larger_than_the_read_ahead_is_read_when_its_turn_comes(
    front: Front, client: Wire
) -> None:
    size = 3 * PIPELINED_BYTES
    client.send(GET % b"a", POST % (b"b", size) + bytes(size // 2))
    assert not client.transport.reading
    front.held[0].answer()
    client.send(bytes(size // 2))
    assert len(front.held[1].request.document.body) == size


def test_a_head_larger_than_the_read_ahead_is_read_when_its_turn_comes() -> None:
    front = Front(Limits(header_bytes=4 * PIPELINED_BYTES))
    client = front.connect()
    head = b"GET /b HTTP/1.1\r\nHost: h\r\nX: %b\r\n\r\n" % (b"y" * 2 * PIPELINED_BYTES)
    client.send(GET % b"a", head[: PIPELINED_BYTES + 100])
    assert not client.transport.reading
    front.held[0].answer()
    client.send(head[PIPELINED_BYTES + 100 :])
    assert paths(front) == [b"/a", b"/b"]


def test_a_refused_client_is_read_on_so_that_it_finds_its_answer(
    front: Front, client: Wire
) -> None:
    client.send(GET % b"a", b"garbage" * PIPELINED_BYTES)
    paused = not client.transport.reading
    front.held[0].answer()
    assert paused
    assert client.transport.reading
    assert client.state == "ended"


# memory


def _chunked(size: int, chunk: int) -> bytes:
    return (
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%b\r\n" % (chunk, b"x" * chunk) * (size // chunk)
        + b"0\r\n\r\n"
    )


def test_bodies_go_with_their_requests_and_need_no_collector(front: Front, client: Wire) -> None:
    message = _chunked(1_000_000, 10_000)
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(10):
            client.send(message[:500_000], message[500_000:])
            front.held.pop().answer()
            client.transport.written.clear()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert held < 200_000


def test_small_chunks_cost_little_more_than_their_bytes(front: Front, client: Wire) -> None:
    message = _chunked(100_000, 2)
    tracemalloc.start()
    try:
        for at in range(0, len(message), 65_536):
            client.send(message[at : at + 65_536])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(front.held[0].request.document.body) == 100_000
    assert peak < 1_000_000
