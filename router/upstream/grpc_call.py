"""One gRPC call to a predictor: a stream of a channel, and the answer that is made of it.

The peer's own status, whatever it is, is a Reply: it has answered. What breaks on the way is a
Failure. A call that the server has certainly not begun is begun anew elsewhere; no other ever is.
"""

from typing import TYPE_CHECKING

import msgspec

from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Reply
from graph.tensors.message import HEADERS as GRPC
from graph.tensors.message import Message
from graph.tensors.model import Side
from router.messages import JSON
from router.wire.grpc.answer import AnswerHead, Ending, read_head, read_trailers
from router.wire.grpc.framing import Messages
from router.wire.grpc.metadata import Malformed
from router.wire.grpc.status import Code, GrpcFault, http_status
from router.wire.http2.codes import ErrorCode
from router.wire.http2.hpack import Fields
from router.wire.http2.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.upstream.grpc_pool import GrpcPool

BEGUN_ANEW = 3  # times; a server that refuses on and on is overloaded


class GrpcCall(Stream):
    """First in line, then a stream. Its timeout covers both."""

    __slots__ = (
        "_answer", "_deliver", "_head", "_messages", "_pool", "_timer", "anew", "body", "call",
        "due", "head",
    )  # fmt: skip

    def __init__(
        self,
        pool: "GrpcPool",
        call: Call,
        head: bytes,
        body: bytes,
        deliver: "Callable[[Answer], None]",
    ) -> None:
        super().__init__()
        self.call = call
        self.head = head  # a block of headers
        self.body = body  # framed
        self.due = 0.0  # how long it may stand in line
        self.anew = 0
        self._pool: GrpcPool | None = pool  # None once it is over
        self._deliver = deliver
        self._head: AnswerHead | None = None
        self._messages = Messages(pool.limits.answer_bytes)
        self._answer: bytes | None = None
        self._timer = (
            None
            if call.timeout_s is None
            else pool.deadlines.start(call.timeout_s, self._timed_out)
        )

    def cancel(self) -> None:
        pool = self._pool
        if pool is None:
            return
        self._end()
        if self.connection is not None:
            self.reset(ErrorCode.CANCEL)
        else:
            pool.leave(self)

    def failed(self, kind: FailureKind, cause: str) -> None:
        pool = self._pool
        if pool is not None:  # else it was cancelled in the meantime
            self._end()
            self._deliver(Failure(kind, f"{pool.name}: {cause}", self.call.address))

    # what the connection tells

    def received(self, fields: Fields, end: bool) -> None:
        try:
            if self._head is None:
                self._on_head(read_head(fields), end)
            elif end:
                self._finish(read_trailers(fields))
            else:
                raise Malformed("trailers that do not end their stream")
        except Malformed as fault:
            self._give_up(FailureKind.PROTOCOL, str(fault))

    def data(self, data: bytes, end: bool) -> None:
        self.used(len(data))
        head = self._head
        if head is None:
            self._give_up(FailureKind.PROTOCOL, "data before its head")
            return
        if head.is_grpc:
            try:
                messages = self._messages.feed(data)
            except GrpcFault as fault:
                self._give_up(FailureKind.PROTOCOL, fault.words)
                return
            for message in messages:
                if self._answer is not None:
                    self._give_up(FailureKind.PROTOCOL, "two answers to one request")
                    return
                self._answer = message
        if end:
            self._without_status(head)

    def lost(self, code: ErrorCode | None, cause: str, *, unprocessed: bool) -> None:
        pool = self._pool
        if pool is None:
            return
        if unprocessed and self._head is None:
            if self.anew < BEGUN_ANEW:
                self.anew += 1
                Stream.__init__(self)
                pool.begin(self)
                return
            self.failed(FailureKind.OVERLOAD, cause)
        elif code is ErrorCode.ENHANCE_YOUR_CALM:
            self.failed(FailureKind.OVERLOAD, cause)
        elif code in (ErrorCode.PROTOCOL_ERROR, ErrorCode.FRAME_SIZE_ERROR):
            self.failed(FailureKind.PROTOCOL, cause)
        elif self._head is not None and code is None:
            self.failed(FailureKind.RESET, "the connection broke within the answer")
        else:
            self.failed(FailureKind.RESET, cause)

    # how it ends

    def _on_head(self, head: AnswerHead, end: bool) -> None:
        if head.status < 200:
            return  # 1xx: the answer is still to come
        self._head = head
        self._messages.encoding = head.encoding
        if not end:
            return
        if head.ends is not None:
            self._finish(head.ends)
        else:
            self._without_status(head)

    def _without_status(self, head: AnswerHead) -> None:
        """Something on the way answered, that does not know gRPC."""
        if head.status == 200:
            self._give_up(FailureKind.PROTOCOL, "the answer ended without a status of gRPC")
        else:
            error = {"error": f"HTTP status {head.status} where gRPC was expected"}
            self._reply(Reply(head.status, JSON, Document(msgspec.json.encode(error))))

    def _finish(self, ending: Ending) -> None:
        head, answer, pool = self._head, self._answer, self._pool
        assert head is not None
        assert pool is not None
        if ending.code != Code.OK:
            headers = (
                *JSON,
                (b"grpc-status", b"%d" % ending.code),
                (b"grpc-message", ending.escaped),
            )
            body = msgspec.json.encode({"error": ending.words})
            self._reply(Reply(http_status(ending.code), headers, Document(body)))
        elif answer is None or not self._messages.between:
            self._give_up(FailureKind.PROTOCOL, "the answer holds no whole message")
        else:
            document = Message(answer, Side.ANSWER)
            self._reply(Reply(200, GRPC + pool.kept(head.metadata, self.call), document))

    def _reply(self, reply: Reply) -> None:
        self.reset(ErrorCode.NO_ERROR)  # if it answered before it had heard us to the end
        self._end()
        self._deliver(reply)

    def _give_up(self, kind: FailureKind, cause: str) -> None:
        self.reset(ErrorCode.CANCEL)
        self.failed(kind, cause)

    def _timed_out(self) -> None:
        pool, limit = self._pool, self.call.timeout_s
        assert pool is not None
        self.cancel()
        cause = f"{pool.name}: no answer within {limit:g} s"
        self._deliver(Failure(FailureKind.TIMEOUT, cause, self.call.address))

    def _end(self) -> None:
        self._pool = None
        if self._timer is not None:
            self._timer.met()
            self._timer = None
