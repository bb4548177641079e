"""ModelInfer and ModelStreamInfer: messages of inference through the layers of the router."""

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from graph.effects import Failure, Headers
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.failures import FAILURES
from router.messages import CLIENT_CLOSED, Cancellable, Request, Response
from router.streams import Pipe
from router.wire.grpc.fields import model_name, stream_error, stream_response
from router.wire.grpc.framing import Messages
from router.wire.grpc.metadata import legal
from router.wire.grpc.status import Code, code_of, escaped, unescaped

if TYPE_CHECKING:
    from router.front.grpc import GrpcFront
    from router.front.grpc_call import GrpcCall, MakeTalk

SERVICE = b"/inference.GRPCInferenceService/"
WORDS_BYTES = 1024  # of an error's body that is no JSON


def talks_of(front: "GrpcFront") -> "dict[bytes, MakeTalk]":
    """By the path of the method."""
    return {
        SERVICE + b"ModelInfer": lambda call: Infer(front, call),
        SERVICE + b"ModelStreamInfer": lambda call: StreamInfer(front, call),
    }


class Ending:
    """How a request ended, in gRPC's words. `message` is None where there is no answer."""

    __slots__ = ("code", "message", "metadata", "words")

    def __init__(self, request: Request, response: Response) -> None:
        self.message: bytes | None = None
        self.metadata = names = _names(request)
        if request.trace is not None:  # an error tells its route too
            route = [pair for pair in response.headers if pair[0] == b"x-graphway-route"]
            self.metadata = (*names, *route)
        failure = request.failure
        if failure is not None:
            self.code: int = FAILURES[failure.kind].code
            self.words = escaped(failure.cause)
            return
        fields = dict(response.headers)
        code = fields.get(b"grpc-status", b"")
        if code.isdigit():
            self.code = int(code)
            self.words = fields.get(b"grpc-message", b"")
        elif not 200 <= response.status < 300:
            self.code = code_of(response.status)
            self.words = escaped(words_of(response.body))
        elif fields.get(b"content-type", b"").startswith(b"application/grpc"):
            self.code, self.words = Code.OK, b""
            self.message = response.body
            self.metadata = legal(response.headers) + names
        else:
            self.code = Code.INTERNAL
            self.words = b"the answer of the graph is no message of gRPC"


class Infer:
    """One message, one answer."""

    __slots__ = ("_call", "_exchange", "_front", "_message", "_over", "_request")

    def __init__(self, front: "GrpcFront", call: "GrpcCall") -> None:
        self._front = front
        self._call = call
        self._message: bytes | None = None
        self._request: Request | None = None
        self._exchange: Cancellable | None = None
        self._over = False

    def message(self, message: bytes) -> None:
        if self._message is not None:
            self._over = True
            self._call.finish(Code.INTERNAL, "two messages where the method takes one")
        self._message = message

    def closed(self) -> None:
        if self._message is None:
            self._call.finish(Code.INTERNAL, "no message where the method takes one")
            return
        request = self._request = request_of(self._call, self._message)
        exchange = self._front.handler(request, self._respond)
        if not self._over:
            self._exchange = exchange

    def cancel(self) -> None:
        self._over = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    def leave(self) -> None:
        pass

    def sent(self) -> None:
        pass

    def _respond(self, response: Response) -> None:
        over, self._over = self._over, True
        self._exchange = None
        request = self._request
        assert request is not None
        if over or response.status == CLIENT_CLOSED:
            return
        if response.stream is not None:
            response.stream.cancel()
            self._call.finish(Code.INTERNAL, "several answers where the method gives one")
            return
        ending = Ending(request, response)
        if ending.message is not None:
            self._call.reply(ending.message, ending.metadata)
        else:
            self._call.finish_as(ending.code, ending.words, ending.metadata)


class StreamInfer:
    """Any number of messages, answered in their order, one at a time, each by one answer or by a
    stream of them. An error is an answer too, and the next message is answered all the same.
    """

    __slots__ = (
        "_busy", "_call", "_closed", "_exchange", "_front", "_messages", "_next", "_over",
        "_request", "_stream",
    )  # fmt: skip

    def __init__(self, front: "GrpcFront", call: "GrpcCall") -> None:
        self._front = front
        self._call = call
        self._next: deque[bytes] = deque()
        self._closed = False
        self._request: Request | None = None  # the one that is being answered
        self._stream: Pipe | None = None  # its answers
        self._messages = Messages(front.limits.answer_bytes)
        self._exchange: Cancellable | None = None
        self._over = False
        self._busy = False  # within `_go_on`

    def message(self, message: bytes) -> None:
        self._next.append(message)
        self._go_on()

    def closed(self) -> None:
        self._closed = True
        self._go_on()

    def cancel(self) -> None:
        self._over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    # answers that come one by one

    def data(self, piece: bytes) -> None:
        for message in self._messages.feed(piece):
            self._call.answer(stream_response(message))
        if self._call.waiting and self._stream is not None:
            self._stream.pause()

    def end(self) -> None:
        self._stream = self._request = None
        self._go_on()

    def failed(self, failure: Failure) -> None:
        self._stream = self._request = None
        if not self._over:
            self._call.answer(stream_error(failure.cause))
            self._go_on()

    def leave(self) -> None:
        if self._request is None:
            self._over = True
            self._call.finish(Code.UNAVAILABLE, "the router ends")
        else:
            self._closed = True  # what was begun is answered
            self._next.clear()

    def sent(self) -> None:
        if self._stream is not None:
            self._stream.resume()
        else:
            self._go_on()

    def _go_on(self) -> None:
        if self._busy:
            return  # an answer at once, within the loop below: it goes on by itself
        self._busy = True
        try:
            self._answer_next()
        finally:
            self._busy = False

    def _answer_next(self) -> None:
        while self._request is None and not self._over and not self._call.waiting:
            if not self._next:
                if self._closed:
                    self._over = True
                    self._call.finish(Code.OK)
                else:
                    self._call.go_on()
                return
            request = self._request = request_of(self._call, self._next.popleft())
            exchange = self._front.handler(request, self._respond)
            if self._request is request:
                self._exchange = exchange
        self._call.hold()

    def _respond(self, response: Response) -> None:
        request, self._exchange = self._request, None
        assert request is not None
        stream = response.stream
        if stream is not None and not self._over:
            self._stream = stream
            stream.start(self)
            return
        self._request = None
        if self._over or response.status == CLIENT_CLOSED:
            return
        ending = Ending(request, response)
        if ending.message is not None:
            self._call.answer(stream_response(ending.message))
        else:
            self._call.answer(stream_error(unescaped(ending.words)))
        self._go_on()


def request_of(call: "GrpcCall", message: bytes) -> Request:
    head = call.head
    assert head is not None
    request = Request(head.head, Message(message, Side.REQUEST))
    request.started = monotonic()
    request.client = call.client
    request.timeout_s = head.timeout_s
    request.model = model_name(message)
    return request


def words_of(body: bytes) -> str:
    """What an error's body says: one of the usual members of its JSON, else the text itself."""
    try:
        error = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = None
    if isinstance(error, dict):
        for name in ("cause", "error", "detail", "message"):
            if isinstance(error.get(name), str):
                return str(error[name])
    return body[:WORDS_BYTES].decode(errors="replace")


def _names(request: Request) -> Headers:
    """By which an answer is found again."""
    names: Headers = ((b"x-request-id", request.request_id),)
    plan = request.plan
    if plan is not None:
        names = (*names, (b"x-graphway-revision", plan.revision_bytes))
    return names
