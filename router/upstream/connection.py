"""One connection to a predictor: one call at a time, then back to its pool.

An answer that streams is handed over when its head is there; from then on the connection is the
source of its body. A request's body that streams is written as it comes, and dropped where the
answer is whole before it.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from graph.effects import Failure, FailureKind, Reply
from router.streams import Pipe
from router.upstream.sending import Sending
from router.wire.refused import Refused
from router.wire.response import ResponseReader

if TYPE_CHECKING:
    from router.upstream.pool import Pending, Pool

JOINED_BYTES = 65_536  # bodies up to this go out in one write with their head
LAST_WORDS_BYTES = 65_536
PIECE_BYTES = 65_536
PEEK_AFTER_S = (
    0.05  # the loop sees a close within one turn; only an older connection can have missed it
)


class Connection(asyncio.Protocol):
    __slots__ = (
        "_held_back", "_in_pieces", "_moved", "_pending", "_pool", "_reader", "_sending", "_sock",
        "_stream", "_transport", "address", "idle_since",
    )  # fmt: skip

    def __init__(self, pool: "Pool", sock: socket.socket, address: str) -> None:
        self._pool = pool
        self._sock = sock
        self.address = address  # the host address that it was opened to, "" for unix sockets
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._pending: Pending | None = None
        self._stream: Pipe | None = None  # the body of the answer, once that was handed over
        self._sending: Sending | None = None  # the body of the request, where it is a stream
        self._held_back = False
        self._in_pieces = False
        self._moved = (-1, 0.0)  # how many bytes of them had passed when, as last looked at
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
        if call.upload is not None:
            self._send_stream(pending, transport, cast(Pipe, call.upload))
            return
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
        if self._sending is not None:
            self._stop_sending(self._sending)
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
        stream = self._stream
        try:
            if stream is not None:
                self._more(stream, reader, data)
                return
            reply = reader.feed(data)
        except Refused as fault:
            self._fail(FailureKind.PROTOCOL, fault.cause)
            return
        if reply is None:
            return
        if reader.streaming:
            self._begin(reply, reader)
        else:
            self._finish(reply, reader.keep_alive)

    def pause_writing(self) -> None:
        if self._sending is not None:
            self._sending.upload.pause()

    def resume_writing(self) -> None:
        if self._sending is not None:
            self._sending.upload.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reader = self._reader
        if reader is not None:
            stream = self._stream
            reply = None
            if stream is None:
                reply = reader.eof() if exc is None else self._last_words(reader)
            if reply is not None:
                self._finish(reply, False)
            elif stream is not None and exc is None and reader.ends_by_close:
                self._end(stream, False)
            elif reader.started:
                self._fail(FailureKind.RESET, "the connection broke within the answer")
            else:
                self._fail(FailureKind.RESET, "the connection was closed before an answer came")
        self._pool.lost(self)

    def _last_words(self, reader: ResponseReader) -> Reply | None:
        """Who answers before it has read the body often closes at once. Writing has failed then,
        and what it said may still stand in the socket.
        """
        if self._sending is None or self._pool.origin.tls:
            return None
        try:
            reply = reader.feed(self._sock.recv(LAST_WORDS_BYTES, socket.MSG_DONTWAIT))
        except (OSError, Refused):
            return None
        return None if reader.streaming else reply

    # bodies that stream

    def hold_back(self) -> None:
        transport = self._transport
        if not self._held_back and transport is not None and not transport.is_closing():
            self._held_back = True
            transport.pause_reading()
            if not self._in_pieces and self._stream is not None and self._stream.paused:
                self._in_pieces = True
                transport.set_protocol(InPieces(self))

    def go_on(self) -> None:
        if self._held_back:
            self._held_back = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def _read_freely(self, transport: asyncio.Transport) -> None:
        """As before the stream: it may have ended with a piece that was one too many."""
        self._held_back = self._in_pieces = False
        if not transport.is_closing():
            transport.pause_reading()
            transport.set_protocol(self)
            transport.resume_reading()

    def abandon(self) -> None:
        self._stream = None
        self.give_up()

    def sweep(self, now: float, limit_s: float) -> None:
        """Once a second while a body streams: the predictor may let it rest for so long."""
        if self._stream is not None:
            passed, theirs = self._stream.passed, not self._stream.paused
        elif self._sending is not None:
            passed, theirs = self._sending.upload.passed, self._sending.upload.paused
        else:
            self._pool.streaming.discard(self)
            return
        if not theirs or passed != self._moved[0]:
            self._moved = (passed, now)
        elif now - self._moved[1] > limit_s:
            self._fail(FailureKind.TIMEOUT, f"nothing of a body passed for {limit_s:g} s")

    def _send_stream(self, pending: "Pending", transport: asyncio.Transport, upload: Pipe) -> None:
        transport.write(pending.head)
        if pending.call.upgrade:
            return  # what follows waits for the answer
        self._sending = Sending(transport, upload, self._cannot_send)
        self._watch()
        upload.start(self._sending)

    def _cannot_send(self, upload: Pipe, failure: Failure) -> None:
        # Later: this may be within the start of a call.
        self._pool.loop.call_soon(self._break_unsent, upload, failure)

    def _break_unsent(self, upload: Pipe, failure: Failure) -> None:
        if self._sending is not None and self._sending.upload is upload:
            self._break(failure)

    def _stop_sending(self, sending: Sending) -> None:
        self._sending = None
        sending.drop()

    def _watch(self) -> None:
        self._moved = (-1, 0.0)
        self._pool.streaming.add(self)

    def _begin(self, reply: Reply, reader: ResponseReader) -> None:
        pending = self._pending
        assert pending is not None
        reply.stream = self._stream = stream = Pipe(self, reader.length)
        pending.began(reply, stream)
        if (piece := reader.beginning()) and self._stream is stream:  # else the client has left
            stream.data(piece)
        if reply.status != 101:
            self._watch()
        elif self._stream is stream and self._transport is not None:
            upload = cast(Pipe, pending.call.upload)
            self._sending = Sending(self._transport, upload, self._cannot_send, raw=True)
            upload.start(self._sending)

    def _more(self, stream: Pipe, reader: ResponseReader, data: bytes) -> None:
        piece, whole = reader.more(data)
        if piece:
            stream.data(piece)
        if whole and self._stream is stream:  # else that piece made its reader leave
            self._end(stream, reader.keep_alive)

    def _end(self, stream: Pipe, keep_alive: bool) -> None:
        self._stream = None
        self._give_back(keep_alive)
        stream.end()

    # how a call ends

    def _finish(self, reply: Reply, keep_alive: bool) -> None:
        pending = self._pending
        self._give_back(keep_alive)
        assert pending is not None
        pending.answered(reply)

    def _give_back(self, keep_alive: bool) -> None:
        transport, sending = self._transport, self._sending
        self._reader = None
        self._pending = None
        if sending is not None:
            keep_alive = keep_alive and sending.whole
            self._stop_sending(sending)
        # An answer that came before the whole request was written leaves the rest of it in the way.
        if keep_alive and transport is not None and not transport.get_write_buffer_size():
            if self._in_pieces:
                self._read_freely(transport)
            self._pool.release(self)  # first, so that the next step of a Sequence finds it
        else:
            self.abort()

    def _fail(self, kind: FailureKind, cause: str) -> None:
        assert self._pending is not None
        self._break(self._pending.failure(kind, cause))

    def _break(self, failure: Failure) -> None:
        pending, stream = self._pending, self._stream
        self._stream = None
        self.give_up()
        if stream is not None:
            stream.failed(failure)
            return
        assert pending is not None
        pending.answered(failure)


class InPieces(asyncio.BufferedProtocol):
    """Reads for a connection whose client is slower than its predictor: what comes waits for the
    client in our memory, so it must not come by the quarter of a MiB as it otherwise would.
    """

    _buffer = memoryview(bytearray(PIECE_BYTES))  # for all: what was read is copied at once

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._connection.data_received(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)
