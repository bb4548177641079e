"""Where a body ends: by its length, by chunks, or with the connection.

Each framing takes bytes with `feed` until it is whole, and then returns what follows the body.
Bodies are gathered in the pieces in which they came and joined once, or taken piece by piece.
"""

import re
from collections.abc import Callable

from router.wire.refused import Refused

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")
SIZE_LINE_BYTES = 256  # extensions included; nobody sends any
TRAILER_BYTES = 8192
PACKED = 1024  # so many pieces become one: small ones cost more as objects than as bytes


class _Gathered:
    """The pieces of a body so far."""

    __slots__ = ("_blocks", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._blocks: list[bytes] = []  # packed parts, before the others

    def body(self) -> bytes:
        return b"".join(self._blocks + self._parts if self._blocks else self._parts)

    def take(self) -> bytes:
        """What came since the last time, for a body that nobody gathers."""
        body = self.body()
        self._parts.clear()
        self._blocks.clear()
        return body

    def _add(self, piece: bytes) -> None:
        self._parts.append(piece)
        if len(self._parts) == PACKED:
            self._blocks.append(b"".join(self._parts))
            self._parts.clear()


class Length(_Gathered):
    """Exactly so many bytes."""

    __slots__ = ("_missing",)

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self._missing = size_bytes

    @property
    def empty(self) -> bool:
        return not self._parts and not self._blocks

    def feed(self, data: bytes) -> bytes | None:
        """None while more is needed, else the bytes after the body."""
        if len(data) < self._missing:
            self._missing -= len(data)
            self._add(data)
            return None
        self._add(data[: self._missing])
        return data[self._missing :]


class UntilClose(_Gathered):
    """All bytes until the peer closes (answers only)."""

    __slots__ = ("_limit",)

    def __init__(self, limit: float) -> None:
        super().__init__()
        self._limit = limit

    def feed(self, data: bytes) -> bytes | None:
        self._limit -= len(data)
        if self._limit < 0:
            raise Refused(413, "the body is larger than the limit")
        self._add(data)
        return None


class Chunked(_Gathered):
    """RFC 9112 section 7.1, read strictly; extensions and trailers are checked, bounded and
    dropped.
    """

    __slots__ = ("_expect", "_limit", "_missing", "_partial", "_trailer_bytes", "size")

    def __init__(self, limit: float) -> None:
        super().__init__()
        # What the next line is. Not a bound method: a cycle would keep whole bodies from being
        # freed until the collector runs.
        self._expect: Callable[[Chunked, bytes], bool] = Chunked._size_line
        self._limit = limit
        self.size = 0  # bytes of all chunks so far, as their heads tell
        self._missing = 0
        self._partial = b""
        self._trailer_bytes = 0

    @property
    def empty(self) -> bool:
        return self._expect is Chunked._size_line and not (
            self._parts or self._blocks or self._partial
        )

    def feed(self, data: bytes) -> bytes | None:
        """None while more is needed, else the bytes after the body. Raises Refused."""
        if self._partial:
            data = self._partial + data
            self._partial = b""
        position = 0
        while True:
            if self._missing:
                piece = data[position : position + self._missing]
                if not piece:
                    return None
                self._add(piece)
                self._missing -= len(piece)
                position += len(piece)
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._keep(data[position:])
                return None
            line = data[position:end]
            position = end + 2
            if self._expect(self, line):
                return data[position:]

    def _keep(self, partial: bytes) -> None:
        """The beginning of a line, perhaps with the CR of its end."""
        if self._expect is Chunked._data_end and partial not in {b"", b"\r"}:
            raise Refused(400, "a chunk is longer than its size")
        if b"\n" in partial or b"\r" in partial[:-1]:
            raise Refused(400, "a bare line break in a chunked body")
        limit = TRAILER_BYTES if self._expect is Chunked._trailer else SIZE_LINE_BYTES
        if len(partial) > limit + 1:
            raise Refused(400, "a line of a chunked body is too long")
        self._partial = partial

    def _size_line(self, line: bytes) -> bool:
        match = _SIZE_LINE.fullmatch(line)
        if match is None or len(line) > SIZE_LINE_BYTES:
            raise Refused(400, "malformed chunk size")
        size = int(match[1], 16)
        if size == 0:
            self._expect = Chunked._trailer
            return False
        self.size += size
        if self.size > self._limit:
            raise Refused(413, "the body is larger than the limit")
        self._missing = size
        self._expect = Chunked._data_end
        return False

    def _data_end(self, line: bytes) -> bool:
        if line:
            raise Refused(400, "a chunk is longer than its size")
        self._expect = Chunked._size_line
        return False

    def _trailer(self, line: bytes) -> bool:
        if not line:
            return True
        self._trailer_bytes += len(line)
        if self._trailer_bytes > TRAILER_BYTES:
            raise Refused(400, "the trailers are too large")
        if _TRAILER.fullmatch(line) is None:
            raise Refused(400, "malformed trailer")
        return False


STREAMED_BYTES = 65_536  # bodies up to this are gathered where their length is known
NO_LIMIT = float("inf")  # of a body that is not gathered

Framing = Length | Chunked | UntilClose
