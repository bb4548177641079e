"""The corpus of hostile answers: what a call gets, and whether its connection serves another.

Judged through a whole connection to a predictor. `reusable` means that it went back to its pool and
was still there when every byte had come: bytes behind an answer may arrive with it or later, and in
neither case may another call see them.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pytest

from graph.effects import Failure, FailureKind, Reply
from router.config import Limits
from router.upstream.connection import Connection
from router.upstream.pool import Pending, Pool
from router.wire.head import parse_response_head
from router.wire.memory import Remembered
from router.wire.response import ResponseReader
from tests.router.wire.corpus import Case, cases, portions, sent, written
from tests.router.wire.transport import FakeTransport

LIMITS = Limits(header_bytes=8192, header_count=32, answer_bytes=20_000)
PASSED = frozenset({b"content-type"})
ANSWERS = cases("answers")


@dataclass
class Verdict:
    reply: tuple[int, bytes] | None
    failure: str | None
    reusable: bool


class OneConnection:
    """A pool of one connection, and the one call that is on it."""

    def __init__(self, parse: Any, to_head: bool) -> None:
        self._parse = parse
        self._to_head = to_head
        self.name = "predictor"
        self.released = False
        self.answers: list[Reply | Failure] = []
        self.connection: Connection | None = None
        self.call = FakeCall()
        self.head = b"POST / HTTP/1.1\r\n\r\n"

    def reader(self) -> ResponseReader:
        return ResponseReader(LIMITS, self._parse, to_head=self._to_head)

    def release(self, connection: Connection) -> None:
        self.released = True

    def lost(self, connection: Connection) -> None:
        pass

    def answered(self, answer: Reply | Failure) -> None:
        self.answers.append(answer)

    def failed(self, kind: FailureKind, cause: str) -> None:
        assert cause
        self.answers.append(Failure(kind, cause))


class FakeCall:
    body = b"{}"


def judge(portions: list[bytes], then: str | None, parse: Any, to_head: bool = False) -> Verdict:
    pool = OneConnection(parse, to_head)
    transport = FakeTransport()
    connection = Connection(cast(Pool, pool), cast(Any, None), "")
    connection.connection_made(transport)
    connection.send(cast(Pending, pool))
    for portion in portions:
        if not transport.is_closing():
            connection.data_received(portion)
    reusable = pool.released and not transport.is_closing()
    if then is not None:
        connection.eof_received()
    if then is not None or transport.is_closing():
        connection.connection_lost(ConnectionResetError() if then == "reset" else None)
        reusable = False
    assert len(pool.answers) <= 1, "a call is answered once"
    if not pool.answers:
        return Verdict(None, None, reusable)
    (answer,) = pool.answers
    if isinstance(answer, Failure):
        return Verdict(None, answer.kind.value, reusable)
    return Verdict((answer.status, answer.document.body), None, reusable)


@pytest.mark.parametrize("case", ANSWERS)
def test_the_verdict_is_the_same_however_the_bytes_arrive(case: Case) -> None:
    reply = case.get("reply")
    expected = Verdict(
        None if reply is None else (reply[0], written(reply[1])),
        case.get("failure"),
        case.get("reusable", False),
    )
    parse = Remembered(partial(parse_response_head, limit=LIMITS.header_count, passed=PASSED))
    to_head = case.get("to_head", False)
    for how, pieces in portions(sent(case)):
        assert judge(pieces, case.get("then"), parse, to_head) == expected, how


def test_there_are_enough_cases_and_each_has_its_own_sentence() -> None:
    ids = [parameter.id for parameter in ANSWERS]
    assert len(ids) == len(set(ids)) >= 100
