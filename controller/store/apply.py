"""Server-side apply: each party says what it wants, and owns what it said.

What a party no longer says is removed, unless somebody else says it too; saying something else than
another party is a conflict, unless it is forced. A field is a path of keys: lists and scalars are
whole, as in a schema without list types. Ownership stands in `metadata.managedFields`, in
Kubernetes' form; only those who apply are in it. Pure functions on plain JSON.
"""

from collections.abc import Iterator, Set
from typing import Any

from controller.store.errors import Cause, bad_request, conflict
from controller.store.refs import Json, Ref

Field = tuple[str, ...]

_OPERATION = "Apply"
_NOT_OWNED = frozenset(
    {
        ("apiVersion",),
        ("kind",),
        ("metadata", "name"),
        ("metadata", "namespace"),
        ("metadata", "uid"),
        ("metadata", "resourceVersion"),
        ("metadata", "creationTimestamp"),
        ("metadata", "generation"),
        ("metadata", "deletionTimestamp"),
    }
)


def apply(ref: Ref, live: Json, wanted: Json, *, manager: str, force: bool, now: str) -> Json:
    """The live object with what this manager wants; raises a Conflict.

    For a new object `live` is one without content.
    """
    metadata = wanted.get("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("managedFields"):
        raise bad_request("metadata must be an object, and metadata.managedFields must be nil")
    entries = list(live["metadata"].get("managedFields") or ())
    owned = {_manager(entry): _fields(entry) for entry in entries}
    mine = {path for path, _ in _leaves(wanted)} - _NOT_OWNED
    merged: Json = _merged(live, wanted)
    others = {name: fields for name, fields in owned.items() if name != manager}
    taken = {name: _changed(fields, live, merged) for name, fields in others.items()}
    if not force:
        _refuse(ref, taken)
    kept = {name: fields - taken[name] for name, fields in others.items()}
    elsewhere = mine.union(*kept.values())
    above = {path[:length] for path in elsewhere for length in range(1, len(path) + 1)}
    copied: set[Field] = set()
    for path in sorted(owned.get(manager, set()) - mine - above, key=len, reverse=True):
        _remove(merged, path, elsewhere, copied)
    after = kept | {manager: mine}
    merged["metadata"]["managedFields"] = [*_entries(entries, owned, after, now)]
    return merged


def _merged(live: Any, wanted: Any) -> Any:
    if not isinstance(wanted, dict):
        return wanted
    merged: Json = dict(live) if isinstance(live, dict) else {}
    for key, value in wanted.items():
        if value is not None:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _changed(fields: set[Field], live: Json, merged: Json) -> set[Field]:
    return {path for path in fields if _at(live, path) != _at(merged, path)}


def _refuse(ref: Ref, taken: dict[str, set[Field]]) -> None:
    causes = [
        Cause("." + ".".join(path), f'conflict with "{name}"', "FieldManagerConflict")
        for name, fields in taken.items()
        for path in sorted(fields)
    ]
    if causes:
        told = ", ".join(f"{cause.field} {cause.message}" for cause in causes)
        raise conflict(ref, f"Apply failed with {len(causes)} conflict(s): {told}", causes)


def _leaves(value: Any, path: Field = ()) -> Iterator[tuple[Field, Any]]:
    """An empty object is a leaf: `sklearn: {}` says something."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif value is not None and path:
        yield path, value


def _at(value: Any, path: Field) -> Any:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    # Who said `{}` said that it is there; what others put into it is theirs.
    return {} if isinstance(value, dict) else value


def _remove(value: Json, path: Field, said: Set[Field], copied: set[Field]) -> None:
    """With the objects above it that hold nothing else, if nobody said them.

    What is changed on the way is copied, once: the rest is shared with the live object.
    """
    above = [value]
    for depth, key in enumerate(path[:-1], 1):
        inner = above[-1].get(key)
        if not isinstance(inner, dict):
            return
        if path[:depth] not in copied:
            above[-1][key] = dict(inner)
            copied.add(path[:depth])
        above.append(above[-1][key])
    last = above[-1].get(path[-1])
    if isinstance(last, dict) and last:  # he said `{}`; what is in there now is others'
        return
    above[-1].pop(path[-1], None)
    for depth in range(len(path) - 1, 0, -1):
        if above[depth] or path[:depth] in said or depth == 1:  # `spec` and `metadata` stay
            return
        del above[depth - 1][path[depth - 1]]


def _manager(entry: Json) -> str:
    return str(entry.get("manager", ""))


def _fields(entry: Json) -> set[Field]:
    return {
        tuple(key.removeprefix("f:") for key in path)
        for path, _ in _leaves(entry.get("fieldsV1") or {})
    }


def _entries(
    entries: list[Json], before: dict[str, set[Field]], after: dict[str, set[Field]], now: str
) -> Iterator[Json]:
    """An entry whose fields are as before keeps its time: applying twice changes nothing."""
    old = {_manager(entry): entry for entry in entries}
    for name, fields in after.items():
        if not fields:
            continue
        if before.get(name) == fields:
            yield old[name]
            continue
        tree: Json = {}
        for path in sorted(fields):
            branch = tree
            for key in path:
                branch = branch.setdefault(f"f:{key}", {})
        yield {
            "manager": name,
            "operation": _OPERATION,
            "apiVersion": "v1",
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": tree,
        }
