"""JSON text as GJSON reads it: forward, byte by byte, without asking whether it is JSON.

GJSON checks a body once and then trusts it, and it trusts the texts that its own modifiers make,
which need not be JSON at all. So these functions take any bytes and never fail. A value is its raw
bytes, and its kind is what its first byte says; empty bytes are a value that is not there.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import reduce
from itertools import islice
from typing import Final

import msgspec

_STRING_BODY: Final = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
STRING: Final = re.compile(rb'"' + _STRING_BODY + rb'"', re.DOTALL)
NUMBER: Final = re.compile(rb".[^\x00-\x20,\]}]*+", re.DOTALL)
LITERAL: Final = re.compile(rb".[a-z]*+", re.DOTALL)
CONTAINER: Final = re.compile(rb"[{\[]")
VALUE_START: Final = re.compile(rb'["{\[ntf+\-0-9iIN]')
_PLAIN_TEXT: Final = rb'[^"{}()\[\]]'
QUOTED: Final = rb'"' + _STRING_BODY + rb'"'


def _container_of(inner: bytes) -> bytes:
    """The pattern of a container that holds texts, strings and what `inner` matches."""
    return rb"[{\[(](?:%b++|%b%b)*+[}\])]" % (_PLAIN_TEXT, QUOTED, inner)


# So many levels hold nearly all that requests do: their containers are skipped in one match.
_LEVELS: Final = 6
SHALLOW: Final = reduce(
    lambda inner, _: _container_of(b"|" + inner), range(_LEVELS - 1), _container_of(b"")
)
_SHALLOW_CONTAINER: Final = re.compile(SHALLOW, re.DOTALL)
_UNBRACKETED: Final = re.compile(rb"(?:%b++|%b|%b)*+" % (_PLAIN_TEXT, QUOTED, SHALLOW), re.DOTALL)
# Brackets of one direction and what is between them, if no string among it holds a bracket: in a
# deep text these are nearly everything.
_BETWEEN: Final = rb'%b*+(?:"[^"\\{}()\[\]]*+"%b*+)*+' % (_PLAIN_TEXT, _PLAIN_TEXT)
_OPENING: Final = re.compile(rb"[{\[(](?:" + _BETWEEN + rb"[{\[(])*+")
_CLOSING: Final = re.compile(rb"[}\])](?:" + _BETWEEN + rb"[}\])])*+")
_OPENERS: Final = (b"{", b"[", b"(")
_CLOSERS: Final = (b"}", b"]", b")")
_CLOSER: Final = re.compile(rb"[}\])]")
_AFTER_KEY: Final = re.compile(rb"[\x00-\x20,:]*+")
_LEAF_OR_BRACKET: Final = re.compile(rb'["{\[\]ntf+\-0-9iIN]')
BLANK: Final = bytes(range(0x21))


class Kind(IntEnum):
    NULL = 0
    FALSE = 1
    NUMBER = 2
    STRING = 3
    TRUE = 4
    JSON = 5  # an array or an object


_KINDS: Final = {
    **dict.fromkeys(b"+-0123456789iIN", Kind.NUMBER),
    ord('"'): Kind.STRING,
    ord("{"): Kind.JSON,
    ord("["): Kind.JSON,
    ord("t"): Kind.TRUE,
    ord("f"): Kind.FALSE,
}


def kind(raw: bytes) -> Kind:
    """What a value is; NULL too where there is none."""
    if raw[:1] == b"n":
        return Kind.NULL if raw[1:2] == b"u" else Kind.NUMBER  # `nan` counts as a number
    return _KINDS[raw[0]] if raw else Kind.NULL


def skip_container(text: bytes, at: int) -> int:
    """Where the container that opens at `at` ends: any closing bracket closes any opening one.

    One that does not end takes the rest of the text; inside of a string that does not, also what
    may be thought behind it: GJSON then does not even close the containers around.
    """
    shallow = _SHALLOW_CONTAINER.match(text, at)
    if shallow is not None:
        return shallow.end()
    depth = 1
    at += 1
    while True:
        plain = _UNBRACKETED.match(text, at)
        assert plain is not None  # it also matches nothing
        at = plain.end()
        if (opening := _OPENING.match(text, at)) is not None:
            depth += sum(map(opening[0].count, _OPENERS))
            at = opening.end()
        elif (closing := _CLOSING.match(text, at)) is not None:
            closed = sum(map(closing[0].count, _CLOSERS))
            if closed >= depth:
                return _nth_closer(text, at, depth)
            depth -= closed
            at = closing.end()
        else:
            return len(text) + (1 if text[at : at + 1] == b'"' else 0)


def _nth_closer(text: bytes, at: int, count: int) -> int:
    """Where the closing bracket of a given number ends, counted from `at`; no string holds any."""
    return next(islice(_CLOSER.finditer(text, at), count - 1, None)).end()


def skip_value(text: bytes, at: int) -> int:
    """Where the value that begins at `at` ends; -1 for a string without an end."""
    first = text[at]
    if first in b"{[":
        return skip_container(text, at)
    if first == 0x22:
        string = STRING.match(text, at)
        return -1 if string is None else string.end()
    number = kind(text[at : at + 2]) is Kind.NUMBER
    token = (NUMBER if number else LITERAL).match(text, at)
    assert token is not None  # both match any first byte
    return token.end()


def next_value(text: bytes, at: int) -> tuple[bytes, int]:
    """The first value from `at` on, whatever stands before it, and its end; empty: none."""
    start = VALUE_START.search(text, at)
    if start is None:
        return b"", len(text)
    end = skip_value(text, start.start())
    return (b"", len(text)) if end < 0 else (text[start.start() : end], end)


def whole(text: bytes) -> bytes:
    """The value that a text begins with. A container is the rest of the text, whatever that is."""
    text = text.lstrip(BLANK)
    if text[:1] in (b"{", b"["):
        return text
    if VALUE_START.match(text) is None:
        return b""
    end = skip_value(text, 0)
    return text if end < 0 else text[:end]


def members(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys (raw, empty in arrays) and values of a container; a scalar counts as one element."""
    if kind(raw) is not Kind.JSON:
        if raw:
            yield b"", raw
        return
    keyed = raw[:1] == b"{"
    key = b""
    at = 1
    while at < len(raw):
        if keyed:
            at = raw.find(b'"', at)
            string = STRING.match(raw, at) if at >= 0 else None
            if string is None:
                return
            key = string[0]
            at = string.end()
        separator = _AFTER_KEY.match(raw, at)
        assert separator is not None  # it also matches nothing
        value, at = next_value(raw, separator.end())
        if not value:
            return
        yield key, value
        at += 1


