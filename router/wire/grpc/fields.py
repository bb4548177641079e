"""The few fields of protobuf messages that are read or written without knowing the message.

A message is a row of fields, each with a number and a kind; unknown ones are skipped by their
length. Of a scalar that comes twice the last counts (protobuf's encoding, "Last One Wins"): so a
field is replaced by another one at the end, whatever stands before, at the price of a copy.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LOOKED_AT = 64  # fields at the top of a message, before we give up: names stand first


class BadMessage(ValueError):
    """It is no protobuf message."""


def varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(0x80 | value & 0x7F)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def text(number: int, value: bytes) -> bytes:
    """A field of bytes, a string or a message; its number is below 16."""
    return bytes((number << 3 | BYTES,)) + varint(len(value)) + value


def number(field: int, value: int) -> bytes:
    """A field of a number, a bool or an enum; its number is below 16."""
    return bytes((field << 3 | VARINT,)) + varint(value)


def field_of(message: bytes, wanted: int) -> bytes:
    """Of a field of bytes, a string or a message: the last one, as parsers say. Raises
    BadMessage.
    """
    found = b""
    for field, value in read(message, LOOKED_AT):
        if field == wanted and isinstance(value, bytes):
            found = value
    return found


def read(message: bytes, limit: int | None = None) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, of the first `limit` ones. Raises BadMessage."""
    at, end = 0, len(message)
    while at < end and (limit is None or limit > 0):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            if kind == BYTES:
                size, at = _varint(message, at)
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
            else:
                raise BadMessage("a field of an unknown kind")
            value = message[at : at + size]
            at += size
            if at > end:
                raise BadMessage("a field is cut short")
        yield number, value
        if limit is not None:
            limit -= 1


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for _ in range(10):
        if at >= len(message):
            raise BadMessage("a number is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise BadMessage("a number is too long")


MODEL_NAME = 1  # of ModelInferRequest, and of most requests about a model


def model_name(request: bytes) -> bytes:
    """Of a ModelInferRequest; nothing if it has none among its first fields, or is no message."""
    try:
        if request[:1] == b"\x0a":
            size, at = _varint(request, 1)
            return request[at : at + size]
        for number, value in read(request, LOOKED_AT):
            if number == MODEL_NAME and isinstance(value, bytes):
                return value
    except BadMessage:
        pass
    return b""


def with_model_name(request: bytes, name: bytes) -> bytes:
    return request + text(MODEL_NAME, name)


STREAM_ERROR, STREAM_ANSWER = 1, 2  # of ModelStreamInferResponse


def stream_response(answer: bytes) -> bytes:
    return text(STREAM_ANSWER, answer)


def stream_error(words: str) -> bytes:
    return text(STREAM_ERROR, words.encode(errors="replace"))


def of_stream(response: bytes) -> tuple[str, bytes]:
    """Error (or nothing) and answer of a ModelStreamInferResponse. Raises BadMessage."""
    error, answer = b"", b""
    for number, value in read(response, LOOKED_AT):
        if isinstance(value, bytes):
            if number == STREAM_ERROR:
                error = value
            elif number == STREAM_ANSWER:
                answer = value
    return error.decode(errors="replace"), answer
