"""JSON text as GJSON writes it: strings with Go's escapes, multipaths, other layouts."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Final

from graph.conditions.scan import next_value, number
from graph.grammar import nesting

_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_FOR_HTML: Final = {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_BETWEEN_BLANKS: Final = re.compile(
    rb'(?:[^"\x00-\x20]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?)++', re.DOTALL
)
_NOT_SIMPLE: Final = frozenset(b"[]{}()#|!")


def quoted(content: bytes) -> bytes:
    """A JSON string; a byte that is no UTF-8 becomes U+FFFD, what HTML takes amiss is escaped."""
    text = encode_basestring(content.decode("utf-8", "surrogateescape"))
    if not content.isascii():
        text = _UNDECODED.sub(r"\\ufffd", text)
    for char, escape in _FOR_HTML.items():
        text = text.replace(char, escape)
    return text.encode()


def multipath(bracket: bytes, picked: Iterable[tuple[bytes, bytes, bytes]]) -> bytes:
    """Of (name, path, value): the values that exist, as an array or under their names."""
    if bracket == b"[":
        return b"[" + b",".join(value for _, _, value in picked if value) + b"]"
    fields = [_key(name, path) + b":" + value for name, path, value in picked if value]
    return b"{" + b",".join(fields) + b"}"


def _key(name: bytes, path: bytes) -> bytes:
    if name:
        return name if name[:1] == b'"' and nesting(name) is not None else quoted(name)
    last = _last_component(path)
    simple = all(byte >= 0x20 and byte not in _NOT_SIMPLE for byte in last)
    return quoted(last) if simple else b'"_"'


def _last_component(path: bytes) -> bytes:
    for at in range(len(path) - 1, -1, -1):
        if path[at] in b"|." and path[at - 1 : at] != b"\\":
            return path[at + 1 :]
    return path


def without_blanks(text: bytes) -> bytes:
    """`@ugly`: no blanks outside of strings."""
    return b"".join(_BETWEEN_BLANKS.findall(text))


def pretty(text: bytes) -> bytes:
    """`@pretty`: the first value. Line breaks and `sortKeys` are left out: no path sees them."""
    value, _ = next_value(text, 0)
    return without_blanks(value) + b"\n" if value else b""


def plain_number(raw: bytes) -> bytes:
    """A number as `@fromstr` writes it: digits as they are, else in full, without exponent."""
    if not raw.removeprefix(b"-").strip(b"0123456789"):
        return raw
    value = number(raw)
    if math.isinf(value):
        return b"-Inf" if value < 0 else b"+Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0").encode()
