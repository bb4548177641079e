"""The tree of a compiled CEL expression: read from the library's serialized form, and written back.

The library shows no tree, but it serializes one (`cel.expr.CheckedExpr`, a protobuf message) and
reads it again. So the names in it can be found and replaced, without a second parser of the
language. What is not of interest stays as bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_DEPTH: Final = 100  # the library's parser stops far earlier, but for chains like a.b.c.d
_VARINT, _BYTES = 0, 2
Field = tuple[int, int, int | bytes]  # number, wire type, value


@dataclass(slots=True)
class Node:
    """One node. `kind` says which of the rest it has:

    constant: `value` (str, int, float, bool, None, bytes)
    ident: `name` · select: `name` is the field, `parts` the operand; `tests` in has()
    call: `name`, `parts` (of a method the receiver first, then `method`)
    list, struct: `parts` (of a struct keys and values in turn; `name` of a message)
    loop: `parts` are range, start, condition, step, result; `name` the variable, `total` the other
    """

    identity: int
    kind: str
    name: str = ""
    parts: "list[Node]" = field(default_factory=list)
    value: object = None
    tests: bool = False
    method: bool = False
    total: str = ""
    raw: bytes = b""  # of a constant

    def nodes(self) -> "Iterator[Node]":
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.parts)


class TooDeep(Exception):
    pass


@dataclass(slots=True)
class Tree:
    """A whole expression: its root, and what else the message holds."""

    root: Node
    places: dict[int, int]  # of nodes, as offsets into the text
    _kind: bytes
    _rest: list[Field]

    @classmethod
    def read(cls, serialized: bytes) -> "Tree":
        """Raises TooDeep."""
        packed = {number: value for number, _, value in _fields(serialized)}
        kind, message = _bytes(packed[1]), _bytes(packed[2])
        rest = [each for each in _fields(message) if each[0] in (_REFERENCES, _TYPES)]
        root = next(_bytes(value) for number, _, value in _fields(message) if number == _EXPR)
        source = next((_bytes(v) for number, _, v in _fields(message) if number == _SOURCE), b"")
        places = dict(_place(value) for number, _, value in _fields(source) if number == 4)
        return cls(_read(root, 0), places, kind, rest)

    def write(self, replaced: set[int]) -> bytes:
        """The expression as it is now. What was known of replaced nodes no longer holds."""
        kept = [
            each
            for each in self._rest
            if next((_int(v) for n, _, v in _fields(_bytes(each[2])) if n == 1), 0) not in replaced
        ]
        message = b"".join(_field(number, _bytes(value)) for number, _, value in kept)
        message += _field(_EXPR, _write(self.root))
        return _field(1, self._kind) + _field(2, message)


def _place(entry: int | bytes) -> tuple[int, int]:
    found = {number: _int(value) for number, _, value in _fields(_bytes(entry))}
    return found.get(1, 0), found.get(2, 0)


_REFERENCES, _TYPES, _EXPR, _SOURCE = 2, 3, 4, 5
_KINDS: Final = {
    3: "constant",
    4: "ident",
    5: "select",
    6: "call",
    7: "list",
    8: "struct",
    9: "loop",
}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}


def _read(data: bytes, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise TooDeep
    node = Node(0, "constant")
    for number, _, value in _fields(data):
        if number == 2:
            node.identity = _int(value)
        elif number in _KINDS:
            node.kind = _KINDS[number]
            _read_kind(node, _bytes(value), depth + 1)
    return node


def _read_kind(node: Node, data: bytes, depth: int) -> None:
    if node.kind == "constant":
        node.raw = data
        for number, _, value in _fields(data):
            node.value = _constant(number, value)
        return
    for number, _, value in _fields(data):
        match node.kind, number:
            case "ident", 1:
                node.name = _bytes(value).decode()
            case "select", 1:
                node.parts.append(_read(_bytes(value), depth))
            case "select", 2:
                node.name = _bytes(value).decode()
            case "select", 3:
                node.tests = bool(value)
            case "call", 1:
                node.method = True
                node.parts.insert(0, _read(_bytes(value), depth))
            case "call", 2:
                node.name = _bytes(value).decode()
            case "call", 3:
                node.parts.append(_read(_bytes(value), depth))
            case "list", 1:
                node.parts.append(_read(_bytes(value), depth))
            case "struct", 1:
                node.name = _bytes(value).decode()
            case "struct", 2:
                entry = {n: _bytes(v) for n, _, v in _fields(_bytes(value)) if n in (3, 4)}
                node.parts += [_read(entry.get(key, b""), depth) for key in (3, 4)]
            case "loop", 1:
                node.name = _bytes(value).decode()
            case "loop", 3:
                node.total = _bytes(value).decode()
            case "loop", 2 | 4 | 5 | 6 | 7:
                node.parts.append(_read(_bytes(value), depth))
            case _:
                pass


def _constant(number: int, value: int | bytes) -> object:
    match number:
        case 1:
            return None
        case 2:
            return bool(value)
        case 3:
            return _int(value) - (1 << 64 if _int(value) >= 1 << 63 else 0)
        case 6:
            return _bytes(value).decode()
        case 7:
            return _bytes(value)
    return _Other()


class _Other:
    """A constant that names no path: an unsigned number, a double."""


def _write(node: Node) -> bytes:
    if node.kind == "constant":
        body = node.raw
    elif node.kind == "ident":
        body = _field(1, node.name.encode())
    elif node.kind == "select":
        body = _field(1, _write(node.parts[0])) + _field(2, node.name.encode())
        body += _number(3, 1) if node.tests else b""
    elif node.kind == "call":
        parts = [_write(part) for part in node.parts]
        body = _field(1, parts.pop(0)) if node.method else b""
        body += _field(2, node.name.encode()) + b"".join(_field(3, part) for part in parts)
    elif node.kind == "list":
        body = b"".join(_field(1, _write(part)) for part in node.parts)
    elif node.kind == "struct":
        pairs = zip(node.parts[::2], node.parts[1::2], strict=True)
        body = b"".join(
            _field(2, _number(1, key.identity) + _field(3, _write(key)) + _field(4, _write(value)))
            for key, value in pairs
        )
    else:
        parts = [_write(part) for part in node.parts]
        body = _field(1, node.name.encode()) + _field(2, parts[0])
        body += _field(3, node.total.encode())
        body += b"".join(_field(number, part) for number, part in enumerate(parts[1:], 4))
    return _number(2, node.identity) + _field(_NUMBERS[node.kind], body)


def _fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(data, at)
        else:
            size = 8
            if kind == _BYTES:
                size, at = _varint(data, at)
            value = data[at : at + size]
            at += size
        yield tag >> 3, kind, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _number(number: int, value: int) -> bytes:
    return _encoded(number << 3) + _encoded(value)


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _int(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value
