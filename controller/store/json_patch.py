"""JSON Patch (RFC 6902): a list of operations at places that JSON Pointers name.

What a small patch can make is bounded: `copy` could double an object with each operation, and
`add` could nest without end. Every fault says which operation it is. Plain JSON, no knowledge of
kinds.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from controller.store.errors import ApiError, bad_request
from controller.store.refs import Json
from graph.grammar import nesting

MAX_OPERATIONS = 10_000  # as the API server of a cluster
MAX_DEPTH = 200  # as bodies
MAX_COPIED_BYTES = 3 * 1024 * 1024  # by all operations together; as large as a body

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def json_patch(live: Json, operations: list[Any]) -> Any:
    """Raises BadRequest for what is no patch, Invalid for one that does not fit the object."""
    if len(operations) > MAX_OPERATIONS:
        raise bad_request(f"a JSON patch has at most {MAX_OPERATIONS} operations")
    work = _Work(_decode(_encode(live)))
    for number, operation in enumerate(operations):
        try:
            work.take(operation)
        except _Misfit as misfit:
            raise ApiError(422, "Invalid", f"operation {number} of the patch: {misfit}") from None
        except _Malformed as fault:
            raise bad_request(f"operation {number} of the patch: {fault}") from None
    return work.whole


class _Misfit(Exception):
    """It is an operation, but not for this object."""


class _Malformed(Exception):
    """It is no operation."""


class _Work:
    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self._copied_bytes = 0

    def take(self, operation: Any) -> None:
        if not isinstance(operation, dict):
            raise _Malformed("it must be an object")
        name, path = operation.get("op"), _pointer(operation, "path")
        carry = _OPERATIONS.get(name) if isinstance(name, str) else None
        if carry is None:
            raise _Malformed(f"op must be one of {', '.join(_OPERATIONS)}")
        carry(self, operation, path)

    def add(self, operation: Json, path: list[str]) -> None:
        self._put(path, _value(operation))

    def remove(self, _: Json, path: list[str]) -> None:
        self._pop(path)

    def replace(self, operation: Json, path: list[str]) -> None:
        value = _value(operation)
        if path:
            outer = self._at(path[:-1])
            outer[_member(outer, path[-1])] = value
        else:
            self.whole = value

    def move(self, operation: Json, path: list[str]) -> None:
        source = _pointer(operation, "from")
        if path[: len(source)] == source and path != source:
            raise _Malformed("nothing can be moved into itself")
        value = self._copy(source)
        self._pop(source)
        self._put(path, value)

    def copy(self, operation: Json, path: list[str]) -> None:
        self._put(path, self._copy(_pointer(operation, "from")))

    def test(self, operation: Json, path: list[str]) -> None:
        if self._at(path) != _value(operation):
            raise _Misfit(f"{operation['path']!r} is not what it should be")

    def _at(self, path: list[str]) -> Any:
        found = self.whole
        for key in path:
            found = found[_member(found, key)]
        return found

    def _put(self, path: list[str], value: Any) -> None:
        if not path:
            self.whole = value
            return
        outer, key = self._at(path[:-1]), path[-1]
        if isinstance(outer, list):
            outer.insert(len(outer) if key == "-" else _index(key, len(outer) + 1), value)
        elif isinstance(outer, dict):
            outer[key] = value
        else:
            raise _Misfit(f"{path[-2] if path[1:] else 'the whole'} has no members")

    def _pop(self, path: list[str]) -> None:
        if not path:
            raise _Misfit("the whole object cannot be taken away")
        outer = self._at(path[:-1])
        del outer[_member(outer, path[-1])]

    def _copy(self, path: list[str]) -> Any:
        body = _encode(self._at(path))
        self._copied_bytes += len(body)
        if self._copied_bytes > MAX_COPIED_BYTES or (nesting(body) or 0) > MAX_DEPTH:
            raise _Malformed(f"more than {MAX_COPIED_BYTES} bytes or {MAX_DEPTH} levels copied")
        return _decode(body)


_OPERATIONS: Mapping[str, Callable[[_Work, Json, list[str]], None]] = {
    "add": _Work.add,
    "remove": _Work.remove,
    "replace": _Work.replace,
    "move": _Work.move,
    "copy": _Work.copy,
    "test": _Work.test,
}


def _pointer(operation: Json, name: str) -> list[str]:
    text = operation.get(name)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _Malformed(f"{name} must be a JSON pointer, as in /metadata/labels/app")
    keys = [key.replace("~1", "/").replace("~0", "~") for key in text.split("/")[1:]]
    if len(keys) > MAX_DEPTH:
        raise _Malformed(f"{name} is more than {MAX_DEPTH} levels deep")
    return keys


def _value(operation: Json) -> Any:
    if "value" not in operation:
        raise _Malformed("it needs a value")
    return operation["value"]


def _member(outer: Any, key: str) -> Any:
    """The key or the index, of something that is there."""
    if isinstance(outer, list):
        return _index(key, len(outer))
    if not isinstance(outer, dict) or key not in outer:
        raise _Misfit(f"there is no {key!r}")
    return key


def _index(key: str, size: int) -> int:
    fits = key.isascii() and key.isdecimal() and len(key) < 10 and (key == "0" or key[0] != "0")
    if not fits or int(key) >= size:
        raise _Misfit(f"there is no item {key!r}")
    return int(key)
