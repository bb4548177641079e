"""A body as bytes, and as JSON only once somebody asks; each question is answered once.

The questions: is it JSON in the sense of KServe's conditions (`shape`, `valid`), may its bytes
stand inside another document (`spliceable`), what Python value does it stand for (`parsed`,
`value`). No body may raise or crash here: depth, invalid UTF-8 and lone surrogates are met before
any library with a limit of its own sees them.
"""

import json
from enum import Enum
from typing import Any, ClassVar, Final

import msgspec

from graph.grammar import nesting

UNREAD: Final = 0
CONTAINER: Final = 1  # a JSON array or object from its first byte on, within a C parser's depth
SHALLOW: Final = 2  # other JSON: a scalar, or with white space before it
DEEP: Final = 3  # JSON that only iterative code may walk through
TOO_DEEP: Final = 4  # the same, and no reader of the other side would get through it either
INVALID: Final = 5

# Beyond this depth Go's decoder (and so KServe's Ensemble) refuses an answer; what a client can
# read ends far earlier.
SPLICE_DEPTH: Final = 10_000

_check = msgspec.json.Decoder(msgspec.Raw).decode
_decode = msgspec.json.Decoder().decode
_UNREAD_VALUE: Final = object()
_NO_VALUE: Final = object()


class Form(Enum):
    """What a target must be able to take to get this body as it is."""

    PLAIN = "plain"  # whatever travels over HTTP
    BINARY = "binary"  # JSON with tensors behind it: V2's binary extension
    MESSAGE = "message"  # gRPC


class Document:
    """Bytes that may be JSON. `body` is given; everything else is found when first asked for.

    Two are made for each hop, and mostly nobody asks: what is unknown is the class's, not set.
    """

    form: ClassVar[Form] = Form.PLAIN

    shape = UNREAD  # callers on the hot path read it and call `examine` while it is UNREAD
    member: object = None  # the member that a condition has looked up, and
    text: bytes | None = None  # its text: kept for the next one that asks for the same
    searched = 0  # steps that conditions took to search it
    evaluated = 0  # steps that JMESPath conditions took on it
    seen: object = None  # what conditions of another language have found out
    _value: Any = _UNREAD_VALUE
    _spliceable: bool | None = None

    def __init__(self, body: bytes) -> None:
        self.body = body  # as it travels
        self.json = body  # what all questions are about: the same, but for what `packed` opens

    @property
    def valid(self) -> bool:
        """Strict JSON grammar on raw bytes, as GJSON's `Valid`: strings may hold invalid UTF-8."""
        return (self.shape or self.examine()) != INVALID

    def examine(self) -> int:
        """Find and keep the shape."""
        try:
            _check(self.json)
        except (msgspec.DecodeError, RecursionError):
            self.shape = _odd_shape(self.json)
        else:
            self.shape = CONTAINER if self.json[0] in b"{[" else SHALLOW
        return self.shape

    @property
    def spliceable(self) -> bool:
        """The bytes can stand in another JSON document: valid, good UTF-8, of bounded depth."""
        if self._spliceable is None:
            bounded = (self.shape or self.examine()) <= DEEP
            self._spliceable = bounded and _is_utf8(self.json)
        return self._spliceable

    @property
    def parsed(self) -> bool:
        """There is a `value`: the body is JSON, and not too deep to become Python objects."""
        if self._value is _UNREAD_VALUE:
            self._value = _parse(self.json) if self.valid else _NO_VALUE
        return self._value is not _NO_VALUE

    @property
    def value(self) -> Any:
        """The body as a Python value, never to be changed; None without one, see `parsed`."""
        return self._value if self.parsed else None


def _odd_shape(body: bytes) -> int:
    """Of a body that msgspec refuses: no JSON, too deep for it, or with half a surrogate pair.

    Such a half stands in a \\u escape. Another first digit makes it a plain character and changes
    nothing else: a digit stays a digit, in a string or out of place.
    """
    tamed = body.replace(b"\\ud", b"\\u0").replace(b"\\uD", b"\\u0")
    try:
        _check(tamed)
    except msgspec.DecodeError:
        return INVALID
    except RecursionError:
        depth = nesting(body)
        if depth is None:
            return INVALID
        return DEEP if depth <= SPLICE_DEPTH else TOO_DEEP
    return SHALLOW


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(body: bytes) -> Any:
    """Of a valid body: its value, integers exact, the last of duplicate keys."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # invalid UTF-8, a lone surrogate, a number beyond float: Python is more patient
    except RecursionError:
        return _NO_VALUE
    try:
        return json.loads(body.decode(errors="replace"), parse_int=_integer)
    except RecursionError:
        return _NO_VALUE


def _integer(digits: str) -> int | float:
    """Exact up to Python's limit for digits, beyond it as GJSON sees every number."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)
