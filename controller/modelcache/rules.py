"""Which caches count on a machine, and which of them keeps the model of a service. Pure.

A machine is a node with one name. The groups of a cluster's nodes say by labels who belongs to
them; labels other than the hostname are a cluster's, and a machine without them belongs everywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.resources.core import NodeSelectorRequirement, NodeSelectorTerm
from controller.resources.defaulting import cache_of
from controller.resources.inferenceservice import FRAMEWORKS
from controller.resources.localmodel import (
    AnyLocalModelCache,
    LocalModelNamespaceCache,
    LocalModelNodeGroup,
)
from controller.stopped import is_stopped
from controller.store.metadata import is_going

Json = dict[str, Any]

_HOSTNAMES = ("kubernetes.io/hostname", "metadata.name")


def node_name(hostname: str) -> str:
    """As an object may be called."""
    return re.sub(r"[^a-z0-9.-]+", "-", hostname.lower()).strip("-.") or "this-machine"


def is_on(group: LocalModelNodeGroup, node: str) -> bool:
    affinity = group.spec.persistent_volume_spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    return any(_holds(term, node) for term in affinity.required.node_selector_terms)


def _holds(term: NodeSelectorTerm, node: str) -> bool:
    asked = (*term.match_expressions, *term.match_fields)
    return all(_meets(one, node) for one in asked if one.key in _HOSTNAMES)


def _meets(one: NodeSelectorRequirement, node: str) -> bool:
    match one.operator:
        case "In":
            return node in map(node_name, one.values)
        case "NotIn":
            return node not in map(node_name, one.values)
        case "DoesNotExist":
            return False
    return True


def cache_name(cache: AnyLocalModelCache) -> str:
    """As in the status of a node: two kinds, no clash."""
    return cache.key if isinstance(cache, LocalModelNamespaceCache) else cache.name


@dataclass(frozen=True, slots=True)
class Placed:
    """A cache that counts here, by the group whose room it takes."""

    cache: AnyLocalModelCache
    group: str
    problem: str = ""


def placed(
    caches: Iterable[AnyLocalModelCache], groups: Mapping[str, LocalModelNodeGroup], node: str
) -> list[Placed]:
    """Without those that are only for other nodes."""
    found = []
    for cache in caches:
        known = [name for name in cache.spec.node_groups if name in groups]
        if not known:
            named = " or ".join(cache.spec.node_groups)
            found.append(Placed(cache, "", f"there is no LocalModelNodeGroup {named}; add one"))
        elif here := [name for name in known if is_on(groups[name], node)]:
            found.append(Placed(cache, here[0]))
    return found


@dataclass(frozen=True, slots=True)
class User:
    """A service that a cache serves; `active` if it is to run."""

    namespace: str
    name: str
    active: bool

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


def users(
    services: Iterable[Json], caches: Iterable[AnyLocalModelCache]
) -> dict[str, tuple[User, ...]]:
    """By cache. Services as they are kept: as JSON, since there may be thousands. One that is on
    its way out counts no more.
    """
    known = [*caches]
    found: dict[str, dict[User, None]] = {}
    for live in services:
        metadata = live["metadata"]
        annotations = metadata.get("annotations") or {}
        for uri in () if is_going(live) else model_uris(live):
            cache = cache_of(uri, metadata["namespace"], annotations, known)
            if cache is not None:
                user = User(metadata["namespace"], metadata["name"], not is_stopped(live))
                found.setdefault(cache_name(cache), {})[user] = None
    return {name: tuple(theirs) for name, theirs in found.items()}


def model_uris(service: Json) -> list[str]:
    """Of its predictor and of its canaries', each once."""
    spec = service.get("spec") or {}
    found = dict[str, None]()
    for track in (spec, *(spec.get("canary") or ())):
        predictor = track.get("predictor") or {}
        for key in ("model", *FRAMEWORKS):
            if uri := (predictor.get(key) or {}).get("storageUri"):
                found[str(uri)] = None
                break
    return [*found]
