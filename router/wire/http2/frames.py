"""The bytes of frames (RFC 9113 section 6), as we write them."""

from collections.abc import Mapping
from struct import Struct

from router.wire.http2 import codes

HEAD_BYTES = 9
_HEAD = Struct(">HBBBI")  # length in two parts, kind, flags, stream
read_head = _HEAD.unpack_from
_number = Struct(">I").pack
_setting = Struct(">HI")


def head(length: int, kind: int, flags: int, stream: int) -> bytes:
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream)


def headers(stream: int, block: bytes, end: bool, most: int) -> bytes:
    """A HEADERS frame, with CONTINUATIONs if the block is longer than the peer's frames may be."""
    flags = codes.END_STREAM if end else 0
    if len(block) <= most:
        return head(len(block), codes.HEADERS, flags | codes.END_HEADERS, stream) + block
    parts = [block[at : at + most] for at in range(0, len(block), most)]
    frames = [head(len(parts[0]), codes.HEADERS, flags, stream), parts[0]]
    for part in parts[1:]:
        last = codes.END_HEADERS if part is parts[-1] else 0
        frames += (head(len(part), codes.CONTINUATION, last, stream), part)
    return b"".join(frames)


def settings(values: Mapping[int, int]) -> bytes:
    body = b"".join([_setting.pack(*pair) for pair in values.items()])
    return head(len(body), codes.SETTINGS, 0, 0) + body


def read_settings(body: bytes) -> dict[int, int]:
    """The last value of each."""
    return dict(_setting.iter_unpack(body))


SETTINGS_ACK = head(0, codes.SETTINGS, codes.ACK, 0)


def window_update(stream: int, increment: int) -> bytes:
    return head(4, codes.WINDOW_UPDATE, 0, stream) + _number(increment)


def reset(stream: int, code: int) -> bytes:
    return head(4, codes.RST_STREAM, 0, stream) + _number(code)


def ping_ack(opaque: bytes) -> bytes:
    return head(8, codes.PING, codes.ACK, 0) + opaque


def goaway(last: int, code: int, words: str = "") -> bytes:
    text = words.encode()[:256]
    return head(8 + len(text), codes.GOAWAY, 0, 0) + _number(last) + _number(code) + text
