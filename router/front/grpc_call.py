"""One call of a gRPC client: its head checked, its messages cut out, what it is answered written.

What the call is about is a `Talk`: inference, health and the like (`grpc_infer`, `grpc_services`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from graph.effects import Headers
from router.wire.grpc.framing import ACCEPTED, Messages, framed
from router.wire.grpc.metadata import Malformed
from router.wire.grpc.request import CallHead, read_call
from router.wire.grpc.status import Code, GrpcFault, escaped
from router.wire.http2.codes import ErrorCode
from router.wire.http2.hpack import Fields, encode
from router.wire.http2.stream import Stream

if TYPE_CHECKING:
    from router.front.grpc_connection import GrpcConnection

_HEAD: Headers = (
    (b":status", b"200"),
    (b"content-type", b"application/grpc"),
    (b"grpc-accept-encoding", ACCEPTED),
)
_HEAD_BLOCK = encode(_HEAD)
_OK_BLOCK = encode(((b"grpc-status", b"0"),))


class Talk(Protocol):
    """What is done for one call. Nothing is asked of it after `cancel`."""

    def message(self, message: bytes) -> None: ...

    def closed(self) -> None:
        """The client has sent its last message."""

    def cancel(self) -> None:
        """Nobody waits for an answer any more."""

    def leave(self) -> None:
        """The worker ends: what would go on for ever should not."""

    def sent(self) -> None:
        """The client has taken all that waited."""


class GrpcCall(Stream):
    __slots__ = (
        "_any", "_began", "_connection", "_gathered", "_messages", "_owed", "_talk", "complete",
        "head", "held", "since",
    )  # fmt: skip

    def __init__(self, connection: "GrpcConnection") -> None:
        super().__init__()
        self._connection = connection
        self._messages = Messages(connection.front.limits.body_bytes)
        self._talk: Talk | None = None
        self._any = False  # a message came
        self._began = False  # the head of the answer is sent
        self._gathered = 0  # bytes of messages that are not whole
        self._owed = 0  # bytes for which the client is not thanked while we are `held`
        self.held = False  # no further messages are wanted for now
        self.complete = False  # the client has ended its side
        self.head: CallHead | None = None
        self.since = connection.front.loop.time()  # when something last came

    @property
    def awaits_message(self) -> bool:
        """A message has begun, or the first is still to come."""
        return not self._messages.between or not self._any

    @property
    def client(self) -> str:
        return self._connection.client

    # what the connection tells

    def received(self, fields: Fields, end: bool) -> None:
        if self.head is not None:  # trailers, which say nothing to us
            if end:
                self._half_closed()
            else:
                self._malformed()
            return
        try:
            head = self.head = read_call(fields)
        except Malformed:
            self._malformed()
            return
        if head.status != 200:
            self.send(encode(((b":status", b"%d" % head.status),)), end=True)
            self.reset(ErrorCode.NO_ERROR)
            return
        fault = head.fault
        make = self._connection.front.talks.get(head.head.path)
        if make is None and fault is None:
            fault = GrpcFault(Code.UNIMPLEMENTED, "no such method is served here")
        if fault is not None or make is None:
            assert fault is not None
            self.finish(fault.code, fault.words)
            return
        self._messages.encoding = head.encoding
        self._talk = make(self)
        if end:
            self._half_closed()

    def data(self, data: bytes, end: bool) -> None:
        self.since = self._connection.front.loop.time()
        if self.held:
            self._owed += len(data)
        else:
            self.used(len(data))
        if self._talk is None:
            return  # refused already
        try:
            messages = self._messages.feed(data)
            self._gather(0 if self._messages.between else self._gathered + len(data))
        except GrpcFault as fault:
            self._cancel()
            self.finish(fault.code, fault.words)
            return
        self._any = self._any or bool(messages)
        for message in messages:
            if self._talk is not None:
                self._talk.message(message)
        if end:
            self._half_closed()

    def lost(self, code: ErrorCode | None, cause: str, *, unprocessed: bool) -> None:
        self._gather(0)
        self._cancel()

    def sent(self) -> None:
        if self._talk is not None:
            self._talk.sent()

    # what a talk says

    def hold(self) -> None:
        """No further messages for now, beyond those that are on their way."""
        self.held = True

    def go_on(self) -> None:
        self.held = False
        owed, self._owed = self._owed, 0
        self.used(owed)

    def reply(self, message: bytes, metadata: Headers = ()) -> None:
        """The only message, and the end."""
        head = _HEAD_BLOCK + encode(metadata) if metadata else _HEAD_BLOCK
        self._end_with(head, framed(message), _OK_BLOCK)

    def answer(self, message: bytes) -> None:
        """One of many."""
        head = None if self._began else _HEAD_BLOCK
        self._began = True
        self.send(head, framed(message))

    def finish(self, code: int, words: str = "", metadata: Headers = ()) -> None:
        self.finish_as(code, escaped(words[:1024]), metadata)

    def finish_as(self, code: int, words: bytes, metadata: Headers = ()) -> None:
        """`words` as they travel."""
        trailers: Headers = ((b"grpc-status", b"%d" % code),)
        if words:
            trailers = (*trailers, (b"grpc-message", words))
        if self._began:
            self._end_with(None, b"", encode(trailers))
        else:
            self._end_with(encode((*_HEAD[:2], *metadata, *trailers)), b"", None)

    def leave(self) -> None:
        if self._talk is not None:
            self._talk.leave()

    def expire(self) -> None:
        """Its messages do not come."""
        self._cancel()
        self.finish(Code.DEADLINE_EXCEEDED, "the message of the call did not arrive in time")

    # inside

    def _end_with(self, head: bytes | None, data: bytes, tail: bytes | None) -> None:
        self._began = True
        self._talk = None
        self._gather(0)
        self.send(head, data, tail, end=True)
        if self.remote_open and not self.waiting:
            self.reset(ErrorCode.NO_ERROR)  # the rest of the request is not wanted

    def _half_closed(self) -> None:
        self.complete = True
        talk = self._talk
        if talk is None:
            return
        if self._messages.between:
            talk.closed()
        else:
            self._cancel()
            self.finish(Code.INTERNAL, "the last message is cut short")

    def _malformed(self) -> None:
        self._gather(0)
        self._cancel()
        self.reset(ErrorCode.PROTOCOL_ERROR)

    def _cancel(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.cancel()

    def _gather(self, size: int) -> None:
        change, self._gathered = size - self._gathered, size
        self._connection.gather(change)


MakeTalk = Callable[[GrpcCall], Talk]
