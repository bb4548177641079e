"""A connection: bytes in, calls of its streams and bytes out. Both sides; `server` and `client` add
who opens streams.

`feed` raises `Broken` when the peer has lost the right to the connection, after a GOAWAY that says
why. What a peer may do without end costs `calm`: each idle frame (a ping, an empty DATA, a reset, a
setting) takes one, the clock and every piece of work that is done for the peer give some back. So a
flood of them ends the connection, and no honest peer comes near.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from router.wire.http2 import codes, frames
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.http2.hpack import NO_TABLE, Decoder, Fields
from router.wire.http2.stream import Stream

FRAME_BYTES = 262_144  # of a frame that we accept: what the loop reads at once
STREAM_WINDOW = 1_048_576
CONNECTION_WINDOW = 8_388_608
FIRST_WINDOW = 65_535  # section 6.9.2
LEAST_FRAME_BYTES = 16_384
CALM = 2000.0
CALM_A_SECOND = 500.0
CALM_A_STREAM = 20.0  # for one that was answered
CALM_A_FRAME = 4.0  # of data that we sent: its reader answers with window updates
SMALL_BYTES = 1024  # data that nobody waits for costs no calm beyond: the line bounds it
CONTINUATIONS = 32  # of one block
SETTINGS_BYTES = 6 * 32


Write = Callable[[bytes | memoryview], None]


class Connection(ABC):
    """`write` takes what is to be sent, piece by piece: whoever gives it joins them. It may be
    called at any time until `close`.
    """

    __slots__ = (
        "_block", "_block_end", "_block_parts", "_block_stream", "_calm", "_decoder",
        "_header_bytes", "_hungry", "_most", "_need", "_paused", "_receive_left", "_rest",
        "_send_window", "_settled", "_stream_window", "_table_said", "_unthanked", "_write",
        "closed", "peer_streams", "streams",
    )  # fmt: skip

    def __init__(self, write: Write, header_bytes: int, header_count: int) -> None:
        self.streams: dict[int, Stream] = {}
        self.closed = False
        self.peer_streams = codes.GREATEST_ID  # how many of ours the peer takes
        self._write = write
        self._header_bytes = header_bytes
        self._decoder = Decoder(header_bytes, header_count)
        self._rest = bytearray()  # of a frame whose end has not come
        self._need = 0  # bytes until that makes sense again
        self._settled = False  # the peer's first SETTINGS have come
        self._calm = CALM
        self._block: bytes | None = None  # of headers whose end has not come
        self._block_parts = 0
        self._block_stream = 0
        self._block_end = False
        self._receive_left = CONNECTION_WINDOW
        self._unthanked = 0
        self._send_window = FIRST_WINDOW
        self._stream_window = FIRST_WINDOW  # of the peer, for each stream of ours
        self._most = LEAST_FRAME_BYTES  # that a frame to the peer may hold
        self._hungry: dict[Stream, None] = {}  # have data that waits for a window
        self._paused = False  # the socket is full
        self._table_said = False

    # what sides add

    @abstractmethod
    def _headers(self, stream_id: int, fields: Fields, end: bool) -> None:
        """A block of headers has come for a stream that is none of `streams`."""

    @abstractmethod
    def _opened(self, stream_id: int) -> bool:
        """Whether this stream was ever opened."""

    @abstractmethod
    def _goaway(self, last: int, code: ErrorCode, words: str) -> None:
        """The peer opens, and processes, no streams beyond this one."""

    @abstractmethod
    def _last_processed(self) -> int:
        """The greatest stream of the peer that we have worked on."""

    # bytes in

    def feed(self, data: bytes) -> None:
        """Raises Broken."""
        rest = self._rest
        if rest:
            rest += data
            if len(rest) < self._need:
                return
            data = bytes(rest)
            rest.clear()
        try:
            at = self._frames(data)
        except Broken as fault:
            if not self.closed:
                self._write(frames.goaway(self._last_processed(), fault.code, fault.cause))
            raise
        if at < len(data):
            rest += data[at:]

    def _frames(self, data: bytes) -> int:
        """Deals with the whole frames; where what is left begins."""
        at, end = 0, len(data)
        while not self.closed:
            start = at + frames.HEAD_BYTES
            if start > end:
                self._need = frames.HEAD_BYTES
                break
            high, low, kind, flags, stream_id = frames.read_head(data, at)
            length = high << 8 | low
            if length > FRAME_BYTES:
                raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a frame is larger than allowed")
            stop = start + length
            if stop > end:
                self._need = stop - at
                break
            self._frame(kind, flags, stream_id & codes.GREATEST_ID, data, start, stop)
            at = stop
        return at

    def _frame(
        self, kind: int, flags: int, stream_id: int, data: bytes, start: int, stop: int
    ) -> None:
        if not self._settled and kind != codes.SETTINGS:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if self._block is not None and kind != codes.CONTINUATION:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "a frame within a header block")
        if kind == codes.DATA:
            self._on_data(flags, stream_id, data, start, stop)
        elif kind == codes.HEADERS:
            self._on_headers(flags, stream_id, data, start, stop)
        elif kind == codes.WINDOW_UPDATE:
            self._on_window_update(stream_id, data[start:stop])
        elif kind == codes.CONTINUATION:
            self._on_continuation(flags, stream_id, data[start:stop])
        else:
            self._spend()
            if kind == codes.RST_STREAM:
                self._on_reset(stream_id, data[start:stop])
            elif kind == codes.PING:
                self._on_ping(flags, stream_id, data[start:stop])
            elif kind == codes.SETTINGS:
                self._on_settings(flags, stream_id, data[start:stop])
            elif kind == codes.GOAWAY:
                self._on_goaway(stream_id, data[start:stop])
            elif kind == codes.PUSH_PROMISE:
                raise Broken(ErrorCode.PROTOCOL_ERROR, "a push, which we do not take")
            elif kind == codes.PRIORITY and stop - start != 5:
                raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a PRIORITY frame has 5 bytes")

    def _on_data(self, flags: int, stream_id: int, data: bytes, start: int, stop: int) -> None:
        size = stop - start
        if stream_id == 0:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "DATA for no stream")
        self._receive_left -= size
        if self._receive_left < 0:
            raise Broken(ErrorCode.FLOW_CONTROL_ERROR, "more data than the window allows")
        padding = 0
        if flags & codes.PADDED:
            if not size or data[start] >= size:
                raise Broken(ErrorCode.PROTOCOL_ERROR, "padding longer than its frame")
            padding = 1 + data[start]
            start, stop = start + 1, stop - data[start]
        end = bool(flags & codes.END_STREAM)
        stream = self.streams.get(stream_id)
        if stream is None:
            if not self._opened(stream_id):
                raise Broken(ErrorCode.PROTOCOL_ERROR, "DATA for a stream that is not open")
            if size < SMALL_BYTES:
                self._spend()  # it was on its way when the stream ended
            self._thank(size)
            return
        if not stream.remote_open:
            raise Broken(ErrorCode.STREAM_CLOSED, "DATA after the end of its stream")
        stream.receive_left -= size
        if stream.receive_left < 0:
            self._thank(size)
            self.fail(stream, ErrorCode.FLOW_CONTROL_ERROR, "more data than the window allows")
            return
        if start == stop and not end:
            self._spend()
        stream.unused += size
        if padding:
            self.used(stream, padding)
        if end:
            self._remote_ended(stream)
        stream.data(data[start:stop], end)

    def _on_headers(self, flags: int, stream_id: int, data: bytes, start: int, stop: int) -> None:
        if stream_id == 0:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "HEADERS for no stream")
        if flags & codes.PADDED:
            if start == stop or data[start] >= stop - start:
                raise Broken(ErrorCode.PROTOCOL_ERROR, "padding longer than its frame")
            start, stop = start + 1, stop - data[start]
        if flags & codes.WITH_PRIORITY:
            start += 5
            if start > stop:
                raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a priority cut short")
        block = data[start:stop]
        end = bool(flags & codes.END_STREAM)
        if flags & codes.END_HEADERS:
            self._on_block(stream_id, block, end)
            return
        self._block, self._block_stream, self._block_end = block, stream_id, end
        self._block_parts = 0

    def _on_continuation(self, flags: int, stream_id: int, part: bytes) -> None:
        block = self._block
        if block is None or stream_id != self._block_stream:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        block += part
        self._block_parts += 1
        if len(block) > self._header_bytes or self._block_parts > CONTINUATIONS:
            raise Broken(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end")
        if flags & codes.END_HEADERS:
            self._block = None
            self._on_block(stream_id, block, self._block_end)
        else:
            self._block = block

    def _on_block(self, stream_id: int, block: bytes, end: bool) -> None:
        if len(block) > self._header_bytes:
            raise Broken(ErrorCode.ENHANCE_YOUR_CALM, "too many headers")
        fields = self._decoder.decode(block)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._headers(stream_id, fields, end)
            return
        if not stream.remote_open:
            raise Broken(ErrorCode.STREAM_CLOSED, "HEADERS after the end of their stream")
        if end:
            self._remote_ended(stream)
        else:
            self._spend()
        stream.received(fields, end)

    def _on_window_update(self, stream_id: int, body: bytes) -> None:
        self._spend()
        if len(body) != 4:
            raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a WINDOW_UPDATE frame has 4 bytes")
        increment = int.from_bytes(body, "big") & codes.GREATEST_WINDOW
        if stream_id == 0:
            self._send_window += increment
            if not increment or self._send_window > codes.GREATEST_WINDOW:
                code = ErrorCode.FLOW_CONTROL_ERROR if increment else ErrorCode.PROTOCOL_ERROR
                raise Broken(code, "a window out of its bounds")
            self._pump()
            return
        stream = self.streams.get(stream_id)
        if stream is None:
            if not self._opened(stream_id):
                raise Broken(ErrorCode.PROTOCOL_ERROR, "a window for a stream that is not open")
            return
        stream.send_window += increment
        if not increment or stream.send_window > codes.GREATEST_WINDOW:
            code = ErrorCode.FLOW_CONTROL_ERROR if increment else ErrorCode.PROTOCOL_ERROR
            self.fail(stream, code, "a window out of its bounds")
        elif stream.unsent is not None:
            self._pump()

    def _on_reset(self, stream_id: int, body: bytes) -> None:
        if len(body) != 4:
            raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a RST_STREAM frame has 4 bytes")
        if not self._opened(stream_id):
            raise Broken(ErrorCode.PROTOCOL_ERROR, "a reset of a stream that is not open")
        stream = self.streams.get(stream_id)
        if stream is not None:
            code = ErrorCode.of(int.from_bytes(body, "big"))
            self._forget(stream)
            refused = code is ErrorCode.REFUSED_STREAM
            stream.lost(code, f"it was reset ({code.name})", unprocessed=refused)

    def _on_ping(self, flags: int, stream_id: int, body: bytes) -> None:
        if stream_id:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "a PING on a stream")
        if len(body) != 8:
            raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a PING frame has 8 bytes")
        if not flags & codes.ACK:
            self._write(frames.ping_ack(body))

    def _on_settings(self, flags: int, stream_id: int, body: bytes) -> None:
        if stream_id:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        if flags & codes.ACK:
            if body:
                raise Broken(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement has no settings")
            self._decoder.allowed = 0  # it knows that we keep no table
            return
        if len(body) % 6:
            raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a setting has 6 bytes")
        if len(body) > SETTINGS_BYTES:
            raise Broken(ErrorCode.ENHANCE_YOUR_CALM, "too many settings")
        self._apply(frames.read_settings(body))
        first, self._settled = not self._settled, True
        self._write(frames.SETTINGS_ACK)
        if first:
            self.settled()
        self._pump()

    def settled(self) -> None:  # noqa: B027 - only one side wants to know
        """The peer has said how it wants to be spoken to."""

    def _apply(self, settings: dict[int, int]) -> None:
        window = settings.get(codes.INITIAL_WINDOW_SIZE)
        if window is not None:
            if window > codes.GREATEST_WINDOW:
                raise Broken(ErrorCode.FLOW_CONTROL_ERROR, "a window out of its bounds")
            change, self._stream_window = window - self._stream_window, window
            for stream in self.streams.values() if change else ():
                stream.send_window += change
                if stream.send_window > codes.GREATEST_WINDOW:
                    raise Broken(ErrorCode.FLOW_CONTROL_ERROR, "a window out of its bounds")
        most = settings.get(codes.MAX_FRAME_SIZE)
        if most is not None:
            if not LEAST_FRAME_BYTES <= most < 1 << 24:
                raise Broken(ErrorCode.PROTOCOL_ERROR, "a frame size out of its bounds")
            self._most = most
        if settings.get(codes.ENABLE_PUSH, 0) > 1:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1")
        self.peer_streams = settings.get(codes.MAX_CONCURRENT_STREAMS, self.peer_streams)

    def _on_goaway(self, stream_id: int, body: bytes) -> None:
        if stream_id:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(body) < 8:
            raise Broken(ErrorCode.FRAME_SIZE_ERROR, "a GOAWAY frame has 8 bytes at least")
        last = int.from_bytes(body[:4], "big") & codes.GREATEST_ID
        code = ErrorCode.of(int.from_bytes(body[4:8], "big"))
        self._goaway(last, code, body[8:264].decode(errors="replace"))

    # calm

    def _spend(self) -> None:
        self._calm -= 1
        if self._calm < 0:
            raise Broken(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that do nothing")

    def _earn(self, calm: float) -> None:
        self._calm = min(CALM, self._calm + calm)

    def second(self) -> None:
        """A second has passed."""
        self._earn(CALM_A_SECOND)

    # bytes out

    def send(
        self, stream: Stream, head: bytes | None, data: bytes, tail: bytes | None, end: bool
    ) -> None:
        """See `Stream.send`."""
        pieces: list[bytes | memoryview] = []
        if head is not None:
            if not self._table_said:
                self._table_said = True
                head = NO_TABLE + head
            only = end and not data and tail is None
            pieces.append(frames.headers(stream.id, head, only, self._most))
            if only:
                stream.local_open = False
        if end and tail is None:
            tail = b""
        size = len(data)
        room = min(stream.send_window, self._send_window)
        if stream.unsent is None and size <= room and (not size or not self._paused):
            if size:
                stream.send_window -= size
                self._send_window -= size
                self._data(pieces, stream.id, memoryview(data), tail == b"")
            if tail is not None and stream.local_open:
                if tail:
                    pieces.append(frames.headers(stream.id, tail, True, self._most))
                elif not size:
                    pieces.append(frames.head(0, codes.DATA, codes.END_STREAM, stream.id))
                stream.local_open = False
            for piece in pieces:
                self._write(piece)
            if not stream.local_open:
                self._local_ended(stream)
            return
        if pieces:
            self._write(pieces[0])
        if stream.unsent is None:
            stream.unsent = deque()
            self._hungry[stream] = None
        if size:
            stream.unsent.append(memoryview(data))
        if tail is not None:
            stream.tail = tail
        self._pump()

    def _data(
        self, pieces: list[bytes | memoryview], stream_id: int, data: memoryview, end: bool
    ) -> None:
        """The frames of these bytes, for which there is room."""
        most, size = self._most, len(data)
        for at in range(0, size, most):
            part = data[at : at + most]
            last = codes.END_STREAM if end and at + most >= size else 0
            pieces.append(frames.head(len(part), codes.DATA, last, stream_id))
            pieces.append(part)
        self._calm = min(CALM, self._calm + CALM_A_FRAME * (1 + size // most))

    def pause(self) -> None:
        """The socket is full: no data until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._pump()

    def _pump(self) -> None:
        """Send what waits, as far as the windows go: a frame of each in turn."""
        while self._hungry and self._send_window > 0 and not self._paused and not self.closed:
            ready = [
                stream for stream in self._hungry if stream.send_window > 0 or not stream.unsent
            ]
            if not ready:
                return
            for stream in ready:
                if stream in self._hungry and not self._paused:
                    self._feed_one(stream)

    def _feed_one(self, stream: Stream) -> None:
        unsent = stream.unsent
        assert unsent is not None
        room = min(stream.send_window, self._send_window, self._most)
        pieces: list[bytes | memoryview] = []
        if unsent and room > 0:
            first = unsent[0]
            part = first[:room]
            stream.send_window -= len(part)
            self._send_window -= len(part)
            if len(part) == len(first):
                unsent.popleft()
            else:
                unsent[0] = first[len(part) :]
            self._data(pieces, stream.id, part, not unsent and stream.tail == b"")
        if not unsent:
            stream.unsent = None
            del self._hungry[stream]
            tail = stream.tail
            if tail is not None:
                stream.local_open = False
                if tail:
                    pieces.append(frames.headers(stream.id, tail, True, self._most))
                elif not pieces:
                    pieces.append(frames.head(0, codes.DATA, codes.END_STREAM, stream.id))
        for piece in pieces:
            self._write(piece)
        if not stream.local_open:
            self._local_ended(stream)
        elif stream.unsent is None:
            stream.sent()

    def used(self, stream: Stream, size: int) -> None:
        """See `Stream.used`."""
        stream.unused -= size
        if stream.remote_open:
            stream.unthanked += size
            if stream.unthanked >= STREAM_WINDOW // 2:
                stream.receive_left += stream.unthanked
                self._write(frames.window_update(stream.id, stream.unthanked))
                stream.unthanked = 0
        self._thank(size)

    def _thank(self, size: int) -> None:
        self._unthanked += size
        if self._unthanked >= CONNECTION_WINDOW // 2 and not self.closed:
            self._receive_left += self._unthanked
            self._write(frames.window_update(0, self._unthanked))
            self._unthanked = 0

    # how streams begin and end

    def _adopt(self, stream: Stream, stream_id: int) -> None:
        stream.connection = self
        stream.id = stream_id
        stream.send_window = self._stream_window
        stream.receive_left = STREAM_WINDOW
        self.streams[stream_id] = stream

    def _remote_ended(self, stream: Stream) -> None:
        stream.remote_open = False
        if not stream.local_open:
            self._complete(stream)

    def _local_ended(self, stream: Stream) -> None:
        if not stream.remote_open:
            self._complete(stream)

    def _complete(self, stream: Stream) -> None:
        self._earn(CALM_A_STREAM)
        self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        if self.streams.pop(stream.id, None) is not None:
            stream.connection = None
            stream.unsent = None
            self._hungry.pop(stream, None)
            self._thank(stream.unused)
            self.ended()

    def ended(self) -> None:  # noqa: B027 - only one side wants to know
        """A stream is over."""

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """See `Stream.reset`."""
        self._write(frames.reset(stream.id, code))
        self._forget(stream)

    def fail(self, stream: Stream, code: ErrorCode, cause: str) -> None:
        """A fault of the peer in one stream."""
        self._spend()
        self.reset(stream, code)
        stream.lost(code, cause, unprocessed=False)

    def goaway(self, last: int, code: ErrorCode = ErrorCode.NO_ERROR, words: str = "") -> None:
        if not self.closed:
            self._write(frames.goaway(last, code, words))

    def close(self, cause: str, code: ErrorCode | None = None) -> None:
        """The socket is gone, or will be: nothing is written any more, every stream is lost."""
        if self.closed:
            return
        self.closed = True
        for stream in list(self.streams.values()):
            if stream.connection is not None:  # else one before it has ended it
                self._forget(stream)
                stream.lost(code, cause, unprocessed=False)
