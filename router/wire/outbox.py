"""What is written within one turn of the loop, in one call of the kernel.

A connection of many streams answers several of them in a turn; a write of its own for each would be
most of what they cost.
"""

import asyncio

JOINED_BYTES = 65_536  # beyond, pieces go out as they are: a copy would cost more than it saves


class Outbox:
    __slots__ = ("_loop", "_pieces", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport: asyncio.Transport | None = transport
        self._loop = loop
        self._pieces: list[bytes | memoryview] = []
        self._size = 0

    def write(self, piece: bytes | memoryview) -> None:
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(piece)
        self._size += len(piece)

    def flush(self) -> None:
        pieces, size, transport = self._pieces, self._size, self._transport
        if not pieces:
            return
        self._pieces, self._size = [], 0
        if transport is None or transport.is_closing():
            return
        if size <= JOINED_BYTES:
            transport.write(b"".join(pieces))
        else:
            transport.writelines(pieces)

    def close(self) -> None:
        """Once what was written has gone."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def lost(self) -> None:
        """The transport is no more."""
        self._transport = None
        self._pieces.clear()
