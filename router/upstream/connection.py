"""One connection to a predictor: one call at a time, then back to its pool."""

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from graph.effects import FailureKind, Reply
from router.wire.refused import Refused
from router.wire.response import ResponseReader

if TYPE_CHECKING:
    from router.upstream.pool import Pending, Pool

JOINED_BYTES = 65_536  # bodies up to this go out in one write with their head
PEEK_AFTER_S = (
    0.05  # the loop sees a close within one turn; only an older connection can have missed it
)


class Connection(asyncio.Protocol):
    __slots__ = ("_pending", "_pool", "_reader", "_sock", "_transport", "address", "idle_since")

    def __init__(self, pool: "Pool", sock: socket.socket, address: str) -> None:
        self._pool = pool
        self._sock = sock
        self.address = address  # the host address that it was opened to, "" for unix sockets
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._pending: Pending | None = None
        self.idle_since = 0.0

    # what the pool asks

    def send(self, pending: "Pending") -> None:
        """Write the request and tell `pending` how it ends. The connection must be idle."""
        transport = self._transport
        assert transport is not None
        self._pending = pending
        pending.connection = self
        call = pending.call
        self._reader = self._pool.reader(call)
        body = call.body
        if len(body) <= JOINED_BYTES:
            transport.write(pending.head + body)
        else:
            transport.writelines((pending.head, body))

    def usable(self, now: float) -> bool:
        """Whether the peer has kept an idle connection open, as far as one can know beforehand."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if now - self.idle_since < PEEK_AFTER_S:
            return True
        try:
            unread = self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        # End of stream, or bytes that nobody asked for. Within TLS those may be session tickets.
        return bool(unread) and self._pool.origin.tls

    def give_up(self) -> None:
        """The answer may be on its way, so the connection goes with the call."""
        self._reader = None
        self._pending = None
        self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            self.abort()  # an answer to nothing
            return
        try:
            reply = reader.feed(data)
        except Refused as fault:
            self._fail(FailureKind.PROTOCOL, fault.cause)
            return
        if reply is not None:
            self._finish(reply, reader.keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reader = self._reader
        if reader is not None:
            reply = reader.eof() if exc is None else None
            if reply is not None:
                self._finish(reply, False)
            elif reader.started:
                self._fail(FailureKind.RESET, "the connection broke within the answer")
            else:
                self._fail(FailureKind.RESET, "the connection was closed before an answer came")
        self._pool.lost(self)

    # how a call ends

    def _finish(self, reply: Reply, keep_alive: bool) -> None:
        pending = self._pending
        transport = self._transport
        self._reader = None
        self._pending = None
        # An answer that came before the whole request was written leaves the rest of it in the way.
        if keep_alive and transport is not None and not transport.get_write_buffer_size():
            self._pool.release(self)  # first, so that the next step of a Sequence finds it
        else:
            self.abort()
        assert pending is not None
        pending.answered(reply)

    def _fail(self, kind: FailureKind, cause: str) -> None:
        pending = self._pending
        self.give_up()
        assert pending is not None
        pending.failed(kind, cause)
