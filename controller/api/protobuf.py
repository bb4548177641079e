"""The few objects that `kubectl create` sends as protobuf and not as JSON: core/v1 types.

Just their bodies are read; answers are JSON, which kubectl takes as well. The field numbers are
part of Kubernetes' API (generated.proto of core/v1 and meta/v1) and never change. A field that is
not in the tables is refused: dropping it in silence would lose what somebody said.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from controller.store.errors import bad_request
from controller.store.refs import Json

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

_Value = int | bytes
_Read = Callable[[_Value], Any]


class _Many:
    """A field that may come again: a list."""

    def __init__(self, read: _Read) -> None:
        self.read = read


class _Map(_Many):
    """Entries of key and value."""


def decode(body: bytes) -> Json:
    """Raises BadRequest."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is no Kubernetes protobuf")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        said = _message(_TYPE_META)(envelope.get(1, b""))
        layout = _KINDS.get((said.get("apiVersion"), said.get("kind")))
        if layout is None:
            raise bad_request(f"{said.get('kind')} is not read as protobuf; send it as JSON")
        found: Json = said | _message(layout)(envelope.get(2, b""))
        return found
    except (IndexError, UnicodeDecodeError, TypeError) as error:
        raise bad_request("the body is no valid protobuf") from error


def _fields(data: bytes) -> Iterator[tuple[int, _Value]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise IndexError
            yield number, data[at : at + size]
            at += size
        else:
            raise TypeError(wire)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise IndexError


def _raw(value: _Value) -> bytes:
    if isinstance(value, int):
        raise TypeError
    return value


def _text(value: _Value) -> str:
    return _raw(value).decode()


def _message(layout: Mapping[int, tuple[str, Any]]) -> _Read:
    def read(value: _Value) -> Json:
        found: Json = {}
        for number, given in _fields(_raw(value)):
            if number not in layout:
                raise bad_request(f"field {number} is not read as protobuf; send JSON")
            name, how = layout[number]
            if isinstance(how, _Map):
                entry = dict(_fields(_raw(given)))
                found.setdefault(name, {})[_text(entry.get(1, b""))] = how.read(entry.get(2, b""))
            elif isinstance(how, _Many):
                found.setdefault(name, []).append(how.read(given))
            elif (what := how(given)) not in ("", {}):  # Go writes its zero values too
                found[name] = what
        return found

    return read


def _data(value: _Value) -> str:
    return b64encode(_raw(value)).decode()


def _server_side(_: _Value) -> str:
    return ""


_TYPE_META = {1: ("apiVersion", _text), 2: ("kind", _text)}
_METADATA = _message(
    {
        1: ("name", _text),
        2: ("generateName", _text),
        3: ("namespace", _text),
        4: ("selfLink", _text),
        5: ("uid", _text),
        6: ("resourceVersion", _text),
        7: ("generation", _server_side),
        8: ("creationTimestamp", _server_side),
        11: ("labels", _Map(_text)),
        12: ("annotations", _Map(_text)),
        14: ("finalizers", _Many(_text)),
    }
)
_REFERENCE = _message({1: ("kind", _text), 2: ("namespace", _text), 3: ("name", _text)})
_KINDS: Mapping[tuple[Any, Any], Mapping[int, tuple[str, Any]]] = {
    ("v1", "Secret"): {
        1: ("metadata", _METADATA),
        2: ("data", _Map(_data)),
        3: ("type", _text),
        4: ("stringData", _Map(_text)),
        5: ("immutable", bool),
    },
    ("v1", "ConfigMap"): {
        1: ("metadata", _METADATA),
        2: ("data", _Map(_text)),
        3: ("binaryData", _Map(_data)),
        4: ("immutable", bool),
    },
    ("v1", "ServiceAccount"): {
        1: ("metadata", _METADATA),
        2: ("secrets", _Many(_REFERENCE)),
        3: ("imagePullSecrets", _Many(_message({1: ("name", _text)}))),
        4: ("automountServiceAccountToken", bool),
    },
    ("v1", "Namespace"): {
        1: ("metadata", _METADATA),
        2: ("spec", _message({1: ("finalizers", _Many(_text))})),
        3: ("status", _message({1: ("phase", _text)})),
    },
}
