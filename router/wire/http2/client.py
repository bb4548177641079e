"""The side that calls."""

from collections.abc import Callable

from router.wire.http2 import codes, connection, frames
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.http2.connection import Connection, Write
from router.wire.http2.hpack import Fields
from router.wire.http2.stream import Stream


class ClientConnection(Connection):
    """`changed` is called when it can take more streams than before, or no more at all."""

    __slots__ = ("_changed", "_next", "leaving")

    def __init__(
        self,
        write: Write,
        changed: Callable[[], None],
        header_bytes: int,
        header_count: int,
    ) -> None:
        super().__init__(write, header_bytes, header_count)
        self._changed = changed
        self._next = 1
        self.leaving = False  # no further streams
        settings = {
            codes.HEADER_TABLE_SIZE: 0,
            codes.ENABLE_PUSH: 0,
            codes.INITIAL_WINDOW_SIZE: connection.STREAM_WINDOW,
            codes.MAX_FRAME_SIZE: connection.FRAME_BYTES,
            codes.MAX_HEADER_LIST_SIZE: header_bytes,
        }
        more = connection.CONNECTION_WINDOW - connection.FIRST_WINDOW
        write(codes.PREFACE + frames.settings(settings) + frames.window_update(0, more))

    def feed(self, data: bytes) -> None:
        if not self._settled and data.startswith(b"HTTP/1"):
            raise Broken(ErrorCode.PROTOCOL_ERROR, "it speaks HTTP/1 where gRPC needs HTTP/2")
        super().feed(data)

    @property
    def room(self) -> int:
        """How many more streams it takes now."""
        if self.leaving or self.closed or not self._settled:
            return 0
        return self.peer_streams - len(self.streams)

    def open(self, stream: Stream, head: bytes, data: bytes, *, end: bool) -> None:
        """There must be room."""
        self._adopt(stream, self._next)
        self._next += 2
        if self._next > codes.GREATEST_ID:
            self.leaving = True
        self.send(stream, head, data, None, end)

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        super().reset(stream, code)
        self._earn(connection.CALM_A_STREAM)  # what is on its way is no fault of the server

    def settled(self) -> None:
        self._changed()

    def ended(self) -> None:
        self._changed()

    def _opened(self, stream_id: int) -> bool:
        return bool(stream_id & 1) and stream_id < self._next

    def _last_processed(self) -> int:
        return 0

    def _headers(self, stream_id: int, fields: Fields, end: bool) -> None:
        if not self._opened(stream_id):
            raise Broken(ErrorCode.PROTOCOL_ERROR, "HEADERS for a stream that is not open")
        self._spend()  # the stream was given up; they were on their way

    def _goaway(self, last: int, code: ErrorCode, words: str) -> None:
        self.leaving = True
        cause = f"the server went away ({code.name}{': ' if words else ''}{words})"
        for stream in [each for each in self.streams.values() if each.id > last]:
            self._forget(stream)
            stream.lost(None, cause, unprocessed=True)
        self._changed()
