"""Bytes from a predictor -> one answer.

One reader an answer. `feed` returns the answer once it is whole; `eof` ends one that is delimited
by close. An answer that may be a stream, and is long or of unknown length, is returned when its
head is there: then `streaming` says so, and `more` takes the rest apart. Raises Refused for what is
no HTTP or too large. 1xx answers are skipped, up to a number: no predictor needs more.
"""

import re
from collections.abc import Callable

from graph.document import Document
from graph.effects import Forward, Headers, Reply
from graph.packed import document_of
from router.config import Limits
from router.wire.body import NO_LIMIT, STREAMED_BYTES, Chunked, Framing, Length, UntilClose
from router.wire.head import BARE_LF, CHUNKED, UNTIL_CLOSE, ResponseHead
from router.wire.hops import OF_THE_FRONT, end_to_end
from router.wire.refused import Refused

INFORMATIONAL = 16
_BARE_LF = re.compile(rb"(?<!\r)\n")


class ResponseReader:
    length: int | None  # of a body that streams, where the head tells it

    __slots__ = (
        "_buffer",
        "_forward",
        "_framing",
        "_head",
        "_informational",
        "_limits",
        "_parse",
        "_scanned",
        "_streams",
        "_to_head",
        "_upgrades",
        "keep_alive",
        "length",
        "streaming",
    )

    def __init__(
        self,
        limits: Limits,
        parse: Callable[[bytes], ResponseHead],
        forward: Forward | None = None,
        streams: bool = False,
        upgrades: bool = False,
    ) -> None:
        self._limits = limits
        self._parse = parse
        self._forward = forward  # whose answer keeps all headers that are not of one hop
        self._to_head = forward is not None and forward.method == b"HEAD"
        self._buffer: bytes | bytearray = b""
        self._scanned = 0  # how far the buffer is known to hold no end of a head
        self._head: ResponseHead | None = None
        self._framing: Framing | None = None
        self._informational = 0
        self._upgrades = upgrades  # whether the request asked to become a WebSocket
        self._streams = streams  # whether an answer may be handed over before it is whole
        self.keep_alive = False  # meaningful once the answer is whole
        self.streaming = False  # the answer that `feed` returned was only its beginning

    @property
    def started(self) -> bool:
        """Whether the final answer's head has come."""
        return self._head is not None

    def feed(self, data: bytes) -> Reply | None:
        if self._framing is not None:
            return self._body(data)
        if self._buffer:
            if not isinstance(self._buffer, bytearray):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
            return self._read(self._buffer)
        return self._read(data)

    def more(self, data: bytes) -> tuple[bytes, bool]:
        """A further piece of the body, and whether it was the last."""
        assert self._framing is not None
        rest = self._framing.feed(data)
        if rest:
            self.keep_alive = False
        return self._framing.take(), rest is not None

    def beginning(self) -> bytes:
        """What came of the body with the head."""
        assert self._framing is not None
        return self._framing.take()

    @property
    def ends_by_close(self) -> bool:
        return isinstance(self._framing, UntilClose)

    def eof(self) -> Reply | None:
        """The peer has closed: the answer, if that is how it ends; None if it is cut short."""
        if isinstance(self._framing, UntilClose):
            return self._reply(self._framing.body(), b"")
        return None

    def _read(self, data: bytes | bytearray) -> Reply | None:
        while True:
            end = data.find(b"\r\n\r\n", self._scanned) + 4
            if end < 4 or end > self._limits.header_bytes:
                self._refuse_early(data)
                self._buffer = data
                self._scanned = max(0, len(data) - 3)
                return None
            self._scanned = 0
            head = self._parse(bytes(data[:end]))
            data = data[end:]
            if head.status >= 200:
                break
            self._informational += 1
            if head.status == 101:
                return self._switch(head, bytes(data))
            if self._informational > INFORMATIONAL:
                raise Refused(502, f"more than {INFORMATIONAL} informational answers")
        self._head = head
        self.keep_alive = head.keep_alive
        length = head.length
        limit = self._limits.answer_bytes
        if self._to_head:  # whatever its headers say, no body follows
            return self._reply(b"", data)
        if head.status in {204, 304}:
            if length not in {0, UNTIL_CLOSE}:
                self.keep_alive = False  # a body is announced, and may come where none belongs
            return self._reply(b"", data)
        if 0 <= length <= limit and length <= len(data):  # the usual case: all in one piece
            return self._reply(bytes(data[:length]), data[length:])
        streams = self._streams and not 0 <= length <= STREAMED_BYTES
        if length > limit and not streams:
            raise Refused(502, f"the answer is larger than {limit} bytes")
        if length == CHUNKED:
            self._framing = Chunked(NO_LIMIT if streams else limit)
        elif length == UNTIL_CLOSE:
            self._framing = UntilClose(NO_LIMIT if streams else limit)
            self.keep_alive = False
        else:
            self._framing = Length(length)
        reply = self._body(bytes(data))
        if reply is None and streams:
            self.streaming = True
            self.length = length if length >= 0 else None
            headers = head.passed if self._forward is None else self._forwarded(head)
            return Reply(head.status, headers, document_of(b"", headers))
        return reply

    def _switch(self, head: ResponseHead, data: bytes) -> Reply:
        """From here on the bytes are no HTTP, until the end of the connection."""
        fields = dict(head.headers)
        if not self._upgrades or fields.get(b"upgrade", b"").lower() != b"websocket":
            raise Refused(502, "the answer switches protocols")
        self._head = head
        self._framing = UntilClose(NO_LIMIT)
        self._framing.feed(data)
        self.streaming = True
        self.length = None
        return Reply(101, self._forwarded(head), Document(b""))

    def _refuse_early(self, data: bytes | bytearray) -> None:
        """What can be refused before the head is whole, so that no caller waits for its end."""
        limit = self._limits.header_bytes
        if data and data[:5] != b"HTTP/"[: len(data)]:
            raise Refused(502, "the answer is not HTTP/1.1")
        if _BARE_LF.search(data, self._scanned, limit):
            raise Refused(502, BARE_LF)
        if len(data) > limit:
            raise Refused(502, "the head of the answer is too large")

    def _body(self, data: bytes) -> Reply | None:
        assert self._framing is not None
        rest = self._framing.feed(data)
        if rest is None:
            return None
        return self._reply(self._framing.body(), rest)

    def _reply(self, body: bytes, rest: bytes | bytearray) -> Reply:
        assert self._head is not None
        if rest:  # bytes after the answer belong to nobody: never use this connection again
            self.keep_alive = False
        head = self._head
        headers = head.passed if self._forward is None else self._forwarded(head)
        plain = not headers or (len(headers) == 1 and headers[0][0] == b"content-type")
        document = Document(body) if plain else document_of(body, headers)
        return Reply(head.status, headers, document)

    def _forwarded(self, head: ResponseHead) -> Headers:
        # The length that an answer to HEAD tells is that of another body.
        framing = () if self._to_head else (b"content-length",)
        return end_to_end(head.headers, *OF_THE_FRONT, *framing)
