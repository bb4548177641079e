"""Graphs that graphs call: a request within the router instead of one over a socket.

It is a request of the inner graph like any other, with its own draws, limits, figures and line in
the log, made of what the socket would have carried; what comes back is what a socket would have
brought. It begins in the next turn of the loop, so that no chain of graphs grows the stack.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final, cast
from urllib.parse import urlsplit

from graph.choose import salt
from graph.document import Form
from graph.effects import Answer, Call, Failure, FailureKind, Headers, Reply
from graph.packed import document_of
from graph.plan import Plan
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.deadlines import Deadlines, Timer
from router.messages import Cancellable, Handler, Head, Request, Response
from router.streams import Gathering, Pipe
from router.wire.hops import OF_THE_FRONT

PARTIAL: Final = b"x-graphway-partial"  # tells of steps that are missing, however deep
_ALWAYS: Final = frozenset(
    {b"content-type", b"content-encoding", b"inference-header-content-length", PARTIAL}
)


class InnerGraphs:
    """Makes the places of inner graphs. `handler` is what takes their requests: all that a request
    passes through once its graph is known.
    """

    handler: Handler

    def __init__(
        self,
        passed: tuple[str, ...],
        body_limit: int,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`body_limit`: bytes of a body on its way that the inner graph needs whole."""
        self.passed = _ALWAYS | {name.strip().lower().encode() for name in passed}
        self.body_limit = body_limit
        self.deadlines = deadlines
        self.loop = loop

    def places(self, inner: Mapping[str, Plan]) -> dict[str, "InnerPlace"]:
        """By URL, which is the name of its target."""
        return {url: InnerPlace(self, url, plan) for url, plan in inner.items()}


class InnerPlace:
    """A URL that is a graph's."""

    __slots__ = ("_base", "_query", "graphs", "host", "plan")

    def __init__(self, graphs: InnerGraphs, url: str, plan: Plan) -> None:
        parts = urlsplit(url)
        self.graphs = graphs
        self.plan = plan
        self.host = parts.netloc.encode()
        self._base = parts.path.encode()
        self._query = parts.query.encode()

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        hop = _Hop(self, call, deliver)
        hop.begin()
        return hop

    def request(self, call: Call, body: bytes) -> Request:
        """What would have come over a socket."""
        method, path, query = b"POST", self._base or b"/", self._query
        if call.forward is not None:
            method = call.forward.method
            below, _, asked = call.forward.path.partition(b"?")
            path = self._base.rstrip(b"/") + below
            query = b"&".join([part for part in (query, asked) if part])
        headers = ((b"host", self.host), *call.headers)
        head = Head(method, path or b"/", query, headers, upgrades=call.upgrade)
        message = call.form is Form.MESSAGE
        document = Message(body, Side.REQUEST) if message else document_of(body, call.headers)
        request = Request(head, document)
        request.plan = self.plan
        request.client = call.address
        request.started = monotonic()
        request.hop = call
        return request


class _Hop:
    """A call on its way through an inner graph."""

    __slots__ = ("_call", "_deliver", "_place", "_running", "_timer")

    def __init__(self, place: InnerPlace, call: Call, deliver: Callable[[Answer], None]) -> None:
        self._place = place
        self._call = call
        self._deliver: Callable[[Answer], None] | None = deliver  # None once it is over
        self._running: Cancellable | None = None
        self._timer: Timer | None = None

    def begin(self) -> None:
        graphs, limit_s = self._place.graphs, self._call.timeout_s
        self._running = graphs.loop.call_soon(self._start)
        if limit_s is not None:
            self._timer = graphs.deadlines.start(limit_s, self._late)

    def cancel(self) -> None:
        if self._deliver is not None:
            self._end()

    def _start(self) -> None:
        place, call = self._place, self._call
        upload = None if call.upload is None else cast(Pipe, call.upload)
        if upload is None or place.plan.streams or call.upgrade:
            self._ask(call.body, upload)
        else:
            self._running = upload
            upload.start(
                Gathering(
                    upload,
                    place.graphs.body_limit,
                    self._gathered,
                    FailureKind.BAD_REQUEST,
                    "the request",
                )
            )

    def _gathered(self, body: bytes | Failure) -> None:
        self._running = None
        if not isinstance(body, Failure):
            self._ask(body, None)
        elif self._deliver is not None:
            deliver = self._deliver
            self._end()
            deliver(Failure(body.kind, body.cause, self._call.address))

    def _ask(self, body: bytes, upload: Pipe | None) -> None:
        place = self._place
        self._running = None
        request = place.request(self._call, body)
        request.upload = upload
        running = place.graphs.handler(request, self._answered)
        if self._deliver is not None:
            self._running = running

    def _answered(self, response: Response) -> None:
        deliver = self._deliver
        if deliver is None:
            return  # it was given up, and this says so
        self._running = None
        self._end()
        headers = self._passed(response.headers)
        document = (
            Message(response.body, Side.ANSWER)
            if self._call.form is Form.MESSAGE and 200 <= response.status <= 299  # else an error
            else document_of(response.body, response.headers)
        )
        deliver(Reply(response.status, headers, document, response.stream))

    def _passed(self, headers: Headers) -> Headers:
        """As over a socket: of a caller's own request and of a gRPC call all, else those that
        describe the body, and those that the setting names.
        """
        if self._call.forward is not None or self._call.form is Form.MESSAGE:
            return tuple([pair for pair in headers if pair[0] not in OF_THE_FRONT])
        passed = self._place.graphs.passed
        return tuple([pair for pair in headers if pair[0] in passed])

    def _late(self) -> None:
        deliver, call = self._deliver, self._call
        assert deliver is not None
        self._timer = None
        self._end()
        cause = f"{call.target.name}: no answer within {call.timeout_s:g} s"
        deliver(Failure(FailureKind.TIMEOUT, cause, call.address))

    def _end(self) -> None:
        self._deliver = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.met()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()


def seed_of(call: Call) -> int:
    """Of the inner request: draws of its own, the same for the same seed and step."""
    return salt(f"{call.seed}:{call.address}")
