"""HTTP/1.1 messages as the tests read them: one strict parser for what the router sends to both
sides.

Shares no code with `router.wire`, so that a fault there is not forgiven here. Anything that RFC
9112 does not allow a sender to write is Malformed, also where a lenient reader would understand
it.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.[01]\Z")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n")
NO_BODY = frozenset({204, 304})

Fields = tuple[tuple[bytes, bytes], ...]


class Malformed(Exception):
    """The other side wrote something that is no HTTP/1.1 message."""


@dataclass(frozen=True)
class Head:
    start_line: bytes
    headers: Fields  # names in lower case
    size: int  # bytes, with the empty line

    def header(self, name: bytes) -> bytes | None:
        """The one value of a header; None if it is absent. More than one is Malformed."""
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise Malformed(f"{name!r} {len(values)} times")
        return values[0] if values else None

    @property
    def closes(self) -> bool:
        tokens = (self.header(b"connection") or b"").lower().split(b",")
        return b"close" in [token.strip() for token in tokens]


@dataclass(frozen=True)
class Request:
    method: bytes
    path: bytes  # with the query
    head: Head
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        return self.head.header(name)


@dataclass(frozen=True)
class Response:
    status: int
    head: Head
    body: bytes
    interim: tuple[int, ...] = ()  # statuses of the 1xx before it

    def header(self, name: bytes) -> bytes | None:
        return self.head.header(name)

    @property
    def closes(self) -> bool:
        return self.head.closes


def take_head(data: bytes) -> Head | None:
    """The head at the start of `data`; None while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if re.search(rb"(?<!\r)\n", data):
            raise Malformed(f"bare LF in {data[:200]!r}")
        return None
    start_line, *lines = data[:end].split(b"\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Malformed(f"header line {line!r}")
        headers.append((name.lower(), value))
    return Head(start_line, tuple(headers), end + 4)


def take_body(data: bytes, head: Head, *, until_close: bool = False) -> tuple[bytes, int] | None:
    """The body behind the head and the size of the whole message; None while it is not whole.

    A message without a length has no body, or, `until_close`, one that only the end of the
    connection ends: then None.
    """
    length, coding = head.header(b"content-length"), head.header(b"transfer-encoding")
    if length is not None and coding is not None:
        raise Malformed("Content-Length and Transfer-Encoding")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise Malformed(f"Transfer-Encoding {coding!r}")
        return _take_chunks(data, head.size)
    if length is None:
        return None if until_close else (b"", head.size)
    if not re.fullmatch(rb"[0-9]{1,18}", length):
        raise Malformed(f"Content-Length {length!r}")
    end = head.size + int(length)
    return (data[head.size : end], end) if len(data) >= end else None


def take_request(data: bytes) -> tuple[Request, int] | None:
    head = take_head(data)
    if head is None:
        return None
    line = REQUEST_LINE.match(head.start_line)
    if line is None:
        raise Malformed(f"request line {head.start_line!r}")
    taken = take_body(data, head)
    if taken is None:
        return None
    body, size = taken
    return Request(line[1], line[2], head, body), size


def take_response(
    data: bytes, *, to_head: bool = False, at_end: bool = False
) -> tuple[Response, int] | None:
    """The first final response in `data` and the bytes it took, 1xx before it included.

    `to_head`: it answers a HEAD request. `at_end`: nothing more will come.
    """
    interim: list[int] = []
    start = 0
    while True:
        head = take_head(data[start:])
        if head is None:
            return None
        line = STATUS_LINE.match(head.start_line)
        if line is None:
            raise Malformed(f"status line {head.start_line!r}")
        status = int(line[1])
        if status >= 200:
            break
        if head.header(b"content-length") or head.header(b"transfer-encoding"):
            raise Malformed(f"{status} with a length")
        interim.append(status)
        start += head.size
    if to_head or status in NO_BODY:
        return Response(status, head, b"", tuple(interim)), start + head.size
    taken = take_body(data[start:], head, until_close=True)
    if taken is None:
        framed = head.header(b"content-length") or head.header(b"transfer-encoding")
        if framed or not at_end:
            return None
        taken = data[start + head.size :], len(data) - start
    body, size = taken
    return Response(status, head, body, tuple(interim)), start + size


def _take_chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    parts: list[bytes] = []
    while True:
        line = CHUNK_SIZE.match(data, at)
        if line is None:
            if b"\r\n" in data[at : at + 20]:
                raise Malformed(f"chunk size {data[at : at + 20]!r}")
            return None
        size, at = int(line[1], 16), line.end()
        if not size:
            if len(data) < at + 2:
                return None
            if data[at : at + 2] != b"\r\n":
                raise Malformed("trailers, which the router never sends")
            return b"".join(parts), at + 2
        if len(data) < at + size + 2:
            return None
        if data[at + size : at + size + 2] != b"\r\n":
            raise Malformed("chunk without its CRLF")
        parts.append(data[at : at + size])
        at += size + 2
