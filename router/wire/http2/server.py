"""The side that is called."""

from collections.abc import Callable

from router.wire.http2 import codes, connection, frames
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.http2.connection import Connection, Write
from router.wire.http2.hpack import Fields
from router.wire.http2.stream import Stream


class ServerConnection(Connection):
    __slots__ = ("_greeting", "_greets", "_last", "_most_streams", "_open", "_refuses_beyond")

    def __init__(
        self,
        write: Write,
        open: Callable[[], Stream],
        header_bytes: int,
        header_count: int,
        streams: int,
    ) -> None:
        """`open` makes the user's stream for each that the client begins; at most `streams` of
        them at a time.
        """
        super().__init__(write, header_bytes, header_count)
        self._open = open
        self._most_streams = streams
        self._last = 0
        self._refuses_beyond = codes.GREATEST_ID  # a GOAWAY of ours said so
        self._greets = True
        self._greeting = b""
        settings = {
            codes.HEADER_TABLE_SIZE: 0,
            codes.MAX_CONCURRENT_STREAMS: streams,
            codes.INITIAL_WINDOW_SIZE: connection.STREAM_WINDOW,
            codes.MAX_FRAME_SIZE: connection.FRAME_BYTES,
            codes.MAX_HEADER_LIST_SIZE: header_bytes,
        }
        more = connection.CONNECTION_WINDOW - connection.FIRST_WINDOW
        write(frames.settings(settings) + frames.window_update(0, more))

    @property
    def greeted(self) -> bool:
        """The client has shown that it speaks HTTP/2."""
        return self._settled

    def feed(self, data: bytes) -> None:
        if self._greets:
            data = self._greeting + data
            size = len(codes.PREFACE)
            if not codes.PREFACE.startswith(data[:size]):
                # No GOAWAY: it would not understand one.
                raise Broken(ErrorCode.PROTOCOL_ERROR, "what was sent is no HTTP/2")
            if len(data) < size:
                self._greeting = data
                return
            self._greets = False
            data = data[size:]
        super().feed(data)

    def leave(self) -> None:
        """Soon no further streams are taken: the client should begin them elsewhere."""
        self.goaway(codes.GREATEST_ID)

    def refuse(self) -> None:
        """From now on: those that come all the same are not worked on."""
        self._refuses_beyond = self._last
        self.goaway(self._last)

    def _opened(self, stream_id: int) -> bool:
        return bool(stream_id & 1) and stream_id <= self._last

    def _last_processed(self) -> int:
        return min(self._last, self._refuses_beyond)

    def _headers(self, stream_id: int, fields: Fields, end: bool) -> None:
        if not stream_id & 1:
            raise Broken(ErrorCode.PROTOCOL_ERROR, "a client's streams have odd numbers")
        if stream_id <= self._last:
            self._spend()  # trailers that were on their way when the stream ended
            return
        self._last = stream_id
        if stream_id > self._refuses_beyond:
            self._spend()
            return
        if len(self.streams) >= self._most_streams:
            self._spend()
            self._write(frames.reset(stream_id, ErrorCode.REFUSED_STREAM))
            return
        stream = self._open()
        self._adopt(stream, stream_id)
        if end:
            stream.remote_open = False
        stream.received(fields, end)

    def _goaway(self, last: int, code: ErrorCode, words: str) -> None:
        """The client opens no more streams; those that it has opened go on."""
