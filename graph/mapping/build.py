"""Expressions that pick and put together are run on bytes, so that what they pick stays as it was:
every digit of a number, the order of keys, escapes. All else is run on values.

`{instances: response.predictions, n: length(request.ids)}` picks the first member and computes the
second.
"""

import json
from abc import ABC, abstractmethod
from typing import Any, Final

import msgspec

from graph.document import Document
from graph.mapping.names import Names
from graph.mapping.scope import Path, Scope, Unusable, called, parsed

Node = dict[str, Any]
NULL: Final = b"null"
_EMPTY: Final = (b"null", b"false", b'""')
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder()


class Builder(ABC):
    """Makes JSON. May raise `Unusable`."""

    __slots__ = ()

    @abstractmethod
    def build(self, scope: Scope) -> bytes: ...


def builder_of(tree: Node, names: Names) -> Builder:
    return _Compiler(names).part(tree)


class Pick(Builder):
    """`response.outputs[0].data`"""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def build(self, scope: Scope) -> bytes:
        found, rest = scope.find(self.path)
        if found is None:
            return NULL
        if isinstance(found, bytes):
            return found if not rest else NULL  # a text or number has no members
        if not found.spliceable:
            raise Unusable(f"{called(self.path)} is not JSON")
        return _member(found, rest, self.path)


class Literal(Builder):
    __slots__ = ("json",)

    def __init__(self, json: bytes) -> None:
        self.json = json

    def build(self, scope: Scope) -> bytes:
        return self.json


class Object(Builder):
    """`{a: x, b: y}`, or null where `given` is."""

    __slots__ = ("given", "parts")

    def __init__(self, given: Pick | None, parts: dict[str, Builder]) -> None:
        self.given = given
        self.parts = [(_encoder.encode(key) + b":", part) for key, part in parts.items()]

    def build(self, scope: Scope) -> bytes:
        if self.given is not None and self.given.build(scope) == NULL:
            return NULL
        return b"{" + b",".join([key + part.build(scope) for key, part in self.parts]) + b"}"


class Array(Builder):
    """`[x, y]`, or null where `given` is."""

    __slots__ = ("given", "parts")

    def __init__(self, given: Pick | None, parts: list[Builder]) -> None:
        self.given = given
        self.parts = parts

    def build(self, scope: Scope) -> bytes:
        if self.given is not None and self.given.build(scope) == NULL:
            return NULL
        return b"[" + b",".join([part.build(scope) for part in self.parts]) + b"]"


class Either(Builder):
    """`x || y`"""

    __slots__ = ("first", "second")

    def __init__(self, first: Builder, second: Builder) -> None:
        self.first = first
        self.second = second

    def build(self, scope: Scope) -> bytes:
        found = self.first.build(scope)
        empty = found in _EMPTY or (found[:1] in (b"[", b"{") and not found[1:-1].strip())
        return self.second.build(scope) if empty else found


class Computed(Builder):
    """Whatever else, by the library."""

    __slots__ = ("_names", "_tree")

    def __init__(self, tree: Any, names: Names) -> None:
        self._tree = tree
        self._names = names

    def build(self, scope: Scope) -> bytes:
        value = scope.value(self._names.roots, self._names.steps)
        try:
            result = scope.interpreter.visit(self._tree, value)
        except Unusable:
            raise
        except Exception as error:  # the library lets TypeError and others out, beside its own
            raise Unusable(" ".join(str(error).split()) or type(error).__name__) from None
        return encoded(result)


class _Compiler:
    def __init__(self, names: Names) -> None:
        self.names = names

    def part(self, node: Node) -> Builder:
        return self._raw(node, ()) or Computed(node, self.names)

    def _raw(self, node: Node, at: Path) -> Builder | None:
        """A builder that works on bytes, for a node that begins at a path; None if there is none.
        At the root, parts of it may be computed.
        """
        children = node["children"]
        match node["type"]:
            case "field" | "index":
                return _pick((*at, node["value"]))
            case "subexpression" | "pipe" | "index_expression":
                for child in children[:-1]:
                    step = self._way(child, at)
                    if step is None:
                        return None
                    at = step
                return self._raw(children[-1], at)
            case "literal":
                return Literal(encoded(node["value"]))
            case "multi_select_dict":
                parts = self._parts([child["children"][0] for child in children], at)
                given = _pick(at) if at else None
                if parts is None or (at and given is None):
                    return None
                keys = [child["value"] for child in children]
                return Object(given, dict(zip(keys, parts, strict=True)))
            case "multi_select_list":
                parts = self._parts(children, at)
                given = _pick(at) if at else None
                return None if parts is None or (at and given is None) else Array(given, parts)
            case "or_expression":
                parts = self._parts(children, at)
                return None if parts is None else Either(*parts)
        return None

    def _parts(self, nodes: list[Node], at: Path) -> list[Builder] | None:
        found = [self._raw(node, at) if at else self.part(node) for node in nodes]
        parts = [part for part in found if part is not None]
        return parts if len(parts) == len(found) else None

    def _way(self, node: Node, at: Path) -> Path | None:
        """The path to which a node leads, if it is no more than that."""
        match node["type"]:
            case "field" | "index":
                return (*at, node["value"])
            case "current" | "identity":
                return at
            case "subexpression" | "pipe" | "index_expression":
                for child in node["children"]:
                    step = self._way(child, at)
                    if step is None:
                        return None
                    at = step
                return at
        return None


def _pick(path: Path) -> Pick | None:
    """None for what is no JSON yet: all headers, all of a step."""
    whole = {"request": 1, "response": 1, "headers": 2, "steps": 3}[str(path[0])]
    return Pick(path) if len(path) >= whole else None


def _member(document: Document, path: Path, whole: Path) -> bytes:
    raw = document.json
    try:
        for part in path:
            raw = raw.strip()
            if isinstance(part, str):
                found = _object.decode(raw).get(part) if raw[:1] == b"{" else None
            else:
                items = _array.decode(raw) if raw[:1] == b"[" else []
                found = items[part] if -len(items) <= part < len(items) else None
            if found is None:
                return NULL
            raw = bytes(found)
    except (msgspec.DecodeError, RecursionError):  # lone surrogates, or too deep for its parser
        return encoded(_reached(parsed(document, called(whole)), path))
    return raw.strip() if not path else raw


def _reached(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(part, str):
            value = value.get(part) if isinstance(value, dict) else None
        else:
            inside = isinstance(value, list) and -len(value) <= part < len(value)
            value = value[part] if inside else None
    return value


def encoded(value: Any) -> bytes:
    """JSON of a value. `Unusable` for what JSON cannot say."""
    try:
        found = _encoder.encode(value)
        if NULL not in found:
            return found
        # Perhaps an infinity, of which msgspec makes null: the standard library tells them apart.
    except (OverflowError, UnicodeEncodeError, TypeError, RecursionError, ValueError):
        pass  # integers over 64 bits, lone surrogates: the standard library is more patient
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise Unusable("the result cannot be written as JSON") from None
