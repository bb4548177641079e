"""Bytes from a client -> requests, one after another (pipelined ones wait in the buffer).

Use: `feed` what the socket gave, then call `next` until it returns None. It raises Refused once,
after which the reader must not be fed again: every fault closes the connection. A long body may be
a stream, one of unknown length once it turns out to be long: then `next` returns the request with
its head, `streaming` says so, and `more` takes the body apart until it is whole.
"""

import re
from collections.abc import Callable

from graph.document import Document
from graph.packed import document_of
from router.config import Limits
from router.messages import Request
from router.wire.body import NO_LIMIT, STREAMED_BYTES, Chunked, Length
from router.wire.head import BARE_LF, CHUNKED, RequestHead
from router.wire.refused import Refused

_BARE_LF = re.compile(rb"(?<!\r)\n")


class RequestReader:
    __slots__ = (
        "_buffer", "_framing", "_grows", "_head", "_limits", "_may_stream", "_parse",
        "_passed_over", "_scanned", "streaming",
    )  # fmt: skip

    def __init__(
        self,
        limits: Limits,
        parse: Callable[[bytes], RequestHead],
        may_stream: Callable[[RequestHead], bool] = lambda _: False,
    ) -> None:
        """`may_stream`: whether nobody has to have the body of such a request whole."""
        self._limits = limits
        self._may_stream = may_stream
        self.streaming = False  # the request that `next` returned has its body still to come
        self._grows: Chunked | None = None  # a body that streams once it turns out to be long
        self._parse = parse
        self._buffer: bytes | bytearray = b""
        self._scanned = 0  # how far the buffer is known to hold no end of a head
        self._passed_over = False  # the one empty line that may come before a request
        self._head: RequestHead | None = None  # set while its body is awaited
        self._framing: Length | Chunked | None = None

    @property
    def head(self) -> RequestHead | None:
        """The head whose body is still on its way."""
        return self._head

    @property
    def idle(self) -> bool:
        """Not a byte of a request has come."""
        return self._head is None and not self._buffer

    @property
    def untouched(self) -> bool:
        """Of the body that is awaited, not a byte has come."""
        return self._framing is not None and self._framing.empty and not self._buffer

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        if not self._buffer:
            self._buffer = data
        else:
            if not isinstance(self._buffer, bytearray):
                self._buffer = bytearray(self._buffer)
            self._buffer += data

    def next(self) -> Request | None:
        """The next whole request, or None while more bytes are needed. Raises Refused."""
        head = self._head
        if head is None:
            head = self._read_head()
            if head is None:
                return None
            if head.length == 0:
                return Request(head, Document(b""))
            data = self._buffer
            if 0 < head.length <= len(data):  # the usual case: all in one piece
                body = bytes(data[: head.length])
                self._buffer = data[head.length :]
                return _packed(head, body) if head.packed else Request(head, Document(body))
            self._head = head
            streams = self._streams(head)
            if head.length == CHUNKED:
                chunks = Chunked(NO_LIMIT if streams else self._limits.body_bytes)
                self._framing, self._grows = chunks, chunks if streams else None
            else:
                self._framing = Length(head.length)
                if streams:
                    self.streaming = True
                    return self._begin(head, self._framing)
        assert self._framing is not None
        if not self._buffer:
            return None
        rest = self._framing.feed(bytes(self._buffer))
        grows = self._grows
        if rest is None:
            self._buffer = b""
            if grows is not None and grows.size > STREAMED_BYTES:
                self._grows = None
                self.streaming = True
                return self._beginning_of(head)
            return None
        if grows is not None:
            self._grows = None
            if grows.size > self._limits.body_bytes:
                raise Refused(413, "the body is larger than the limit")
        self._buffer = rest
        body = self._framing.body()
        self._head = self._framing = None
        return _packed(head, body) if head.packed else Request(head, Document(body))

    def more(self, data: bytes) -> tuple[bytes, bool]:
        """A further piece of a body that streams, and whether it was the last. Raises Refused."""
        assert self._framing is not None
        rest = self._framing.feed(data)
        piece = self._framing.take()
        if rest is None:
            return piece, False
        self._buffer = rest
        self._head = self._framing = None
        self.streaming = False
        return piece, True

    def rest(self) -> bytes:
        """What came behind the request and is none: the caller's side of a WebSocket."""
        rest, self._buffer = bytes(self._buffer), b""
        return rest

    def beginning(self) -> bytes:
        """What came of a body that streams with its head."""
        assert self._framing is not None
        return self._framing.take()

    def _begin(self, head: RequestHead, framing: Length) -> Request:
        """The whole of it, if that came at once, else its head."""
        data, self._buffer = bytes(self._buffer), b""
        rest = framing.feed(data) if data else None
        if rest is None:
            return self._beginning_of(head)
        self._buffer = rest
        self._head = self._framing = None
        self.streaming = False
        body = framing.body()
        return _packed(head, body) if head.packed else Request(head, Document(body))

    def _beginning_of(self, head: RequestHead) -> Request:
        """What the headers say of the body is known already."""
        return Request(head, document_of(b"", head.payload) if head.packed else Document(b""))

    def _streams(self, head: RequestHead) -> bool:
        long = head.length == CHUNKED or head.length > STREAMED_BYTES
        return long and self._may_stream(head)

    def _read_head(self) -> RequestHead | None:
        data = self._buffer
        if data[:2] == b"\r\n" and not self._passed_over:  # RFC 9112 section 2.2
            self._passed_over = True
            data = self._buffer = data[2:]
        if not data:
            return None
        end = data.find(b"\r\n\r\n", self._scanned) + 4
        if end < 4 or end > self._limits.header_bytes:
            self._refuse_early(data)
            self._scanned = max(0, len(data) - 3)
            return None
        self._scanned = 0
        self._passed_over = False
        head = self._parse(bytes(data[:end]))
        self._buffer = data[end:]
        if head.length > self._limits.body_bytes and not self._streams(head):
            raise Refused(413, f"the body is larger than {self._limits.body_bytes} bytes")
        return head

    def _refuse_early(self, data: bytes | bytearray) -> None:
        """What can be refused before the head is whole, so that nobody waits for its end. Looks no
        further than the limit: the verdict must not depend on how much came at once.
        """
        limit = self._limits.header_bytes
        if not 65 <= data[0] <= 90 and (data != b"\r" or self._passed_over):
            raise Refused(400, "malformed request line")
        if _BARE_LF.search(data, self._scanned, limit):
            raise Refused(400, BARE_LF)
        if len(data) > limit:
            if data.find(b"\r\n", 0, limit) < 0:
                raise Refused(414, "the request line is too long")
            raise Refused(431, "the request head is too large")


def _packed(head: RequestHead, body: bytes) -> Request:
    return Request(head, document_of(body, head.payload))
