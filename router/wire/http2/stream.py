"""One stream of a connection: what has been sent and received of it, and what waits for a window.

Whoever uses HTTP/2 derives from `Stream` and is told of what comes. Nothing is told after the
stream is over: `lost` comes at most once, and neither after both sides have ended nor after
`reset`.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from router.wire.http2.codes import ErrorCode
from router.wire.http2.hpack import Fields

if TYPE_CHECKING:
    from router.wire.http2.connection import Connection


class Stream(ABC):
    __slots__ = (
        "connection", "id", "local_open", "receive_left", "remote_open", "send_window", "tail",
        "unsent", "unthanked", "unused",
    )  # fmt: skip

    def __init__(self) -> None:
        self.connection: Connection | None = None  # None before it is opened and once it is over
        self.id = 0
        self.local_open = True  # we have not ended our side
        self.remote_open = True
        self.send_window = 0
        self.receive_left = 0  # what the peer may still send
        self.unused = 0  # received, and not yet dealt with by its user
        self.unthanked = 0  # dealt with, and not yet given back to the peer
        self.unsent: deque[memoryview] | None = None  # waits for a window
        self.tail: bytes | None = None  # the block of trailers behind it; b"": end without one

    # what its user is told

    @abstractmethod
    def received(self, fields: Fields, end: bool) -> None:
        """A head, or trailers (with `end`)."""

    @abstractmethod
    def data(self, data: bytes, end: bool) -> None:
        """Its user says `used` once the bytes are dealt with."""

    @abstractmethod
    def lost(self, code: ErrorCode | None, cause: str, *, unprocessed: bool) -> None:
        """It ended before its end: reset or broken by the peer (`code`), or with its connection.
        `unprocessed`: the peer has certainly not begun to work on it.
        """

    def sent(self) -> None:  # noqa: B027 - who sends once need not know
        """All that waited for a window has gone."""

    # what its user does

    def send(
        self, head: bytes | None, data: bytes = b"", tail: bytes | None = None, *, end: bool = False
    ) -> None:
        """Headers, data and trailers as far as they are given. `tail`, or `end`, is the last of our
        side.
        """
        if self.connection is not None and self.local_open:
            self.connection.send(self, head, data, tail, end)

    @property
    def waiting(self) -> bool:
        """Data waits for a window."""
        return self.unsent is not None

    def used(self, size: int) -> None:
        """So many bytes of data are dealt with: the peer may send as many more."""
        if self.connection is not None:
            self.connection.used(self, size)

    def reset(self, code: ErrorCode) -> None:
        if self.connection is not None:
            self.connection.reset(self, code)
