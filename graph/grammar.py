"""Is this JSON, and how deep? For the texts that are too deep for a parser written in C.

A parser that calls itself for each bracket ends where its stack ends. Here nothing calls itself and
nothing is done for each bracket in Python: a regular expression checks what neighbours may stand
side by side, hundreds of values at a time, and what it cannot see, which bracket closes which, is
left to a few operations on the brackets alone. A text costs what its length explains, however it
nests. It knows bytes and the grammar of RFC 8259; whether strings are good UTF-8 is not its
question.
"""

import re
from array import array
from itertools import accumulate
from typing import Final

_WS: Final = rb"[ \t\n\r]*+"
_STRING: Final = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER: Final = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_KEY: Final = _STRING + _WS + rb":" + _WS
_OPENED: Final = rb"(?:\[%b(?!\]))++|\{%b%b" % (_WS, _WS, _KEY)
_INNERMOST: Final = rb"(?:%b|%b|true|false|null|\[%b\]|\{%b\})%b" % (
    *(_STRING, _NUMBER),
    *(_WS, _WS, _WS),
)
_CLOSED: Final = rb"(?:[\]}]%b)*+" % _WS
_NEXT: Final = rb"(?:,%b(?:%b)?+|\Z)" % (_WS, _KEY)

# So many that Python's own steps do not count, so few that no copy of them takes much memory.
_VALUES: Final = re.compile(rb"(?:%b|%b%b%b){1,500}+" % (_OPENED, _INNERMOST, _CLOSED, _NEXT))
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{},:"))
_TURNS: Final = re.compile(rb"([\]}]*+)([\[{]*+)")
_CLOSERS: Final = bytes.maketrans(b"[{", b"]}")
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def nesting(text: bytes) -> int | None:
    """How deep the brackets of a JSON text nest (0 for a scalar); None if it is not JSON."""
    closers = bytearray()  # of the containers that are open, innermost last
    deepest = 0
    at = len(text) - len(text.lstrip(b" \t\n\r"))
    while True:
        values = _VALUES.match(text, at)
        if values is None:
            return None
        at = values.end()
        brackets = _TEXT.sub(b"", values[0]).translate(None, _NO_BRACKETS)
        deepest = max(deepest, len(closers) + _height(brackets))
        if not _pair(brackets, closers):
            return None
        if at == len(text):
            return None if closers else deepest


def _height(brackets: bytes) -> int:
    """How far these brackets rise above where they begin."""
    steps = array("b", brackets.translate(_STEPS, b",:"))
    return max(accumulate(steps), default=0)


def _pair(brackets: bytes, closers: bytearray) -> bool:
    """Whether brackets close what is open as they should; keeps `closers` up to date.

    A comma belongs to an object where a key follows and to an array elsewhere. It says the same as
    to close that container and to open another, so all that is left to do is to pair brackets.
    """
    brackets = brackets.replace(b",:", b"}{").replace(b",", b"][").replace(b":", b"")
    # Pairs vanish until few do: what is left turns so seldom that each turn may cost a step.
    fewer = True
    while fewer:
        left = brackets.replace(b"[]", b"").replace(b"{}", b"")
        fewer = len(left) < len(brackets) * 15 // 16
        brackets = left
    for closing, opening in _TURNS.findall(brackets):
        if closers[: -len(closing) - 1 : -1] != closing:
            return False
        if closing:
            del closers[-len(closing) :]
        closers += opening.translate(_CLOSERS)
    return True
