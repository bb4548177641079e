"""What becomes of bytes: of a client's in a whole client connection, of a predictor's in a whole
upstream connection. Small limits, so that the corpus can reach them.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from graph.document import Document
from graph.effects import Failure, FailureKind, Forward, Reply
from router import failures
from router.config import Limits
from router.front.connection import ClientConnection
from router.front.http import HttpFront
from router.messages import DONE, Cancellable, Request, Respond, Response
from router.streams import Pipe
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
    """A front whose handler remembers requests and answers each at once, or, where bodies stream,
    once they are whole.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, streams: bool = False) -> None:
        self._seen: list[Request] = []
        self._refused: list[int] = []
        self._front = HttpFront(
            self._handle, LIMITS, lambda *_: None, self._note, loop, lambda *_: streams
        )

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
        if request.upload is not None and not request.head.upgrades:
            request.upload.start(Uploaded(self, request, respond))
            return request.upload
        self.serve(request, respond)
        return DONE

    def serve(self, request: Request, respond: Respond) -> None:
        self._seen.append(request)
        respond(Response(200, (), b"%d" % len(self._seen)))

    def refuse(self, failure: Failure, respond: Respond) -> None:
        answer = failures.response(failure, None)
        self._refused.append(answer.status)
        respond(answer)

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


class Uploaded:
    """A body that came as a stream, put together again."""

    def __init__(self, judge: RequestJudge, request: Request, respond: Respond) -> None:
        self._judge = judge
        self._request = request
        self._respond = respond
        self._pieces: list[bytes] = []

    def data(self, piece: bytes) -> None:
        assert piece, "an empty piece would be taken for the end"
        self._pieces.append(piece)

    def end(self) -> None:
        self._request.document = Document(b"".join(self._pieces))
        self._judge.serve(self._request, self._respond)

    def failed(self, failure: Failure) -> None:
        self._judge.refuse(failure, self._respond)


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

    def __init__(self, parse: Any, to_head: bool, streams: bool) -> None:
        self._parse = parse
        self._streams = streams
        self.streaming: set[Connection] = set()
        self._forward = Forward(b"HEAD", b"/") if to_head else None
        self.name = "predictor"
        self.released = False
        self.answers: list[Reply | Failure] = []
        self.connection: Connection | None = None
        self.call = FakeCall()
        self.head = b"POST / HTTP/1.1\r\n\r\n"

    def reader(self, _: object) -> ResponseReader:
        return ResponseReader(LIMITS, self._parse, self._forward, self._streams)

    def release(self, connection: Connection) -> None:
        self.released = True

    def lost(self, connection: Connection) -> None:
        pass

    def answered(self, answer: Reply | Failure) -> None:
        self.answers.append(answer)

    def failure(self, kind: FailureKind, cause: str) -> Failure:
        assert cause
        return Failure(kind, cause)

    def began(self, reply: Reply, stream: Pipe) -> None:
        self._begun = reply
        self._pieces: list[bytes] = []
        stream.start(self)

    def data(self, piece: bytes) -> None:
        assert piece, "an empty piece would be taken for the end"
        self._pieces.append(piece)

    def end(self) -> None:
        reply = self._begun
        self.answered(Reply(reply.status, reply.headers, Document(b"".join(self._pieces))))

    def failed(self, failure: Failure) -> None:
        self.answered(failure)


class FakeCall:
    body = b"{}"
    upload = None
    upgrade = False


def judge_answer(
    portions: list[bytes],
    then: str | None,
    parse: Any,
    to_head: bool = False,
    streams: bool = False,
) -> Answered:
    """`streams`: the answer may be handed over before it is whole; what it comes to is judged."""
    pool = OneConnection(parse, to_head, streams)
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
