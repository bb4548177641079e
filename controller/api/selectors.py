"""`labelSelector` and `fieldSelector` -> a function that says which objects are meant.

The grammar is Kubernetes'. Which fields can be asked for is a closed list for each kind, as there:
a field that is silently never equal would make `kubectl wait` wait for nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from controller.resources.kinds import Kind
from controller.store.errors import bad_request
from controller.store.refs import Json, resource_name

Matches = Callable[[Json], bool]

_FIELDS = ("metadata.name", "metadata.namespace")
_MORE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "events": (
        *(f"involvedObject.{key}" for key in ("kind", "namespace", "name", "uid", "apiVersion")),
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "pods": ("spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
}
_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")
_KEY = r"(?P<key>[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_SET = re.compile(rf"{_KEY}\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(rf"{_KEY}\s*(?P<sign>==|=|!=)\s*(?P<value>[-A-Za-z0-9_.]*)")
_PRESENT = re.compile(rf"(?P<no>!?)\s*{_KEY}")


def selector(kind: Kind, labels: str, fields: str) -> Matches | None:
    """None if everything is meant; raises BadRequest."""
    tests = [*map(_label_test, _terms(labels)), *(_field_test(kind, t) for t in _terms(fields))]
    if not tests:
        return None
    return lambda resource: all(test(resource) for test in tests)


def _terms(text: str) -> list[str]:
    return [term.strip() for term in _OUTSIDE_BRACKETS.split(text)] if text.strip() else []


def _label_test(term: str) -> Matches:
    if found := _SET.fullmatch(term):
        key, inside = found["key"], found["word"] == "in"
        values = {value.strip() for value in found["values"].split(",")}
        # As in Kubernetes, what has no such label is not in the set.
        return lambda resource: (_labels(resource).get(key) in values) is inside
    if found := _EQUAL.fullmatch(term):
        key, value, same = found["key"], found["value"], found["sign"] != "!="
        return lambda resource: (_labels(resource).get(key) == value) is same
    if found := _PRESENT.fullmatch(term):
        key, wanted = found["key"], not found["no"]
        return lambda resource: (key in _labels(resource)) is wanted
    raise bad_request(f"unable to parse the label selector at {term!r}; write as `app=a,!test`")


def _field_test(kind: Kind, term: str) -> Matches:
    field, sign, value = re.match(r"([^=!]*)(==|=|!=|)(.*)", term, re.DOTALL).groups()  # type: ignore[union-attr]
    if not sign:
        raise bad_request(f"unable to parse the field selector at {term!r}; write `field=value`")
    known = (*_FIELDS, *(_MORE_FIELDS.get(kind.plural, ()) if not kind.group else ()))
    if field not in known:
        listed = ", ".join(known)
        raise bad_request(
            f"{resource_name(kind)} have no field selector {field!r}; there are {listed}"
        )
    path, same = field.split("."), sign != "!="
    if field == "source":
        path = ["source", "component"]
    return lambda resource: (_text(resource, path) == value) is same


def _labels(resource: Json) -> Mapping[str, str]:
    return resource["metadata"].get("labels") or {}


def _text(value: Any, path: list[str]) -> str:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)
