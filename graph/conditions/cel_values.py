"""Values on their way into CEL: what it cannot take is found, and everything is weighed.

The library cannot be stopped while it converts a value, follows it as deep as it goes, and writes
out the whole of one of which it refuses a part. orjson, which refuses the same things, is asked
before: it is fast, stops at a depth of 254, and what it writes tells how much there is to do.
"""

import re
from typing import Any, Final

import orjson

SCALAR: Final = 8
_CONTAINERS: Final = frozenset((dict, list))
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Unfit(Exception):
    """It says why a value is no use to CEL."""


def is_container(value: Any) -> bool:
    return type(value) in _CONTAINERS


def scalar(value: Any) -> Any:
    """One that is no container. Integers beyond 64 bits become doubles. Raises Unfit."""
    if type(value) is str:
        if "\0" in value:
            raise Unfit(_NUL)
        if not value.isascii():
            _check_text(value)
    elif type(value) is int and not _SMALLEST <= value <= _LARGEST:
        return _double(value)
    return value


def scalar_weight(value: Any) -> int:
    return SCALAR + len(value) if type(value) is str else SCALAR


def weigh(value: Any) -> int:
    """Of a container: about what it costs to convert, in bytes of JSON. Raises Unfit, and
    OverflowError for integers beyond 64 bits.
    """
    try:
        text = orjson.dumps(value)
    except TypeError as error:  # orjson.JSONEncodeError is one
        reason = str(error)
        if "Integer" in reason:
            raise OverflowError from None
        raise Unfit(_TOO_DEEP if "recursion" in reason.lower() else _NO_TEXT) from None
    if b"\\u0000" in text and _NUL_ESCAPE.search(text) is not None:
        raise Unfit(_NUL)
    apart = text.count(b",") + text.count(b":")  # in texts too, which does not matter
    return len(text) + 6 * apart + 10 * (text.count(b"{") + text.count(b"["))


def doubled(body: bytes) -> Any:
    """The value of a JSON text with doubles for integers beyond 64 bits. Raises Unfit."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unfit("it holds integers beyond 64 bits and what is no strict JSON") from None


TOO_LARGE: Final = "it is too large for this expression"
_TOO_DEEP: Final = "it is nested more than 250 deep"
# The library takes a text for ended there: "admin\0" would be equal to 'admin'.
_NUL: Final = "a text in it holds a NUL character"
_NUL_ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NO_TEXT: Final = "a text in it holds half a surrogate pair"


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit(_NO_TEXT) from None


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
