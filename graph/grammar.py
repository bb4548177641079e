"""Is this JSON, and how deep? For the texts that are too deep for a parser written in C.

A parser that calls itself for each bracket ends where its stack ends; this one keeps the open
brackets in a bytearray, so that no nesting stops it. Flat stretches are matched by one regular
expression each, runs of brackets too. It knows bytes and the grammar of RFC 8259; whether strings
are good UTF-8 is not its question.
"""

import re
from typing import Final

_WS: Final = rb"[ \t\n\r]*+"
_STRING: Final = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER: Final = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_SCALAR: Final = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)"

_SPACE: Final = re.compile(_WS)
_VALUE: Final = re.compile(_SCALAR)
_KEY: Final = re.compile(_STRING + _WS + rb":" + _WS)
_OPENED: Final = re.compile(rb"\[(?:" + _WS + rb"\[)*+" + _WS)
_CLOSED: Final = re.compile(rb"[\]}](?:" + _WS + rb"[\]}])*+" + _WS)
_ELEMENTS: Final = re.compile(rb"(?:" + _SCALAR + _WS + rb"," + _WS + rb")*+")
_MEMBERS: Final = re.compile(
    rb"(?:" + _STRING + _WS + rb":" + _WS + _SCALAR + _WS + rb"," + _WS + rb")*+"
)
_BLANKS: Final = b" \t\n\r"
_ARRAY: Final = ord("]")
_OBJECT: Final = ord("}")


def nesting(text: bytes) -> int | None:
    """How deep the brackets of a JSON text nest (0 for a scalar); None if it is not JSON."""
    closers = bytearray()  # of the containers that are open, innermost last
    deepest = 0
    at = _end(_SPACE, text, 0)
    while True:
        # A value has to begin here.
        opener = text[at : at + 1]
        if opener == b"[":
            run = _OPENED.match(text, at)
            assert run is not None  # it begins with the bracket that we saw
            closers += b"]" * run[0].count(b"[")
            deepest = max(deepest, len(closers))
            at = run.end()
            if text[at : at + 1] != b"]":
                at = _end(_ELEMENTS, text, at)
                continue
        elif opener == b"{":
            closers.append(_OBJECT)
            deepest = max(deepest, len(closers))
            at = _end(_SPACE, text, at + 1)
            if text[at : at + 1] != b"}":
                key = _KEY.match(text, _end(_MEMBERS, text, at))
                if key is None:
                    return None
                at = key.end()
                continue
        else:
            value = _VALUE.match(text, at)
            if value is None:
                return None
            at = _end(_SPACE, text, value.end())
        # A value has ended, or a container is still empty: what is open may close now.
        closed = _CLOSED.match(text, at)
        if closed is not None:
            run_closed = closed[0].translate(None, _BLANKS)
            if closers[: -len(run_closed) - 1 : -1] != run_closed:
                return None
            del closers[-len(run_closed) :]
            at = closed.end()
        if not closers:
            return deepest if at == len(text) else None
        if text[at : at + 1] != b",":
            return None
        at = _end(_SPACE, text, at + 1)
        if closers[-1] == _ARRAY:
            at = _end(_ELEMENTS, text, at)
        else:
            key = _KEY.match(text, _end(_MEMBERS, text, at))
            if key is None:
                return None
            at = key.end()


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where a pattern that also matches nothing stops."""
    found = pattern.match(text, at)
    assert found is not None
    return found.end()
