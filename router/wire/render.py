"""Messages -> bytes."""

from email.utils import formatdate
from http import HTTPStatus

from graph.effects import Headers

CHUNKED = b"transfer-encoding: chunked\r\n"
UPGRADED = b"connection: upgrade\r\nupgrade: websocket\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}

_EXPECT_BODY = frozenset({b"POST", b"PUT", b"PATCH"})


def date() -> bytes:
    """The Date line for now (RFC 9110 section 6.6.1)."""
    return b"date: %b\r\n" % formatdate(usegmt=True).encode()


def fields(headers: Headers) -> bytes:
    """Header lines; names and values were checked when they were read."""
    if len(headers) == 1:  # nearly always Content-Type alone
        name, value = headers[0]
        return b"%b: %b\r\n" % (name, value)
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def response_head(
    status: int, headers: Headers, length: int | None, extra: bytes, keep_alive: bool, http11: bool
) -> bytes:
    """A whole head. `extra` holds ready header lines; 204 and 304 carry no Content-Length (RFC
    9110), nor does an answer to HEAD whose length is None because `headers` tell it.
    """
    if keep_alive:
        connection = b"" if http11 else b"connection: keep-alive\r\n"
    else:
        connection = b"connection: close\r\n"
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    if length is None or status in {204, 304}:
        return b"%b%b%b%b\r\n" % (line, fields(headers), extra, connection)
    return b"%b%b%bcontent-length: %d\r\n%b\r\n" % (
        line,
        fields(headers),
        extra,
        length,
        connection,
    )


def request_head(prefix: bytes, headers: Headers, length: int | None) -> bytes:
    """`prefix` is the request line and Host, made once for each target. A body of unknown length
    goes in chunks.
    """
    if length is None:
        return b"%b%btransfer-encoding: chunked\r\n\r\n" % (prefix, fields(headers))
    return b"%b%bcontent-length: %d\r\n\r\n" % (prefix, fields(headers), length)


def request_prefix(method: bytes, path: bytes, authority: bytes) -> bytes:
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method, path, authority)


def forwarded_head(
    method: bytes, path: bytes, authority: bytes, headers: Headers, length: int | None
) -> bytes:
    """A caller's request on its way to the next hop. Without a body it tells a length only where
    the method leads one to expect a body (RFC 9110 section 8.6).
    """
    prefix = request_prefix(method, path, authority)
    if length != 0 or method in _EXPECT_BODY:
        return request_head(prefix, headers, length)
    return b"%b%b\r\n" % (prefix, fields(headers))
