"""One gRPC call whose answers come one by one: ModelStreamInfer, asked with a single message.

The body of the reply is a stream of messages in gRPC's frames. Triton wraps each in a
ModelStreamInferResponse; MLServer answers plain ModelInferResponses.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from graph.effects import Answer, Call, Failure, FailureKind, Reply
from graph.tensors.message import HEADERS, Message
from graph.tensors.model import Side
from router.streams import Pipe
from router.upstream.grpc_call import GrpcCall
from router.wire.grpc.answer import Ending
from router.wire.grpc.fields import BadMessage, of_stream, read
from router.wire.grpc.framing import framed
from router.wire.grpc.status import Code, GrpcFault, escaped
from router.wire.http2.codes import ErrorCode

if TYPE_CHECKING:
    from router.upstream.grpc_pool import GrpcPool

WRAPPED = frozenset({1, 2})  # fields of a ModelStreamInferResponse; a plain answer has others


class GrpcStreamCall(GrpcCall):
    __slots__ = ("_held", "_instead", "_owed", "_stream")

    def __init__(
        self,
        pool: "GrpcPool",
        call: Call,
        head: bytes,
        body: bytes,
        deliver: Callable[[Answer], None],
    ) -> None:
        super().__init__(pool, call, head, body, deliver)
        self._stream: Pipe | None = None
        self._instead: GrpcCall | None = None  # a plain call: the server has no such method
        self._held = False  # nobody takes more for now
        self._owed = 0  # bytes for which the server is not thanked meanwhile

    def cancel(self) -> None:
        if self._instead is not None:
            self._instead.cancel()
        super().cancel()

    def data(self, data: bytes, end: bool) -> None:
        head = self._head
        if head is None or not head.is_grpc:
            super().data(data, end)
            return
        if self._held:
            self._owed += len(data)
        else:
            self.used(len(data))
        try:
            for message in self._messages.feed(data):
                self._pass_on(message)
                if self.connection is None and not end:
                    return  # it was given up
        except (GrpcFault, BadMessage) as fault:
            self._give_up(FailureKind.PROTOCOL, str(fault))
            return
        if end:
            self._without_status(head)

    def lost(self, code: ErrorCode | None, cause: str, *, unprocessed: bool) -> None:
        stream = self._stream
        if stream is None:
            super().lost(code, cause, unprocessed=unprocessed)
        else:
            stream.failed(self._failure(FailureKind.RESET, cause))

    # what the stream says

    def hold_back(self) -> None:
        self._held = True

    def go_on(self) -> None:
        self._held = False
        owed, self._owed = self._owed, 0
        self.used(owed)

    def abandon(self) -> None:
        self.reset(ErrorCode.CANCEL)

    # inside

    def _pass_on(self, message: bytes) -> None:
        error, answer = "", message
        if all(field in WRAPPED for field, _ in read(message, 8)):
            error, answer = of_stream(message)
        if error:
            self._finish(Ending(Code.UNKNOWN, escaped(error)))
            return
        stream = self._stream
        if stream is None:
            pool, head = self._pool, self._head
            if pool is None or head is None:
                return
            stream = self._stream = Pipe(self, None)
            kept = HEADERS + pool.kept(head.metadata, self.call)
            self._end()
            self._deliver(Reply(200, kept, Message(b"", Side.ANSWER), stream))
        stream.data(framed(answer))

    def _finish(self, ending: Ending) -> None:
        stream = self._stream
        if stream is None:
            pool = self._pool
            if ending.code == Code.UNIMPLEMENTED and pool is not None:
                self._end()
                self._instead = pool.without_streams(self.call, self.body, self._deliver)
            else:
                super()._finish(ending)
            return
        self.reset(ErrorCode.NO_ERROR)
        if ending.code == Code.OK:
            stream.end()
        else:
            stream.failed(self._failure(FailureKind.RESET, ending.words))

    def _give_up(self, kind: FailureKind, cause: str) -> None:
        stream = self._stream
        if stream is None:
            super()._give_up(kind, cause)
            return
        self.reset(ErrorCode.CANCEL)
        stream.failed(self._failure(kind, cause))

    def _failure(self, kind: FailureKind, cause: str) -> Failure:
        return Failure(kind, cause, self.call.address)
