"""What becomes of bytes: of a client's in a whole client connection, of a predictor's in a whole
upstream connection. Small limits, so that the corpus can reach them.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from graph.effects import Failure, FailureKind, Forward, Reply
from router.config import Limits
from router.front.connection import ClientConnection
from router.front.http import HttpFront
from router.messages import DONE, Cancellable, Request, Respond, Response
from router.upstream.connection import Connection
from router.upstream.pool import Pending, Pool
from router.wire.head import parse_response_head
from router.wire.memory import Remembered
from router.wire.refused import Refused
from router.wire.render import CONTINUE
from router.wire.response import ResponseReader
from tests.kit.message import take_response
from tests.router.wire.transport import FakeTransport

LIMITS = Limits(header_bytes=8192, header_count=32, body_bytes=20_000, answer_bytes=20_000)
PASSED = frozenset({b"content-type"})


def answer_parser() -> Any:
    return Remembered(partial(parse_response_head, limit=LIMITS.header_count, passed=PASSED))


@dataclass
class Served:
    requests: list[bytes]
    end: str | int
    hosts: list[bytes | None] = field(default_factory=list, compare=False)
    continues: int = field(default=0, compare=False)


class RequestJudge:
    """A front whose handler remembers requests and answers each at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._seen: list[Request] = []
        self._refused: list[int] = []
        self._front = HttpFront(self._handle, LIMITS, lambda *_: None, self._note, loop)

    def verdict(self, portions: list[bytes]) -> Served:
        self._seen.clear()
        self._refused.clear()
        transport = FakeTransport()
        connection = ClientConnection(self._front)
        connection.connection_made(transport)
        for portion in portions:
            if not transport.is_closing() and transport.reading:
                connection.data_received(portion)
        continues = transport.written.count(CONTINUE)
        self._check_answers(bytes(transport.written))
        end: str | int = {"open": "open", "closed": "close"}.get(transport.state, transport.state)
        if self._refused:
            assert end == "ended", "a refusal lets the client read its answer"
            (end,) = self._refused
        elif end == "ended":
            end = "close"
        connection.connection_lost(None)
        return Served(
            [_shown(request) for request in self._seen],
            end,
            [request.head.fields.get(b"host") for request in self._seen],
            continues,
        )

    def _handle(self, request: Request, respond: Respond) -> Cancellable:
        self._seen.append(request)
        respond(Response(200, (), b"%d" % len(self._seen)))
        return DONE

    def _note(self, fault: Refused, client: str) -> None:
        self._refused.append(fault.status)

    def _check_answers(self, data: bytes) -> None:
        """One answer a request, in order, then one for a refusal, then nothing."""
        for number, request in enumerate(self._seen, 1):
            to_head = request.head.method == b"HEAD"
            taken = take_response(data, to_head=to_head)
            assert taken is not None
            answer, size = taken
            assert answer.status == 200
            assert answer.body == (b"" if to_head else b"%d" % number)
            data = data[size:]
        for status in self._refused:
            taken = take_response(data)
            assert taken is not None
            answer, size = taken
            assert answer.status == status
            assert answer.closes
            assert b'"error"' in answer.body
            data = data[size:]
        assert data in (b"", CONTINUE)


def _shown(request: Request) -> bytes:
    head = request.head
    target = head.path + (b"?" + head.query if head.query else b"")
    body = request.document.body
    return head.method + b" " + target + (b" " + body if body else b"")


@dataclass
class Answered:
    reply: tuple[int, bytes] | None
    failure: str | None
    reusable: bool


class OneConnection:
    """A pool of one connection, and the one call that is on it."""

    def __init__(self, parse: Any, to_head: bool) -> None:
        self._parse = parse
        self._forward = Forward(b"HEAD", b"/") if to_head else None
        self.name = "predictor"
        self.released = False
        self.answers: list[Reply | Failure] = []
        self.connection: Connection | None = None
        self.call = FakeCall()
        self.head = b"POST / HTTP/1.1\r\n\r\n"

    def reader(self, _: object) -> ResponseReader:
        return ResponseReader(LIMITS, self._parse, self._forward)

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


def judge_answer(
    portions: list[bytes], then: str | None, parse: Any, to_head: bool = False
) -> Answered:
    pool = OneConnection(parse, to_head)
    transport = FakeTransport()
    connection = Connection(cast(Pool, pool), cast(Any, None), "")
    connection.connection_made(transport)
    connection.send(cast(Pending, pool))
    for portion in portions:
        if not transport.is_closing():
            connection.data_received(portion)
    reusable = pool.released and not transport.is_closing()
    if then is not None or transport.is_closing():
        connection.connection_lost(ConnectionResetError() if then == "reset" else None)
        reusable = False
    assert len(pool.answers) <= 1, "a call is answered once"
    if not pool.answers:
        return Answered(None, None, reusable)
    (answer,) = pool.answers
    if isinstance(answer, Failure):
        return Answered(None, answer.kind.value, reusable)
    return Answered((answer.status, answer.document.body), None, reusable)
