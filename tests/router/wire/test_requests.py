"""The corpus of requests: what is served, and how the connection ends, however the bytes arrive.

Judged through a whole client connection whose handler answers at once, so that the order of
answers, the closing and the refusing are part of the verdict.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from router.config import Limits
from router.front.connection import ClientConnection
from router.front.http import HttpFront
from router.messages import DONE, Cancellable, Request, Respond, Response
from router.wire.refused import Refused
from router.wire.render import CONTINUE
from tests.kit.message import take_response
from tests.router.wire.corpus import Case, cases, portions, sent, written
from tests.router.wire.transport import FakeTransport

LIMITS = Limits(header_bytes=8192, header_count=32, body_bytes=20_000)
REQUESTS = cases("requests")


@dataclass
class Verdict:
    requests: list[bytes]
    end: str | int
    hosts: list[bytes | None] = field(default_factory=list, compare=False)
    continues: int = field(default=0, compare=False)


class Judge:
    """A front whose handler remembers requests and answers each at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._seen: list[Request] = []
        self._refused: list[int] = []
        self._front = HttpFront(self._handle, LIMITS, lambda *_: None, self._note, loop)

    def verdict(self, portions: list[bytes]) -> Verdict:
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
        return Verdict(
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


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("case", REQUESTS)
def test_the_verdict_is_the_same_however_the_bytes_arrive(
    case: Case, loop: asyncio.AbstractEventLoop
) -> None:
    expected = Verdict(
        [written(text) for text in case.get("requests", [])] * case.get("times", 1), case["end"]
    )
    judge = Judge(loop)
    for how, pieces in portions(sent(case)):
        found = judge.verdict(pieces)
        assert found == expected, how
        if "host" in case:
            assert found.hosts[-1] == case["host"].encode(), how
        if "continues" in case:
            assert found.continues == case["continues"], how


def test_there_are_enough_cases_and_each_has_its_own_sentence() -> None:
    ids = [parameter.id for parameter in REQUESTS]
    assert len(ids) == len(set(ids)) >= 200
