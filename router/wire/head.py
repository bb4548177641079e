"""Heads: request line or status line, and header fields.

A head is always parsed whole and by a parser of its own: llhttp then never sees a body, so nothing
of what it does there (upgrades, answers to HEAD, lenient chunk sizes) can move the end of a
message. What llhttp lets pass and RFC 9112 does not is refused here.
"""

import re
from collections.abc import Callable

import httptools

from router.wire.refused import Refused

Fields = dict[bytes, bytes]

# RFC 9112 section 3: method SP request-target SP HTTP-version. Origin, absolute and asterisk form;
# visible ASCII only, no fragment.
_REQUEST_LINE = re.compile(
    rb"([A-Z]+(?:-[A-Z]+)*) "
    rb"(?:(?:[Hh][Tt][Tt][Pp][Ss]?://([!\"$-.0-;=@-~]+))?(/[!\"$->@-~]*)?(\?[!\"$-~]*)?|(\*))"
    rb" HTTP/1\.([01])\r\n"
)
_VERSION = re.compile(rb" HTTP/[0-9]+\.[0-9]+\r\n$")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9](?: [^\r\n]*)?\r\n")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.\-_~!$&'()*+,;=%]*)(?::[0-9]*)?")
_LENGTH = re.compile(rb"[0-9]{1,18}")


class _Fields:
    """Receives the parser's callbacks. Values keep trailing white space in llhttp; it is no part of
    them.
    """

    __slots__ = ("add", "pairs")

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.add: Callable[[tuple[bytes, bytes]], None] = self.pairs.append

    def on_header(self, name: bytes, value: bytes) -> None:
        self.add((name.lower(), value.rstrip(b" \t")))


class RequestHead:
    __slots__ = (
        "fields",
        "headers",
        "http11",
        "keep_alive",
        "length",
        "method",
        "path",
        "query",
    )

    def __init__(self, head: bytes, limit: int) -> None:
        """Parses `head`, which ends with the empty line. Raises Refused."""
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise _bad_request_line(head)
        method, authority, path, query, asterisk, minor = line.groups()
        self.method: bytes = method
        if asterisk and method != b"OPTIONS":
            raise Refused(400, "only OPTIONS may ask for *")
        if not asterisk and not path and authority is None:
            raise Refused(400, "the request target is not a path")
        self.path: bytes = asterisk or path or b"/"
        self.query: bytes = query[1:] if query else b""
        self.http11 = minor == b"1"
        received = _Fields()
        parser = httptools.HttpRequestParser(received)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass  # offered, not taken: the request goes on as plain HTTP
        except httptools.HttpParserError as error:
            raise Refused(400, f"malformed request head: {error}") from None
        self.headers = headers = received.pairs
        if len(headers) > limit:
            raise Refused(431, f"more than {limit} header fields")
        self.fields = fields = dict(headers)
        if len(fields) != len(headers):
            _refuse_repeated(headers, b"host", b"content-length", b"transfer-encoding")
        host = fields.get(b"host")
        if host is None:
            if self.http11:
                raise Refused(400, "no Host header")
        elif not _HOST.fullmatch(host):
            raise Refused(400, "malformed Host header")
        if authority is not None:  # RFC 9112 section 3.2.2: the target's authority goes before Host
            fields[b"host"] = authority
        self.length = _length(fields, self.http11)
        connection = fields.get(b"connection")
        if connection is None:
            self.keep_alive = self.http11
        else:
            self.keep_alive = _keep_alive(headers, self.http11)
        expect = fields.get(b"expect")
        if expect is not None and expect.lower() != b"100-continue":
            raise Refused(417, "only 'Expect: 100-continue' is understood")
        if method == b"CONNECT":
            raise Refused(405, "CONNECT is not served here")

    @property
    def expects_continue(self) -> bool:
        return self.http11 and b"expect" in self.fields and self.length != 0


class ResponseHead:
    __slots__ = ("fields", "headers", "keep_alive", "length", "status")

    def __init__(self, head: bytes, limit: int) -> None:
        """Parses `head`, which ends with the empty line. Raises Refused (its status is of no use
        here).
        """
        if _STATUS_LINE.match(head) is None:
            raise Refused(502, "the answer is not HTTP/1.1")
        received = _Fields()
        parser = httptools.HttpResponseParser(received)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            raise Refused(502, f"malformed answer: {error}") from None
        self.status: int = parser.get_status_code()
        self.headers = headers = received.pairs
        if len(headers) > limit:
            raise Refused(502, f"the answer has more than {limit} header fields")
        self.fields = fields = dict(headers)
        if len(fields) != len(headers):
            _refuse_repeated(headers, b"content-length", b"transfer-encoding")
        http11 = head[7:8] == b"1"
        self.length = _length(fields, http11, default=UNTIL_CLOSE)
        if b"connection" in fields:
            self.keep_alive = _keep_alive(headers, http11)
        else:
            self.keep_alive = http11


CHUNKED = -1
UNTIL_CLOSE = -2


def _length(fields: Fields, http11: bool, default: int = 0) -> int:
    """Bytes of the body that follows, or CHUNKED, or the default (RFC 9112 section 6.3)."""
    coding = fields.get(b"transfer-encoding")
    length = fields.get(b"content-length")
    if coding is not None:
        if length is not None:
            raise Refused(400, "both Content-Length and Transfer-Encoding")
        if not http11:
            raise Refused(400, "Transfer-Encoding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise Refused(501, "a Transfer-Encoding other than chunked")
        return CHUNKED
    if length is None:
        return default
    if not _LENGTH.fullmatch(length):
        raise Refused(400, "malformed Content-Length")
    return int(length)


def _keep_alive(headers: list[tuple[bytes, bytes]], http11: bool) -> bool:
    options = {
        option.strip().lower()
        for name, value in headers
        if name == b"connection"
        for option in value.split(b",")
    }
    if b"close" in options:
        return False
    return http11 or b"keep-alive" in options


def _refuse_repeated(headers: list[tuple[bytes, bytes]], *names: bytes) -> None:
    present = [name for name, _ in headers]
    for name in names:
        if present.count(name) > 1:
            raise Refused(400, f"more than one {name.decode().title()} header")


def _bad_request_line(head: bytes) -> Refused:
    line = head[: head.find(b"\r\n") + 2]
    if _VERSION.search(line) and not re.search(rb" HTTP/1\.[01]\r\n$", line):
        return Refused(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    return Refused(400, "malformed request line")
