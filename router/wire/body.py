"""Where a body ends: by its length, by chunks, or with the connection.

Each framing takes bytes with `feed` until it is whole, and then returns what follows the body.
Bodies are gathered in the pieces in which they came and joined once.
"""

import re

from router.wire.refused import Refused

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")
SIZE_LINE_BYTES = 256  # extensions included; nobody sends any
TRAILER_BYTES = 8192


class Length:
    """Exactly so many bytes."""

    __slots__ = ("_missing", "_parts")

    @property
    def empty(self) -> bool:
        return not self._parts

    def __init__(self, size_bytes: int) -> None:
        self._missing = size_bytes
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> bytes | None:
        """None while more is needed, else the bytes after the body."""
        if len(data) < self._missing:
            self._missing -= len(data)
            self._parts.append(data)
            return None
        self._parts.append(data[: self._missing])
        rest = data[self._missing :]
        self._missing = 0
        return rest

    def body(self) -> bytes:
        return b"".join(self._parts)


class UntilClose:
    """All bytes until the peer closes (answers only)."""

    __slots__ = ("_limit", "_parts")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> bytes | None:
        self._limit -= len(data)
        if self._limit < 0:
            raise Refused(413, "the body is larger than the limit")
        self._parts.append(data)
        return None

    def body(self) -> bytes:
        return b"".join(self._parts)


class Chunked:
    """RFC 9112 section 7.1, read strictly; extensions and trailers are checked, bounded and
    dropped.
    """

    __slots__ = ("_expect", "_limit", "_missing", "_partial", "_parts", "_trailer_bytes")

    @property
    def empty(self) -> bool:
        return self._expect == self._size_line and not self._parts and not self._partial

    def __init__(self, limit: int) -> None:
        self._expect = self._size_line
        self._limit = limit
        self._missing = 0
        self._partial = b""
        self._parts: list[bytes] = []
        self._trailer_bytes = 0

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
                self._parts.append(piece)
                self._missing -= len(piece)
                position += len(piece)
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._keep(data[position:])
                return None
            line = data[position:end]
            position = end + 2
            if self._expect(line):
                return data[position:]

    def body(self) -> bytes:
        return b"".join(self._parts)

    def _keep(self, partial: bytes) -> None:
        if len(partial) > TRAILER_BYTES or (
            self._expect == self._size_line and len(partial) > SIZE_LINE_BYTES
        ):
            raise Refused(400, "a chunk line is too long")
        if b"\n" in partial or b"\r" in partial[:-1]:
            raise Refused(400, "a bare line break in a chunked body")
        if self._expect == self._data_end and partial not in (b"", b"\r"):
            raise Refused(400, "a chunk is longer than its size")
        self._partial = partial

    def _size_line(self, line: bytes) -> bool:
        match = _SIZE_LINE.fullmatch(line)
        if match is None or len(line) > SIZE_LINE_BYTES:
            raise Refused(400, "malformed chunk size")
        size = int(match[1], 16)
        if size == 0:
            self._expect = self._trailer
            return False
        self._limit -= size
        if self._limit < 0:
            raise Refused(413, "the body is larger than the limit")
        self._missing = size
        self._expect = self._data_end
        return False

    def _data_end(self, line: bytes) -> bool:
        if line:
            raise Refused(400, "a chunk is longer than its size")
        self._expect = self._size_line
        return False

    def _trailer(self, line: bytes) -> bool:
        if not line:
            return True
        self._trailer_bytes += len(line)
        if self._trailer_bytes > TRAILER_BYTES:
            raise Refused(431, "the trailers are too large")
        if _TRAILER.fullmatch(line) is None:
            raise Refused(400, "malformed trailer")
        return False


Framing = Length | Chunked | UntilClose
