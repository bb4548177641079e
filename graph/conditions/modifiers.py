"""GJSON's modifiers: `@name` or `@name:argument` makes one text of another.

They take any text and never fail; most pass through what they do not fit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from graph.conditions.compare import truth
from graph.conditions.scan import (
    BLANK,
    STRING,
    Kind,
    kind,
    leaves,
    members,
    skip_container,
    string_content,
    whole,
)
from graph.conditions.write import plain_number, pretty, quoted, without_blanks
from graph.grammar import nesting


class Searching(Protocol):
    """What a modifier may ask of the search that applies it."""

    def get(self, text: bytes, path: bytes) -> bytes: ...
    def spend(self, cost: int) -> None: ...


Apply = Callable[[bytes, bytes, Searching], bytes]


@dataclass(frozen=True, slots=True)
class Modifier:
    """A call: what to apply, with which argument, and the path behind it."""

    apply: Apply
    argument: bytes
    rest: bytes


@lru_cache(maxsize=1024)
def modifier_call(path: bytes) -> Modifier | None:
    """The call at the head of a path that begins with `@`; None for a name that nobody knows."""
    end = next((at for at, char in enumerate(path) if char in b":|."), len(path))
    apply = _MODIFIERS.get(path[1:end])
    if apply is None:
        return None
    if path[end : end + 1] != b":":
        return Modifier(apply, b"", path[end:])
    start = end + 1
    end = _argument_end(path, start)
    return Modifier(apply, path[start:end], path[end:])


def _argument_end(path: bytes, at: int) -> int:
    """A JSON argument ends where it closes; another one at a pipe outside of brackets."""
    if path[at : at + 1] in (b"{", b"[", b'"'):
        return _group_end(path, at)
    while at < len(path) and path[at : at + 1] != b"|":
        at = _group_end(path, at) if path[at] in b'{["(' else at + 1
    return at


def _group_end(path: bytes, at: int) -> int:
    if path[at : at + 1] != b'"':
        return skip_container(path, at)
    string = STRING.match(path, at)
    return len(path) if string is None else string.end()


def _option(argument: bytes, name: bytes) -> bytes:
    """The last member of that name of an argument; empty without one."""
    value = b""
    for key, candidate in members(whole(argument)):
        if string_content(key) == name:
            value = candidate
    return value


def _this(text: bytes, argument: bytes, search: Searching) -> bytes:
    return text


def _valid(text: bytes, argument: bytes, search: Searching) -> bytes:
    return b"" if nesting(text) is None else text


def _reverse(text: bytes, argument: bytes, search: Searching) -> bytes:
    value = whole(text)
    if kind(value) is not Kind.JSON:
        return text
    return _container(value[:1], reversed(list(members(value))))


def _container(bracket: bytes, fields: "Iterator[tuple[bytes, bytes]]") -> bytes:
    if bracket == b"[":
        return _array(value for _, value in fields)
    return b"{" + b",".join(key + b":" + value for key, value in fields) + b"}"


def _array(values: "Iterator[bytes]") -> bytes:
    return b"[" + b",".join(values) + b"]"


def _keys(text: bytes, argument: bytes, search: Searching) -> bytes:
    return _array(key or b"null" for key, _ in members(whole(text)))


def _values(text: bytes, argument: bytes, search: Searching) -> bytes:
    value = whole(text)
    return text if value[:1] == b"[" else _array(item for _, item in members(value))


def _flatten(text: bytes, argument: bytes, search: Searching) -> bytes:
    value = whole(text)
    if value[:1] != b"[":
        return text
    return _array(leaves(value) if truth(_option(argument, b"deep")) else _one_level(value))


def _one_level(array: bytes) -> Iterator[bytes]:
    """Elements, with those of an inner array in its place."""
    for _, element in members(array):
        inner = _unwrapped(element).strip() if element[:1] == b"[" else element
        if inner:
            yield inner


def _unwrapped(raw: bytes) -> bytes:
    raw = raw.strip(BLANK)
    return raw[1:-1] if len(raw) >= 2 and raw[:1] in (b"[", b"{") else raw


def _join(text: bytes, argument: bytes, search: Searching) -> bytes:
    value = whole(text)
    if value[:1] != b"[":
        return text
    objects = [element for _, element in members(value) if element[:1] == b"{"]
    if truth(_option(argument, b"preserve")):
        return b"{" + b",".join(map(_unwrapped, objects)) + b"}"
    fields: dict[
        bytes, tuple[bytes, bytes]
    ] = {}  # by name: the first spelling of the key, the last value
    for element in objects:
        for key, item in members(element):
            name = string_content(key)
            fields[name] = (fields.get(name, (key, b""))[0], item)
    return _container(b"{", iter(fields.values()))


def _to_string(text: bytes, argument: bytes, search: Searching) -> bytes:
    return quoted(text)


def _from_string(text: bytes, argument: bytes, search: Searching) -> bytes:
    if nesting(text) is None:
        return b""
    value = whole(text)
    match kind(value):
        case Kind.STRING:
            return string_content(value)
        case Kind.NULL:
            return b""
        case Kind.NUMBER:
            return plain_number(value)
        case _:
            return value


def _group(text: bytes, argument: bytes, search: Searching) -> bytes:
    value = whole(text)
    if value[:1] != b"{":
        return b""
    rows: list[list[tuple[bytes, bytes]]] = []
    for key, column in members(value):
        if column[:1] == b"[":
            for index, (_, item) in enumerate(members(column)):
                if index == len(rows):
                    rows.append([])
                rows[index].append((key, item))
    return _array(_container(b"{", iter(row)) for row in rows)


def _dig(text: bytes, argument: bytes, search: Searching) -> bytes:
    """The path's value in every value at any depth, outermost first."""
    found = []
    waiting = [whole(text)]
    while waiting:
        value = waiting.pop()
        search.spend(2 * len(value))  # to find its members, beside what is searched in it
        result = search.get(value, argument)
        if result:
            found.append(result)
        if value[:1] in (b"{", b"["):
            waiting.extend(reversed([item for _, item in members(value)]))
    return _array(iter(found))


def _ugly(text: bytes, argument: bytes, search: Searching) -> bytes:
    return without_blanks(text)


def _pretty(text: bytes, argument: bytes, search: Searching) -> bytes:
    return pretty(text)


_MODIFIERS: Final[dict[bytes, Apply]] = {
    b"pretty": _pretty,
    b"ugly": _ugly,
    b"reverse": _reverse,
    b"this": _this,
    b"flatten": _flatten,
    b"join": _join,
    b"valid": _valid,
    b"keys": _keys,
    b"values": _values,
    b"tostr": _to_string,
    b"fromstr": _from_string,
    b"group": _group,
    b"dig": _dig,
}
