"""The body of a request on its way to a predictor, piece by piece."""

import asyncio
from collections.abc import Callable

from graph.effects import Failure
from router.streams import Pipe
from router.wire.writer import LAST_CHUNK, write_piece


class Sending:
    """A sink that writes to a predictor. The head is written already."""

    __slots__ = ("_chunked", "_failed", "_raw", "_transport", "upload", "whole")

    def __init__(
        self,
        transport: asyncio.Transport,
        upload: Pipe,
        failed: Callable[[Pipe, Failure], None],
        *,
        raw: bool = False,
    ) -> None:
        """`raw`: it is no body, and ends with this side of the connection."""
        self.upload = upload
        self.whole = False  # all of it was given to the transport
        self._transport = transport
        self._chunked = upload.length is None and not raw
        self._raw = raw
        self._failed = failed

    def data(self, piece: bytes) -> None:
        if not self._transport.is_closing():
            write_piece(self._transport, piece, self._chunked)

    def end(self) -> None:
        self.whole = True
        if self._transport.is_closing():
            return
        if self._chunked:
            self._transport.write(LAST_CHUNK)
        elif self._raw and self._transport.can_write_eof():
            self._transport.write_eof()

    def failed(self, failure: Failure) -> None:
        self._failed(self.upload, failure)

    def drop(self) -> None:
        """The predictor gets no more of it."""
        self.upload.cancel()