def leaves(array: bytes) -> Iterator[bytes]:
    """What is in an array and in the arrays inside of it, in order, but no array."""
    depth = 0
    at = 0
    while (start := _LEAF_OR_BRACKET.search(array, at)) is not None:
        at = start.end()
        if start[0] == b"[":
            depth += 1
        elif start[0] == b"]":
            depth -= 1
            if depth == 0:
                return
        else:
            value, at = next_value(array, start.start())
            if not value:
                return
            yield value


def string_content(raw: bytes) -> bytes:
    """What stands between the quotes, unescaped. The closing quote may be missing."""
    string = STRING.match(raw)
    inner = raw[1:] if string is None else string[0][1:-1]
    return unescape(inner) if b"\\" in inner else inner


_ESCAPE: Final = re.compile(rb'[^\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u.{4})', re.DOTALL)
_PLAIN: Final = {
    b'\\"': b'"',
    b"\\\\": b"\\",
    b"\\/": b"/",
    b"\\b": b"\b",
    b"\\f": b"\f",
    b"\\n": b"\n",
    b"\\r": b"\r",
    b"\\t": b"\t",
}
_decode: Final = msgspec.json.Decoder(str).decode
_REPLACEMENT: Final = "\ufffd".encode()


def unescape(inner: bytes) -> bytes:
    """Escapes resolved, up to what no string may hold. Unpaired surrogates become U+FFFD."""
    try:
        return _decode(b'"%b"' % inner).encode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # nothing that a strict reader takes: Go's way is below
    out = []
    at = 0
    while (piece := _ESCAPE.match(inner, at)) is not None:
        at = piece.end()
        token = piece[0]
        if token[:1] != b"\\":
            out.append(token)
        elif token[1:2] != b"u":
            out.append(_PLAIN[token])
        else:
            unit = _code_unit(token[2:])
            if not 0xD800 <= unit < 0xE000:
                out.append(chr(unit).encode())
            elif inner[at : at + 2] == b"\\u" and len(inner) >= at + 6:
                # Whatever escape follows is the other half, and is used up even where it does not
                # fit.
                low = _code_unit(inner[at + 2 : at + 6])
                at += 6
                out.append(_pair(unit, low))
            else:
                out.append(_REPLACEMENT)
    return b"".join(out)


def _code_unit(digits: bytes) -> int:
    try:
        return int(digits, 16) if digits.isalnum() else 0
    except ValueError:
        return 0


def _pair(high: int, low: int) -> bytes:
    if high < 0xDC00 <= low < 0xE000:
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).encode()
    return _REPLACEMENT


_DECIMAL: Final = re.compile(
    rb"[+-]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?"
)
_HEX: Final = re.compile(
    rb"[+-]?0[xX](?:[0-9a-fA-F_]+\.?[0-9a-fA-F_]*|\.[0-9a-fA-F_]+)[pP][+-]?[0-9][0-9_]*"
)
_SPECIAL: Final = re.compile(rb"[+-]?inf(?:inity)?|nan", re.IGNORECASE)


def number(raw: bytes) -> float:
    """A number as Go's ParseFloat reads it; 0 where that reports a syntax error.

    Python's `float` and `fromhex` agree with it on what is left after the patterns, underscores
    included; but those in hexadecimal digits are ours to check.
    """
    try:
        if _DECIMAL.fullmatch(raw) or _SPECIAL.fullmatch(raw):
            return float(raw)
        if _HEX.fullmatch(raw) and not _LOOSE_UNDERSCORE.search(raw):
            return float.fromhex(raw.replace(b"_", b"").decode())
    except OverflowError:
        return float("-inf") if raw[:1] == b"-" else float("inf")
    except ValueError:  # an underscore that is not between digits
        return 0.0
    return 0.0


_LOOSE_UNDERSCORE: Final = re.compile(rb"_(?![0-9a-fA-F])|(?<![0-9a-fA-FxX])_")
