"""What takes too long is ended: every limit of a client connection, on a clock that is turned by
hand, swept once a second as in the worker. And the drain.
"""

from typing import Any, cast

import pytest

from graph.plan import Plan
from router.config import Limits
from tests.router.front.held import Front, Wire

LIMITS = Limits(head_timeout_s=10, body_timeout_s=20, idle_timeout_s=30, write_timeout_s=40)
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
HEAD_OF_BODY = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture
def front() -> Front:
    return Front(LIMITS)


@pytest.fixture
def client(front: Front) -> Wire:
    return front.connect()


def test_a_connection_that_is_never_used_is_closed(front: Front, client: Wire) -> None:
    front.pass_time(29)
    assert client.state == "open"
    front.pass_time(2)
    assert client.state == "closed"
    assert client.answers() == []


def test_idleness_is_counted_from_the_last_answer(front: Front, client: Wire) -> None:
    front.pass_time(25)
    client.send(GET)
    front.pass_time(25)
    front.held[0].answer()
    front.pass_time(29)
    assert client.state == "open"
    front.pass_time(2)
    assert client.state == "closed"


@pytest.mark.parametrize(("idle_s", "state"), [(3.0, "closed"), (None, "open")])
def test_a_graph_sets_the_idle_time_of_its_callers(
    front: Front, client: Wire, idle_s: float | None, state: str
) -> None:
    client.send(GET)
    front.held[0].request.plan = cast(Plan, _PlanThatIdles(idle_s))
    front.held[0].answer()
    front.pass_time(4 if idle_s else 1000)
    assert client.state == state


class _PlanThatIdles:
    revision_bytes = b"abc"

    def __init__(self, idle_s: float | None) -> None:
        self.timeouts: Any = self
        self.idle_s = idle_s


def test_an_empty_line_does_not_buy_time_without_end(front: Front, client: Wire) -> None:
    for _ in range(9):
        client.send(b"\r\n")
        front.pass_time(9)
    assert client.state != "open"


def test_a_head_must_come_in_time_however_it_trickles(front: Front, client: Wire) -> None:
    for byte in GET[:11]:
        client.send(bytes([byte]))
        front.pass_time(1)
    (answer,) = client.answers()
    assert answer.status == 408
    assert answer.closes
    assert client.state == "ended"


def test_a_body_may_trickle_but_not_stand_still(front: Front, client: Wire) -> None:
    client.send(HEAD_OF_BODY)
    for _ in range(5):
        front.pass_time(19)
        client.send(b"x")
    assert client.state == "open"
    front.pass_time(21)
    (answer,) = client.answers()
    assert answer.status == 408


def test_the_time_of_a_body_begins_when_its_head_is_whole(front: Front, client: Wire) -> None:
    client.send(HEAD_OF_BODY[:-4])
    front.pass_time(9)
    client.send(HEAD_OF_BODY[-4:])
    front.pass_time(19)
    assert client.state == "open"
    front.pass_time(2)
    assert [answer.status for answer in client.answers()] == [408]


def test_a_graph_limits_the_time_of_a_whole_request() -> None:
    front = Front(LIMITS, read_limit_s=15)
    client = front.connect()
    client.send(HEAD_OF_BODY)
    for _ in range(3):
        front.pass_time(4)
        client.send(b"x")
    assert client.state == "open"
    front.pass_time(4)
    assert [answer.status for answer in client.answers()] == [408]


def test_the_time_of_a_pipelined_request_begins_with_the_answer_before_it() -> None:
    front = Front(LIMITS, read_limit_s=15)
    client = front.connect()
    client.send(GET + HEAD_OF_BODY)
    front.pass_time(60)
    front.held[0].answer()
    front.pass_time(14)
    assert client.state == "open"
    client.send(b"x" * 100)
    assert len(front.held) == 2


def test_a_running_request_has_limits_of_its_own(front: Front, client: Wire) -> None:
    client.send(GET)
    front.pass_time(500)
    assert client.state == "open"
    assert front.held[0].cancelled == 0


def test_a_client_that_takes_no_byte_of_its_answer_is_dropped(front: Front, client: Wire) -> None:
    client.send(GET)
    front.held[0].answer()
    client.transport.unwritten = 1000
    front.pass_time(40)
    assert client.state == "open"
    front.pass_time(2)
    assert client.state == "aborted"


def test_a_client_that_takes_its_answer_slowly_is_not(front: Front, client: Wire) -> None:
    client.send(GET)
    front.held[0].answer()
    for unwritten in range(10, 0, -1):
        client.transport.unwritten = unwritten
        front.pass_time(30)
    assert client.state == "open"
    client.transport.unwritten = 0
    front.pass_time(28)
    assert client.state == "open"


def test_a_client_that_takes_nothing_of_its_refusal_is_dropped(front: Front, client: Wire) -> None:
    client.send(b"garbage\r\n\r\n")
    client.transport.unwritten = 100
    front.pass_time(30)
    assert client.state == "ended"
    front.pass_time(12)
    assert client.state == "aborted"


# drain


def test_a_drain_ends_idle_connections_after_a_grace(front: Front, client: Wire) -> None:
    front.http.drain()
    assert client.state == "open"
    front.pass_time(1)
    assert client.state == "closed"
    assert not front.http.drained.is_set()
    client.lose()
    assert front.http.drained.is_set()


def test_a_drain_waits_for_running_requests_and_ends_their_connections(
    front: Front, client: Wire
) -> None:
    client.send(GET)
    front.http.drain()
    front.pass_time(100)
    assert client.state == "open"
    front.held[0].answer()
    (answer,) = client.answers()
    assert answer.status == 200
    assert answer.closes
    assert client.state == "closed"
    client.lose()
    assert front.http.drained.is_set()


def test_a_request_that_arrives_within_the_grace_is_served(front: Front, client: Wire) -> None:
    front.http.drain()
    client.send(GET)
    front.held[0].answer()
    assert [answer.closes for answer in client.answers()] == [True]


def test_a_request_that_is_half_there_at_the_drain_is_served(front: Front, client: Wire) -> None:
    client.send(GET[:10])
    front.http.drain()
    front.pass_time(3)
    assert client.state == "open"
    client.send(GET[10:])
    front.held[0].answer()
    assert [answer.closes for answer in client.answers()] == [True]


def test_a_drain_without_connections_is_over_at_once(front: Front) -> None:
    front.http.drain()
    assert front.http.drained.is_set()
