"""The other end of a connection for tests: frames as short lines, both ways.

HEADERS 1 end        DATA 1 5        WINDOW_UPDATE 0 100        RST_STREAM 1 CANCEL
"""

from router.wire.http2 import codes, frames
from router.wire.http2.client import ClientConnection
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.http2.connection import Connection
from router.wire.http2.hpack import Fields, encode
from router.wire.http2.server import ServerConnection
from router.wire.http2.stream import Stream

NAMES = (
    *("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY"),
    *("WINDOW_UPDATE", "CONTINUATION"),
)
REQUEST = encode(((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a")))
SETTINGS = frames.settings({})


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return frames.head(len(body), kind, flags, stream) + body


def headers(stream: int, block: bytes = REQUEST, *, end: bool = False, whole: bool = True) -> bytes:
    flags = (codes.END_STREAM if end else 0) | (codes.END_HEADERS if whole else 0)
    return frame(codes.HEADERS, flags, stream, block)


def data(stream: int, body: bytes, *, end: bool = False) -> bytes:
    return frame(codes.DATA, codes.END_STREAM if end else 0, stream, body)


def update(stream: int, size: int) -> bytes:
    return frame(codes.WINDOW_UPDATE, 0, stream, size.to_bytes(4, "big"))


def reset(stream: int, code: int = 8) -> bytes:
    return frame(codes.RST_STREAM, 0, stream, code.to_bytes(4, "big"))


class Told(Stream):
    """A stream that notes what it is told. `thanks`: it says at once that data is dealt with."""

    def __init__(self, notes: list[str], thanks: bool = True) -> None:
        super().__init__()
        self.notes = notes
        self.thanks = thanks

    def received(self, fields: Fields, end: bool) -> None:
        self.notes.append(f"headers {len(fields.headers)}{' end' if end else ''}")

    def data(self, data: bytes, end: bool) -> None:
        self.notes.append(f"data {len(data)}{' end' if end else ''}")
        if self.thanks:
            self.used(len(data))

    def lost(self, code: ErrorCode | None, cause: str, *, unprocessed: bool) -> None:
        kind = "none" if code is None else code.name
        self.notes.append(f"lost {kind}{' unprocessed' if unprocessed else ''}")

    def sent(self) -> None:
        self.notes.append("sent")


class Ends:
    """A connection of ours, and what it wrote."""

    connection: Connection

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.streams: list[Told] = []
        self.thanks = True
        self._written = bytearray()

    def write(self, piece: bytes | memoryview) -> None:
        self._written += piece

    def open(self) -> Told:
        stream = Told(self.notes, self.thanks)
        self.streams.append(stream)
        return stream

    def feed(self, *parts: bytes) -> str:
        """The code with which it broke, or nothing."""
        try:
            self.connection.feed(b"".join(parts))
        except Broken as fault:
            return fault.code.name
        return ""

    def written(self) -> list[str]:
        """As lines, since the last time."""
        lines, at, bytes_ = [], 0, bytes(self._written)
        while at < len(bytes_):
            high, low, kind, flags, stream = frames.read_head(bytes_, at)
            start = at + 9
            at = start + (high << 8 | low)
            body = bytes_[start:at]
            line = f"{NAMES[kind]} {stream}"
            if kind == codes.DATA:
                line += f" {len(body)}"
            elif kind == codes.WINDOW_UPDATE:
                line += f" {int.from_bytes(body, 'big')}"
            elif kind == codes.RST_STREAM:
                line += f" {ErrorCode(int.from_bytes(body, 'big')).name}"
            elif kind == codes.GOAWAY:
                last = int.from_bytes(body[:4], "big")
                line += f" {last} {ErrorCode(int.from_bytes(body[4:8], 'big')).name}"
            if kind in (codes.DATA, codes.HEADERS) and flags & codes.END_STREAM:
                line += " end"
            if kind in (codes.SETTINGS, codes.PING) and flags & codes.ACK:
                line += " ack"
            lines.append(line)
        self._written.clear()
        return lines


class Server(Ends):
    """Greeted already."""

    connection: ServerConnection

    def __init__(self, streams: int = 10, header_bytes: int = 4096, header_count: int = 64) -> None:
        super().__init__()
        self.connection = ServerConnection(
            self.write, self.open, header_bytes, header_count, streams
        )
        assert self.feed(codes.PREFACE, SETTINGS) == ""
        self.written()


class Client(Ends):
    """Settled already."""

    connection: ClientConnection

    def __init__(self, settings: dict[int, int] | None = None) -> None:
        super().__init__()
        self.changes = 0
        self.connection = ClientConnection(self.write, self._changed, 4096, 64)
        self._written = self._written[len(codes.PREFACE) :]
        assert self.feed(frames.settings(settings or {})) == ""
        self.written()

    def _changed(self) -> None:
        self.changes += 1

    def call(self, body: bytes = b"") -> Told:
        stream = self.open()
        self.connection.open(stream, REQUEST, body, end=True)
        return stream
