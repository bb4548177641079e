"""A container's variables with their values found: of its pod, its limits, Secrets, ConfigMaps.

Pure: what Secrets and ConfigMaps hold comes from a lookup that is passed in. `$(VAR)` is filled in
only when the process starts, and only in what a manifest says itself; what was found elsewhere is
text to the letter.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from controller.local.quantities import amount
from controller.resources.codes import Code
from controller.resources.core import Container, EnvVar
from graph.problems import Path, Problem

Kind = Literal["Secret", "ConfigMap"]
# (kind, name) -> its keys, decoded; None if there is none of that name in the namespace
Lookup = Callable[[Kind, str], Mapping[str, str] | None]

LOOPBACK = "127.0.0.1"
_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_LETTER_OR_LINE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def nothing(_kind: Kind, _name: str) -> None:
    """The lookup where there are neither Secrets nor ConfigMaps."""


@dataclass(frozen=True, slots=True)
class PodFields:
    """What a container may ask of the pod that it would be in."""

    name: str
    namespace: str
    uid: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    service_account: str = "default"
    node: str = "localhost"


def variables(
    container: Container, pod: PodFields, lookup: Lookup, path: Path
) -> tuple[tuple[tuple[str, str], ...], list[Problem]]:
    """In their order; a name may come twice, and the last one wins."""
    found: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for index, source in enumerate(container.env_from):
        kind: Kind = "Secret" if source.secret_ref is not None else "ConfigMap"
        reference = source.secret_ref or source.config_map_ref
        if reference is not None:
            values = lookup(kind, reference.name or "")
            if values is None and not reference.optional:
                message = f"there is no {kind} {reference.name}; apply it, or say optional: true"
                problems.append(Code.NOT_RUNNABLE_HERE.at((*path, "envFrom", index), message))
            found += [
                (f"{source.prefix or ''}{key}", _literal(value))
                for key, value in (values or {}).items()
                if _LETTER_OR_LINE.fullmatch(key)  # Kubernetes leaves the others out, too
            ]
    for index, item in enumerate(container.env):
        value = _value(item, container, pod, lookup)
        if isinstance(value, _Fault):
            where = (*path, "env", index)
            problems.append(Code.NOT_RUNNABLE_HERE.at(where, f"{item.name}: {value.message}"))
        elif value is not None:
            found.append((item.name, value))
    return tuple(found), problems


@dataclass(frozen=True, slots=True)
class _Fault:
    message: str


def _value(
    item: EnvVar, container: Container, pod: PodFields, lookup: Lookup
) -> str | _Fault | None:
    """None: optional, and not there."""
    source = item.value_from
    if source is None:
        return item.value or ""
    if (key := source.secret_key_ref) is not None:
        return _of_key("Secret", key.name or "", key.key, key.optional, lookup)
    if (entry := source.config_map_key_ref) is not None:
        return _of_key("ConfigMap", entry.name or "", entry.key, entry.optional, lookup)
    if source.field_ref is not None:
        return _of_pod(source.field_ref.field_path, pod)
    if (wanted := source.resource_field_ref) is not None:
        return _of_resources(wanted.resource, wanted.divisor, container)
    return _Fault("fileKeyRef is not read on this machine; use a Secret or a ConfigMap")


def _of_key(
    kind: Kind,
    name: str,
    key: str,
    optional: bool | None,
    lookup: Lookup,
) -> str | _Fault | None:
    values = lookup(kind, name)
    if values is not None and key in values:
        return _literal(values[key])
    if optional:
        return None
    missing = f"there is no {kind} {name}" if values is None else f"{kind} {name} has no key {key}"
    return _Fault(f"{missing}; apply it, or say optional: true")


def _of_pod(path: str, pod: PodFields) -> str | _Fault:
    if keyed := _KEYED.fullmatch(path):
        values = pod.labels if keyed[1] == "labels" else pod.annotations
        return _literal(values.get(keyed[2], ""))
    known = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": pod.node,
        "spec.serviceAccountName": pod.service_account,
        **dict.fromkeys(("status.hostIP", "status.podIP"), LOOPBACK),
        **dict.fromkeys(("status.hostIPs", "status.podIPs"), LOOPBACK),
    }
    if path in known:
        return _literal(known[path])
    return _Fault(f"no field {path} can be read; there are {', '.join(known)}")


def _of_resources(resource: str, divisor: float | str | None, container: Container) -> str | _Fault:
    which, _, name = resource.partition(".")
    given = container.resources
    values = getattr(given, which, {}) if which in ("limits", "requests") else {}
    if name not in values:
        return _Fault(f"the container says no {resource}; add it to its resources")
    unit = amount(divisor) if divisor is not None else 0
    return str(math.ceil(amount(values[name]) / (unit or 1)))


def _literal(text: str) -> str:
    """So that it stays as it is where `$(VAR)` is filled in."""
    return text.replace("$", "$$")
