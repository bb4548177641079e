"""Content codings undone, for whoever must look inside a body: gzip, deflate, br, zstd.

Bounded: a body that would open to more than LIMIT bytes, or beyond SMALL bytes to more than RATIO
times its own, is cut, has something behind its end, or names a coding that nobody knows stays
closed. The libraries load when first needed.
"""

import zlib
from collections.abc import Callable
from typing import Final

LIMIT: Final = 64 * 1024 * 1024
# A few hundred bytes must not cost a worker seconds of parsing. JSON shrinks to a tenth.
SMALL: Final = 4 * 1024 * 1024
RATIO: Final = 200
GZIP_PIECE: Final = 4096  # bytes, which open to 4 MiB at most
MEMBERS: Final = 4096  # of a gzip body, or frames of zstd's; bgzip makes one of 64 KiB
PIECE: Final = 256  # bytes of zstd's; each four may stand for 128 KiB
MOST: Final = 2  # codings on top of one another; nobody sends even two


def decoded(body: bytes, coding: bytes, limit: int = LIMIT) -> bytes | None:
    """The body without its codings (a Content-Encoding's value, in the order in which they were
    applied); None if it cannot be opened within `limit` bytes and the ratio.
    """
    limit = min(limit, max(SMALL, RATIO * len(body)))
    names = [name.strip().lower() for name in coding.split(b",")]
    if len(names) > MOST:
        return None
    for name in reversed(names):
        undo = _CODINGS.get(name)
        if undo is None:
            return None
        opened = undo(body, limit)
        if opened is None:
            return None
        body = opened
    return body


def _gzip(body: bytes, limit: int) -> bytes | None:
    """RFC 1952: one member after another. Fed in pieces, because a member's end copies all that
    comes behind it.
    """
    member = zlib.decompressobj(31)
    members = 1
    parts: list[bytes] = []
    view = memoryview(body)
    at = 0
    try:
        while at < len(view):
            if member.eof:
                member = zlib.decompressobj(31)
                members += 1
            part = member.decompress(view[at : at + GZIP_PIECE])
            at = min(at + GZIP_PIECE, len(view)) - len(member.unused_data)
            parts.append(part)
            limit -= len(part)
            if limit < 0 or members > MEMBERS:
                return None
    except zlib.error:
        return None
    return b"".join(parts) if member.eof else None


def _deflate(body: bytes, limit: int) -> bytes | None:
    """RFC 9110 means zlib's wrapping; what many send is the bare stream."""
    for window in (15, -15):
        stream = zlib.decompressobj(window)
        part = _inflated(stream, body, limit)
        if part is not None and not stream.unused_data:
            return part
    return None


def _inflated(stream: "zlib._Decompress", body: bytes, limit: int) -> bytes | None:
    try:
        part = stream.decompress(body, limit + 1)
    except zlib.error:
        return None
    return part if stream.eof and len(part) <= limit else None


def _brotli(body: bytes, limit: int) -> bytes | None:
    import brotli  # noqa: PLC0415  -- few bodies need it

    stream = brotli.Decompressor()
    parts: list[bytes] = []
    try:
        part: bytes = stream.process(body, output_buffer_limit=limit + 1)
        while part:
            parts.append(part)
            limit -= len(part)
            if limit < 0:
                return None
            if stream.is_finished():
                break
            part = stream.process(b"", output_buffer_limit=limit + 1)
    except brotli.error:
        return None
    return b"".join(parts) if stream.is_finished() else None


def _zstd(body: bytes, limit: int) -> bytes | None:
    """RFC 8878, frame after frame. The library cannot be told where to stop, so it is fed in pieces
    that open to a few MiB at most.
    """
    import zstandard  # noqa: PLC0415  -- few bodies need it

    # RFC 9659: a window of 8 MiB is all that a receiver must offer
    decompressor = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024)
    frame = decompressor.decompressobj()
    frames = 1
    parts: list[bytes] = []
    view = memoryview(body)
    at = 0
    try:
        while at < len(view):
            if frame.eof:
                frame = decompressor.decompressobj()
                frames += 1
            part = frame.decompress(view[at : at + PIECE])
            at = min(at + PIECE, len(view)) - len(frame.unused_data)
            parts.append(part)
            limit -= len(part)
            if limit < 0 or frames > MEMBERS:
                return None
    except zstandard.ZstdError:
        return None
    return b"".join(parts) if frame.eof else None


def _plain(body: bytes, limit: int) -> bytes | None:
    return body if len(body) <= limit else None


_CODINGS: Final[dict[bytes, Callable[[bytes, int], bytes | None]]] = {
    b"gzip": _gzip,
    b"x-gzip": _gzip,
    b"deflate": _deflate,
    b"br": _brotli,
    b"zstd": _zstd,
    b"identity": _plain,
    b"": _plain,
}
