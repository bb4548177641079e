"""An Upstream that fits calls to what their targets speak, and the answers to what was asked.

Most calls pass: plain bodies to HTTP targets cost one look. What a target cannot take (a gRPC
message to a REST server, JSON to a gRPC server, binary tensors to a server without the extension)
is converted on the way there and back, and so is a call that says it may be adapted, between V1 and
V2. How, `graph.tensors.crossing` knows.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from msgspec.structs import replace

from graph.document import Document, Form
from graph.effects import Answer, Call, Failure, FailureKind, Headers, Reply, Stream
from graph.packed import document_of
from graph.plan import Target
from graph.tensors.convert import Protocol, protocol_of
from graph.tensors.crossing import Crossing
from graph.tensors.message import Message
from graph.tensors.model import Side, TensorError
from router.config import EndpointSource
from router.execute import Upstream
from router.extensions import Binary, Extensions
from router.messages import Cancellable
from router.speech import INNER, UNKNOWN, Speech, of_service, of_url
from router.streams import Gathering, Pipe

log = logging.getLogger("graphway.bridge")

# Names of this module are found faster, and every call of every step comes by here.
PLAIN, BINARY, GRPC = Form.PLAIN, Form.BINARY, Protocol.GRPC

Deliver = Callable[[Answer], None]

_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})


class Bridge:
    def __init__(
        self,
        inner: Upstream,
        endpoint: Callable[[str], EndpointSource | None],
        binary: Mapping[str, Binary],
        body_limit: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`endpoint` says what the endpoint table knows of a target, by its name; `binary`
        is the setting, `body_limit` holds for a stream that has to be whole after all.
        """
        self.inner = inner
        self.loop = loop
        self.extensions = Extensions(inner, binary, loop.time)
        self.body_limit = body_limit
        self._endpoint = endpoint
        self._urls: dict[str, Speech] = {}
        self._services: dict[str, tuple[EndpointSource, Speech]] = {}

    def install(self, inner: Iterable[str]) -> None:
        """Targets, by their names, that are graphs of this router now."""
        self._urls = dict.fromkeys(inner, INNER)

    def start(self, call: Call, deliver: Deliver) -> Cancellable:
        form = call.form
        speech = self._urls.get(call.target.name) or self._find(call.target)
        protocol = speech.protocol
        if form is PLAIN:
            if protocol is not GRPC and not call.adapt:
                return self.inner.start(call, deliver)
        elif form is BINARY:
            if protocol is None:
                return self.inner.start(call, deliver)
        elif protocol is GRPC or speech is INNER:
            return self.inner.start(call, deliver)
        if call.forward is not None:
            return self._forwarded(call, protocol, deliver)
        bridged = Bridged(self, call, speech, deliver)
        bridged.begin()
        return bridged

    def _find(self, target: Target) -> Speech:
        if target.url is not None:
            speech = self._urls[target.name] = of_url(target.url)
            return speech
        source = self._endpoint(target.name)
        if source is None:
            return UNKNOWN
        known = self._services.get(target.name)
        if known is None or known[0] is not source:
            known = self._services[target.name] = (source, of_service(source))
        return known[1]

    def _forwarded(self, call: Call, protocol: Protocol | None, deliver: Deliver) -> Cancellable:
        """A caller's own request goes as it is, or not at all."""
        if (call.form is Form.MESSAGE) is (protocol is GRPC):
            return self.inner.start(call, deliver)
        cause = (
            "forward: Caller passes requests on as they are, but the caller speaks gRPC and the "
            "step HTTP"
            if call.form is Form.MESSAGE
            else "forward: Caller passes requests on as they are, but the caller speaks HTTP and "
            "the step gRPC"
        )
        return self.loop.call_soon(deliver, Failure(FailureKind.BAD_REQUEST, cause, call.address))


