"""An answer on its way to a client, piece by piece, and what the client sees if it breaks.

Events (`text/event-stream`) that break between two of them end with an event that says why, and the
answer ends well. Anything else must not look whole: the connection ends before the body does.
"""

import asyncio
from typing import Protocol

from graph.effects import Failure, Headers, error_body
from router.wire.writer import LAST_CHUNK, write_piece

_EVENTS = b"text/event-stream"
# Two line ends in a row, each LF, CR or CRLF (WHATWG HTML, 9.2.5).
_BETWEEN = (b"\n\n", b"\r\r", b"\n\r\n")
_LONGEST = 3


class Answered(Protocol):
    def finished(self, keep_alive: bool) -> None:
        """All of the answer is written."""

    def cut_off(self) -> None:
        """It cannot be finished, and the client must see that."""


class Answering:
    """A sink that writes to the client. The head is written already."""

    __slots__ = ("_chunked", "_client", "_events", "_keep_alive", "_last", "_transport")

    def __init__(
        self,
        client: Answered,
        transport: asyncio.Transport,
        headers: Headers,
        *,
        chunked: bool,
        keep_alive: bool,
    ) -> None:
        self._client = client
        self._transport = transport
        self._chunked = chunked
        self._keep_alive = keep_alive
        self._events = chunked and _are_events(headers)
        self._last = b"\n\n"  # what was written last: before the first event, too, is between two

    def data(self, piece: bytes) -> None:
        if self._events:
            self._last = (self._last + piece)[-_LONGEST:]
        write_piece(self._transport, piece, self._chunked)

    def end(self) -> None:
        if self._chunked:
            self._transport.write(LAST_CHUNK)
        self._client.finished(self._keep_alive)

    def failed(self, failure: Failure) -> None:
        if self._events and self._last.endswith(_BETWEEN):
            event = b"event: error\ndata: %b\n\n" % error_body(failure.cause)
            write_piece(self._transport, event, True)
            self.end()
        else:
            self._client.cut_off()


def _are_events(headers: Headers) -> bool:
    """As they are: nothing can be added to compressed ones."""
    kind = b""
    for name, value in headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            return False
        if name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
    return kind == _EVENTS
