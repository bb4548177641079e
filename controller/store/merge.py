"""Patches as functions of plain JSON: merge patch (RFC 7396) and Kubernetes' strategic one.

kubectl sends the strategic form for the types that are compiled into it, here Secret, ConfigMap,
ServiceAccount and the like. Those have few lists that merge by a key; the table names them, and
every other list is replaced whole, as a cluster does where its schema says nothing.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.store.errors import bad_request
from controller.store.refs import Json

# List -> the key by which its items merge; None for a list of plain values that is a set.
_MERGE_KEYS: Mapping[str, str | None] = {
    "finalizers": None,
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "secrets": "name",
}
_canonical = msgspec.json.Encoder(order="deterministic").encode

_ORDER = "$setElementOrder/"
_GONE = object()
_DELETE_PLAIN = "$deleteFromPrimitiveList/"


def merge(live: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged: Json = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic_merge(live: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged: Json = dict(live) if isinstance(live, dict) else {}
    if "$retainKeys" in patch:
        kept = _listed(patch, "$retainKeys")
        merged = {key: value for key, value in merged.items() if key in kept}
    for key, value in patch.items():
        if key.startswith(_DELETE_PLAIN):
            name = key.removeprefix(_DELETE_PLAIN)
            dropped = {_key(item) for item in _listed(patch, key)}
            merged[name] = [item for item in _items(merged, name) if _key(item) not in dropped]
        elif key.startswith("$"):
            continue
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, list) and key in _MERGE_KEYS:
            merged[key] = _merge_list(_items(merged, key), value, _MERGE_KEYS[key])
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    for key in patch:
        name = key.removeprefix(_ORDER)
        if name != key and name in _MERGE_KEYS and _items(merged, name):
            merged[name] = _ordered(merged[name], _listed(patch, key), _MERGE_KEYS[name])
    return merged


def _listed(patch: Json, key: str) -> list[Any]:
    if not isinstance(patch[key], list):
        raise bad_request(f"{key} in a patch must be a list")
    return list(patch[key])


def _items(live: Json, key: str) -> list[Any]:
    found = live.get(key)
    return found if isinstance(found, list) else []


def _merge_list(live: list[Any], patch: list[Any], merge_key: str | None) -> list[Any]:
    """In one pass over each: such a list may have a hundred thousand items."""
    if merge_key is None:
        there = {_key(item) for item in live}
        return [*live, *(item for item in patch if _key(item) not in there)]
    if {"$patch": "replace"} in patch:
        return [item for item in patch if item != {"$patch": "replace"}]
    merged: list[Any] = list(live)
    place = {_key(_name(item, merge_key)): at for at, item in reversed([*enumerate(live)])}
    for item in patch:
        if not isinstance(item, dict):
            raise bad_request(f"an item of a list that merges by {merge_key!r} must be an object")
        name = _key(_name(item, merge_key))
        at = place.get(name)
        if item.get("$patch") == "delete":
            if at is not None:
                merged[place.pop(name)] = _GONE
        elif at is not None:
            merged[at] = strategic_merge(merged[at], item)
        else:
            place[name] = len(merged)
            merged.append(item)
    return [item for item in merged if item is not _GONE]


def _ordered(items: list[Any], order: list[Any], merge_key: str | None) -> list[Any]:
    """As the patch's author has them; what is not his comes last."""
    names = [_key(_name(item, merge_key)) for item in order]
    rank = {name: at for at, name in reversed([*enumerate(names)])}
    return sorted(items, key=lambda item: rank.get(_key(_name(item, merge_key)), len(names)))


def _name(item: Any, merge_key: str | None) -> Any:
    return item if merge_key is None else item.get(merge_key) if isinstance(item, dict) else None


def _key(value: Any) -> bytes:
    """Equal for equal values, and hashable whatever they are."""
    return _canonical(value)