class Bridged:
    """One call that has to be looked into."""

    __slots__ = ("_bridge", "_call", "_crossing", "_deliver", "_running", "_sent", "_speech")

    def __init__(self, bridge: Bridge, call: Call, speech: Speech, deliver: Deliver) -> None:
        self._bridge = bridge
        self._call = call
        self._speech = speech
        self._deliver: Deliver | None = deliver  # None once it is over
        self._running: Cancellable | None = None
        self._sent = call
        self._crossing: Crossing | None = None

    def begin(self) -> None:
        """Never delivers at once."""
        call, speech = self._call, self._speech
        if speech.protocol is Protocol.V2 and call.form is not PLAIN:
            knows = self._bridge.extensions.ask(call, speech, self._cross)
            if knows is None:
                return
            self._cross(knows)
            return
        self._cross(False)

    def cancel(self) -> None:
        self._deliver = None
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    def _cross(self, binary: bool) -> None:
        """`binary`: the target knows the extension."""
        if self._deliver is None:
            return
        call = self._call
        if call.upload is not None:
            self._cross_stream(call, call.upload, binary)
            return
        try:
            crossing = self._crossing = self._needed(binary)
        except Exception as error:
            failure = _failure(error, FailureKind.BAD_REQUEST, "the request", call)
            self._running = self._bridge.loop.call_soon(self._answered, failure)
            return
        if crossing is not None:
            self._sent = replace(
                call,
                headers=crossing.headers + _others(call.headers),
                body=crossing.document.body,
                form=crossing.document.form,
                stream=False,  # all of the answer is needed
            )
        self._running = self._bridge.inner.start(self._sent, self._answered)

    def _cross_stream(self, call: Call, upload: Stream, binary: bool) -> None:
        """What need not be converted stays a stream."""
        if call.form is BINARY and binary:
            self._running = self._bridge.inner.start(call, self._answered)
            return

        def whole(body: bytes | Failure) -> None:
            self._running = None
            if isinstance(body, Failure):
                failure = Failure(body.kind, body.cause, call.address)
                self._running = self._bridge.loop.call_soon(self._answered, failure)
                return
            call.body, call.upload = body, None
            self._cross(binary)

        pipe = cast(Pipe, upload)
        kind, limit = FailureKind.BAD_REQUEST, self._bridge.body_limit
        self._running = pipe
        pipe.start(Gathering(pipe, limit, whole, kind, "the request"))

    def _needed(self, binary: bool) -> Crossing | None:
        """None if the target can take what there is."""
        call, target = self._call, self._speech.protocol
        given: Document
        if call.form is Form.MESSAGE:
            given, source = Message(call.body, Side.REQUEST), GRPC
        else:
            given = document_of(call.body, call.headers)
            found = protocol_of(given, Side.REQUEST)
            if found is None:
                if target is GRPC:
                    raise TensorError("this is no inference request, and gRPC takes no other")
                return None
            source = found
        if target is None:
            if call.form is not Form.MESSAGE:
                return None
            target = Protocol.V2  # which every server that can be called by gRPC speaks, too
        if source is target and (call.form is PLAIN or binary):
            return None
        return Crossing(given, source, target, binary=binary and source is GRPC)

    def _answered(self, answer: Answer) -> None:
        self._running = None
        deliver, self._deliver = self._deliver, None
        assert deliver is not None  # the inner upstream delivers nothing to who has cancelled
        call = self._call
        call.revision = self._sent.revision
        if self._crossing is not None and isinstance(answer, Reply) and answer.ok:
            try:
                answer = _back(self._crossing, answer)
            except Exception as error:
                answer = _failure(error, FailureKind.INVALID_ANSWER, "the answer", call)
        deliver(answer)


def _failure(error: Exception, kind: FailureKind, what: str, call: Call) -> Failure:
    words = f"{what} cannot be converted for {call.target.name}"
    match error:
        case TensorError():
            return Failure(kind, f"{words}: {error}", call.address)
        case ImportError():
            cause = f"{words}: gRPC needs the extra graphway[grpc]"
            return Failure(FailureKind.INTERNAL, cause, call.address)
    log.error("%s", words, exc_info=error)
    return Failure(FailureKind.INTERNAL, "internal error", call.address)


def _back(crossing: Crossing, answer: Reply) -> Reply:
    document = answer.document
    if crossing.target is GRPC and not isinstance(document, Message):
        document = Message(document.body, Side.ANSWER)
    made, headers = crossing.back(document)
    return Reply(answer.status, headers + _others(answer.headers), made)


def _others(headers: Headers) -> Headers:
    """But those that describe the body."""
    return tuple([pair for pair in headers if pair[0] not in _DESCRIBING])
