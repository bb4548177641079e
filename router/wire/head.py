"""Heads: request line or status line, and header fields.

A head is always parsed whole and by a parser of its own: llhttp then never sees a body, so nothing
of what it does there (upgrades, answers to HEAD, lenient chunk sizes) can move the end of a
message. What llhttp lets pass and RFC 9112 does not is refused here.
"""

import re
from collections.abc import Callable

import httptools

from graph.effects import Headers
from router.messages import Head
from router.wire.hops import named
from router.wire.refused import Refused

Fields = dict[bytes, bytes]

# RFC 3986 section 3.2 without a user (RFC 9110 section 4.2.4).
_AUTHORITY = rb"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.\-_~!$&'()*+,;=%]+)(?::[0-9]*)?"
_HOST = re.compile(rb"(?:" + _AUTHORITY + rb")?")
# RFC 9112 section 3: method SP request-target SP HTTP-version. Origin, absolute and asterisk form;
# visible ASCII only, no fragment.
_REQUEST_LINE = re.compile(
    rb"([A-Z]+(?:-[A-Z]+)*) "
    rb"(?:(?:[Hh][Tt][Tt][Pp][Ss]?://(" + _AUTHORITY + rb"))?"
    rb"(/[!\"$->@-~]*)?(\?[!\"$-~]*)?|(\*))"
    rb" HTTP/1\.([01])\r\n"
)
_OTHER_VERSION = re.compile(rb"[A-Z][^\r\n]* HTTP/(?!1\.[01]\r)[0-9]+\.[0-9]+\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9](?: [^\r\n]*)?\r\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")
BARE_LF = "a line ends without CR"


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


class RequestHead(Head):
    """A request's head, and how its body is framed: a length, or CHUNKED."""

    __slots__ = ("expects_continue", "length")

    length: int
    expects_continue: bool


def parse_request_head(data: bytes, limit: int) -> RequestHead:
    """`data` ends with the empty line; `limit` is a number of header fields. Raises Refused."""
    if data.count(b"\n") != data.count(b"\r\n"):
        raise Refused(400, BARE_LF)
    if data.startswith(b"CONNECT "):
        raise Refused(405, "CONNECT is not served here")
    line = _REQUEST_LINE.match(data)
    if line is None:
        if _OTHER_VERSION.match(data):
            raise Refused(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        raise Refused(400, "malformed request line")
    method, authority, path, query, asterisk, minor = line.groups()
    if asterisk and method != b"OPTIONS":
        raise Refused(400, "only OPTIONS may ask for *")
    if not asterisk and not path and authority is None:
        raise Refused(400, "the request target is not a path")
    http11 = minor == b"1"
    received = _Fields()
    try:
        httptools.HttpRequestParser(received).feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # offered, not taken: the request goes on as plain HTTP
    except httptools.HttpParserError as error:
        raise Refused(400, f"malformed request head: {error}") from None
    headers = tuple(received.pairs)
    if len(headers) > limit:
        raise Refused(431, f"more than {limit} header fields")
    fields = dict(headers)
    if len(fields) != len(headers):
        _refuse_repeated(headers, b"host", b"content-length", b"transfer-encoding")
    host = fields.get(b"host")
    if host is None:
        if http11:
            raise Refused(400, "no Host header")
    elif not _HOST.fullmatch(host):
        raise Refused(400, "malformed Host header")
    if authority is not None:  # RFC 9112 section 3.2.2: the target's authority goes before Host
        fields[b"host"] = authority
    length = _length(fields, http11)
    expect = fields.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        raise Refused(417, "only 'Expect: 100-continue' is understood")
    head = RequestHead(
        method,
        asterisk or path or b"/",
        query[1:] if query else b"",
        headers,
        fields,
        http11=http11,
        keep_alive=_keep_alive(headers, fields, http11),
        upgrades=http11 and method == b"GET" and length == 0 and _is_handshake(headers, fields),
    )
    head.length = length
    head.expects_continue = http11 and expect is not None and length != 0
    return head


class ResponseHead:
    """An answer's head. `length` may be CHUNKED or UNTIL_CLOSE; `passed` are headers to keep."""

    __slots__ = ("headers", "keep_alive", "length", "passed", "status")

    def __init__(
        self, status: int, length: int, headers: Headers, passed: Headers, keep_alive: bool
    ) -> None:
        self.status = status
        self.length = length
        self.headers = headers
        self.passed = passed
        self.keep_alive = keep_alive


def parse_response_head(data: bytes, limit: int, passed: frozenset[bytes]) -> ResponseHead:
    """`data` ends with the empty line. Raises Refused, whose status is of no use here."""
    if data.count(b"\n") != data.count(b"\r\n"):
        raise Refused(502, BARE_LF)
    if _STATUS_LINE.match(data) is None:
        raise Refused(502, "the answer is not HTTP/1.1")
    received = _Fields()
    parser = httptools.HttpResponseParser(received)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise Refused(502, f"malformed answer: {error}") from None
    headers = tuple(received.pairs)
    if len(headers) > limit:
        raise Refused(502, f"the answer has more than {limit} header fields")
    fields = dict(headers)
    if len(fields) != len(headers):
        _refuse_repeated(headers, b"content-length", b"transfer-encoding")
    http11 = data[7:8] == b"1"
    return ResponseHead(
        parser.get_status_code(),
        _length(fields, http11, default=UNTIL_CLOSE),
        headers,
        tuple([pair for pair in headers if pair[0] in passed]),
        _keep_alive(headers, fields, http11),
    )


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


def _keep_alive(headers: Headers, fields: Fields, http11: bool) -> bool:
    if b"connection" not in fields:
        return http11
    options = named(headers)
    if b"close" in options:
        return False
    return http11 or b"keep-alive" in options


def _is_handshake(headers: Headers, fields: Fields) -> bool:
    """RFC 6455 section 4.2.1. What offers another protocol goes on as plain HTTP."""
    wanted = fields.get(b"upgrade", b"").lower() == b"websocket"
    return wanted and b"sec-websocket-key" in fields and b"upgrade" in named(headers)


def _refuse_repeated(headers: Headers, *names: bytes) -> None:
    present = [name for name, _ in headers]
    for name in names:
        if present.count(name) > 1:
            raise Refused(400, f"more than one {name.decode().title()} header")
