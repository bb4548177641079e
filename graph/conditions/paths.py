"""A GJSON path, one component at a time, as GJSON itself takes it apart.

The language has no grammar and no errors: a component is whatever the code that meets an object, or
an array, cuts off the front. So the same text is read differently by each, and malformed text means
something too. What is cut off here is cached: the texts are parts of manifests, so there are few.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from graph.conditions.glob import Glob
from graph.conditions.scan import BLANK, STRING, number, skip_container, unescape
from graph.conditions.skip import (
    ELEMENTS,
    INERT_ELEMENTS,
    elements_without,
    members_unlike,
    members_without,
)

MODIFIERS: Final = frozenset(
    b"pretty ugly reverse this flatten join valid keys values tostr fromstr group dig".split()
)
_FROM_ANYTHING: Final = frozenset((b"@", b"!", b"[", b"{", b"."))  # make something of scalars too
_OPENERS: Final = b"[({"
_CLOSERS: Final = b"])}"


@dataclass(frozen=True, slots=True)
class Rest:
    """What follows a component: `path` goes on inside the value, `pipe` starts anew with it."""

    path: bytes | None = None
    pipe: bytes | None = None


@dataclass(frozen=True)
class Query:
    """`#(path operator value)`, and whether `#` follows it: all matches, not the first."""

    path: bytes
    operator: bytes
    value: bytes
    all: bool

    @cached_property
    def number(self) -> float:
        return number(self.value)

    @cached_property
    def glob(self) -> Glob:
        return Glob(self.value)

    @cached_property
    def skipped(self) -> re.Pattern[bytes] | None:
        """The elements that do not satisfy it, as far as a look at their names tells."""
        if not self.path:
            return None
        if self.value[:1] == b"~":  # which may hold of what is missing
            return INERT_ELEMENTS
        return elements_without(self.path)


@dataclass(frozen=True)
class ObjectPart:
    """A component as an object takes it: a key, or a pattern of keys."""

    key: bytes
    glob: Glob | None
    rest: Rest

    @cached_property
    def skipped(self) -> re.Pattern[bytes]:
        """The members that lead nowhere, any number of them."""
        if self.glob is None:
            return members_without(self.key, inside=self.rest.path)
        return members_unlike(self.glob.quoted, inside=self.rest.path)


@dataclass(frozen=True)
class ArrayPart:
    """A component as an array takes it: an index, a query, `#` to count, `#.path` for each."""

    index: int | None
    query: Query | None
    count: bool
    each: bytes | None
    rest: Rest

    @cached_property
    def skipped(self) -> re.Pattern[bytes] | None:
        """The elements that lead nowhere, several hundred of them; None where each has to be seen.

        An index skips all of them, as long as its own is not among them.
        """
        if self.query is not None:
            return self.query.skipped
        if self.each is None:
            return ELEMENTS
        return None if self.each[:1] in _FROM_ANYTHING else elements_without(self.each)


def _after_dot(text: bytes, may_pipe: bool) -> Rest:
    if may_pipe and text and _starts_anew(text):
        return Rest(pipe=text)
    return Rest(path=text)


def _starts_anew(text: bytes) -> bool:
    """A dot before a modifier or a multipath works like a pipe."""
    if text[:1] == b"@":
        end = min((at for at in map(text.find, (b".", b"|", b":")) if at >= 0), default=len(text))
        return text[1:end] in MODIFIERS
    return text[:1] in (b"[", b"{")


@lru_cache(maxsize=1024)
def object_part(path: bytes) -> ObjectPart:
    """Cut at the first dot or pipe. An escaped wildcard beside a bare one is a wildcard too."""
    key = bytearray()
    wild = False
    rest = Rest()
    at = 0
    while at < len(path):
        char = path[at : at + 1]
        if char == b"\\":
            key += path[at + 1 : at + 2]
            at += 2
            continue
        if char == b"|":
            rest = Rest(pipe=path[at + 1 :])
            break
        if char == b".":
            rest = _after_dot(path[at + 1 :], may_pipe=True)
            break
        wild = wild or char in (b"*", b"?")
        key += char
        at += 1
    text = bytes(key)
    return ObjectPart(text, Glob(text) if wild else None, rest)


@lru_cache(maxsize=1024)
def array_part(path: bytes) -> ArrayPart:
    """Cut at the first dot or pipe outside a query. Arrays know no escapes."""
    query: Query | None = None
    each: bytes | None = None
    hashed = False
    rest = Rest()
    at = 0
    while at < len(path):
        char = path[at : at + 1]
        if char == b"|":
            rest = Rest(pipe=path[at + 1 :])
            break
        if char == b".":
            rest = _after_dot(path[at + 1 :], may_pipe=not hashed)
            break
        if char == b"#":
            hashed = True
            if at == 0 and path[1:2] == b".":
                each = path[2:]
            elif at == 0 and path[1:2] in (b"[", b"("):
                query, end = _query(path)
                if end < 0:
                    at = len(path)
                    break
                at = end - 1
        at += 1
    part = path[:at]
    index = None if hashed else _index(part)
    return ArrayPart(index, query, part == b"#", each, rest)


def _index(part: bytes) -> int | None:
    """Digits as an unsigned 64-bit number that wraps around, seen as a signed one."""
    if not part or part.strip(b"0123456789"):
        return None
    value = 0
    for start in range(
        0, len(part), 18
    ):  # in slices: Python refuses to read thousands of digits at once
        digits = part[start : start + 18]
        value = (value * 10 ** len(digits) + int(digits)) % 2**64
    return value if value < 2**63 else None


def _query(path: bytes) -> tuple[Query, int]:
    """The query that a path begins with, and its end (-1: none; it then asks for an empty key)."""
    depth = 1
    compare = 0
    escaped = False
    at = 2
    while at < len(path):
        char = path[at]
        if depth == 1 and not compare and char in b"!=<>%":
            compare = at
        elif char == 0x5C:
            at += 1
        elif char in b"[(":
            depth += 1
        elif char in b"])":
            depth -= 1
            if depth == 0:
                break
        elif char == 0x22:
            end = _skip_string(path, at)
            escaped = escaped or b"\\" in path[at:end]
            at = end
        at += 1
    if depth:
        return Query(b"", b"", b"", all=False), -1
    every = path[at + 1 : at + 2] == b"#"
    if not compare:
        return Query(path[2:at].strip(BLANK), b"", b"", every), at + 1
    operator, value = _operator(path[compare:at].strip(BLANK))
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = unescape(value[1:-1]) if escaped else value[1:-1]
    return Query(path[2:compare].strip(BLANK), operator, value, every), at + 1


def _operator(comparison: bytes) -> tuple[bytes, bytes]:
    """`==` is `=`; a `!` alone is no operator and part of a value that nobody looks at."""
    two = comparison[:2]
    if two == b"==":
        return b"=", comparison[2:].strip(BLANK)
    if two in (b"!=", b"!%", b"<=", b">="):
        return two, comparison[2:].strip(BLANK)
    if two[:1] == b"!" and len(two) == 2:
        return b"", comparison
    return two[:1], comparison[1:].strip(BLANK)


def _skip_string(path: bytes, at: int) -> int:
    """The index of the closing quote of the string that opens at `at`."""
    at += 1
    while at < len(path) and path[at] != 0x22:
        at += 2 if path[at] == 0x5C else 1
    return at


@lru_cache(maxsize=1024)
def selectors(path: bytes) -> tuple[tuple[tuple[bytes, bytes], ...], bytes] | None:
    """Of a multipath `[a,b]` or `{"x":a}`: names, paths and what follows; None: it never ends."""
    found: list[tuple[bytes, bytes]] = []
    depth = 1
    start = 1
    colon = modifier = 0
    at = 1
    while at < len(path):
        char = path[at]
        if char == 0x5C:
            at += 1
        elif char == 0x40:
            if path[at - 1] in b".|":
                modifier = at
        elif char == 0x3A:
            if not (modifier or colon) and depth == 1:
                colon = at
        elif char == 0x22:
            at = _skip_string(path, at)
        elif char in _OPENERS:
            depth += 1
        elif char in _CLOSERS:
            depth -= 1
        if (char == 0x2C and depth == 1) or depth == 0:
            name = path[start:colon] if colon else b""
            found.append((name, path[colon + 1 if colon else start : at]))
            if depth == 0:
                return tuple(found), path[at + 1 :]
            colon = modifier = 0
            start = at + 1
        at += 1
    return None


@lru_cache(maxsize=1024)
def split_pipe(path: bytes) -> tuple[bytes, bytes] | None:
    """The sides of the first pipe that is neither in a query after a dot nor in a leading `{}`."""
    if b"|" not in path:
        return None
    if path[:1] == b"{":
        end = _closing(path, 1)
        return (path[:end], path[end + 1 :]) if path[end : end + 1] == b"|" else None
    at = 0
    while at < len(path):
        char = path[at : at + 1]
        if char == b"\\":
            at += 1
        elif char == b"|":
            return path[:at], path[at + 1 :]
        elif char == b"." and path[at + 1 : at + 2] == b"#":
            at += 2
            if path[at : at + 1] in (b"[", b"("):
                at = _skip_selector(path, at)
        elif char == b"." and at == len(path) - 1:
            return None
        at += 1
    return None


def _skip_selector(path: bytes, at: int) -> int:
    """The index of the bracket that closes the one at `at`; only brackets of its own kind count."""
    opener = path[at]
    closer = 0x5D if opener == 0x5B else 0x29
    depth = 1
    at += 1
    while at < len(path):
        char = path[at]
        if char == 0x5C:
            at += 1
        elif char == opener:
            depth += 1
        elif char == closer:
            depth -= 1
            if depth == 0:
                return at
        elif char == 0x22:
            at = _skip_string(path, at)
        at += 1
    return at


def _closing(path: bytes, at: int) -> int:
    """Where the bracket or string at `at` ends."""
    if path[at : at + 1] != b'"':
        return skip_container(path, at)
    string = STRING.match(path, at)
    return len(path) if string is None else string.end()
