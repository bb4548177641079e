"""A request for a service itself, without a graph: it goes to a replica as it came, and the answer
comes back as it is.

As for every HTTP intermediary, headers of one hop stay behind; what the front writes itself is not
doubled. Which revision and replica is asked is the business of the upstream, as for a step's call.
"""

from functools import partial
from random import Random
from typing import cast

from graph.document import Form
from graph.effects import Answer, Call, Failure, Forward, Headers
from router import failures
from router.execute import Upstream
from router.messages import (
    CLIENT_CLOSED,
    DONE,
    JSON,
    Cancellable,
    Handler,
    Head,
    Request,
    Respond,
    Response,
)
from router.plans import SERVICES, below
from router.streams import End, Ended, Pipe
from router.upgrade import as_handshake
from router.wire.hops import end_to_end

# Written anew for the call, or dealt with by the front already.
_OURS = (b"host", b"content-length", b"expect", b"x-request-id")
# What plain `curl -d` calls JSON, for which it is no form.
_FORM = b"application/x-www-form-urlencoded"


class Forwarded:
    """A request on its way to a service."""

    __slots__ = ("_call", "_request", "_respond", "_running")

    def __init__(self, request: Request, call: Call, respond: Respond) -> None:
        self._request = request
        self._call = call
        self._respond = respond
        self._running: Cancellable | None = None

    def start(self, upstream: Upstream) -> None:
        self._running = upstream.start(self._call, self._answered)

    def _answered(self, answer: Answer) -> None:
        self._running = None
        self._request.revision = self._call.revision
        if isinstance(answer, Failure):
            self._request.failure = answer
            self._respond(failures.response(answer, None))
            return
        stream = None if answer.stream is None else cast(Pipe, answer.stream)
        headers = answer.headers
        if self._call.revision:
            headers += ((b"x-graphway-revision", self._call.revision.encode()),)
        to_head = self._request.head.method == b"HEAD"
        response = Response(
            answer.status, headers, answer.document.body, tells_length=to_head, stream=stream
        )
        if stream is not None:
            stream.watch(partial(note_end, self._request, response))
        self._respond(response)

    def cancel(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            self._respond(Response(CLIENT_CLOSED))


def call_service(upstream: Upstream, random: Random) -> Handler:
    bits = random.getrandbits

    def handle(request: Request, respond: Respond) -> Cancellable:
        service, head = request.service, request.head
        if service is None:
            respond(failures.error(404, _nobody(request)))
            return DONE
        call = Call(
            f"service/{service.key}",
            service.target,
            _passed(head, request),
            request.document.body,
            None,
            bits(64),
            Forward(head.method, _target(head)),
            stream=request.document.form is not Form.MESSAGE,  # gRPC answers with one message
            upload=request.upload,
        )
        if head.upgrades:
            as_handshake(call, request)
        forwarded = Forwarded(request, call, respond)
        forwarded.start(upstream)
        return forwarded

    return handle


def _nobody(request: Request) -> str:
    path = request.head.path
    if request.document.form is Form.MESSAGE:
        if not request.model:
            return "the message names no model, and there is no default graph"
        return f"no graph is called {request.model[:200].decode(errors='replace')!r} here"
    kind = "service" if path.startswith(SERVICES) else "graph"
    return f"no {kind} is served here: {path[:200].decode('ascii')}"


def _target(head: Head) -> bytes:
    path = below(head.path)
    return path + b"?" + head.query if head.query else path


def _passed(head: Head, request: Request) -> Headers:
    headers = end_to_end(head.headers, *_OURS)
    if head.fields.get(b"content-type") == _FORM and _beginning(request) in (b"{", b"["):
        headers = (*(pair for pair in headers if pair[0] != b"content-type"), *JSON)
    return (*headers, (b"x-request-id", request.request_id))


def _beginning(request: Request) -> bytes:
    upload = request.upload
    return (request.document.body if upload is None else upload.beginning)[:1]


def note_end(request: Request, response: Response, end: Ended) -> None:
    """What became of an answer that was a stream. Outer layers, who watch it too, find it noted."""
    if end is End.LEFT:
        response.status = CLIENT_CLOSED
    elif isinstance(end, Failure):
        request.failure = end
        response.status = failures.status(end, request.plan)
