"""In which order runtimes that fit are taken, and what decides between two of them. Pure.

KServe's rules, weightiest first: those of the namespace before those of the cluster, priority, the
best protocol that a runtime speaks, age (the newer one first), name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from controller.resources.parse import Runtime
from controller.resources.servingruntime import AnyServingRuntime

PROTOCOLS = ("v1", "v2", "grpc-v1", "grpc-v2")  # best first


@dataclass(frozen=True, slots=True)
class Rule:
    key: Callable[[Runtime], Any]
    words: Callable[[Runtime, Runtime], str]  # of the first, that comes before the second
    largest_first: bool = False


def ranked(runtimes: Iterable[Runtime], format_name: str) -> list[Runtime]:
    """Sorted by each rule in turn, the weightiest last: sorting is stable."""
    found = list(runtimes)
    for rule in reversed(_rules(format_name)):
        found.sort(key=rule.key, reverse=rule.largest_first)
    return found


def difference(first: Runtime, second: Runtime, format_name: str) -> str:
    """Why the first one comes before the second."""
    rules = _rules(format_name)
    deciding = next((r for r in rules if r.key(first) != r.key(second)), rules[-1])
    return deciding.words(first, second)


def best_protocol(runtime: AnyServingRuntime) -> str | None:
    return min(runtime.spec.protocol_versions, key=_rank, default=None)


def _rules(format_name: str) -> tuple[Rule, ...]:
    def priority(runtime: Runtime) -> int | None:
        # KServe reads the first entry of the format, whatever its version.
        formats = runtime.resource.spec.supported_model_formats
        return next((entry.priority for entry in formats if entry.name == format_name), None)

    def protocol(runtime: Runtime) -> str:
        return best_protocol(runtime.resource) or "any protocol"

    return (
        Rule(
            lambda runtime: runtime.resource.is_cluster_wide,
            lambda first, _: f"{first.name} is of its namespace, and goes before the cluster's",
        ),
        Rule(
            lambda runtime: priority(runtime) or 0,
            lambda first, second: (
                f"{first.name} goes before it by priority {priority(first)},"
                f" it has {priority(second) or 'none'}"
            ),
            largest_first=True,
        ),
        Rule(
            lambda runtime: _rank(protocol(runtime)),
            lambda first, second: (
                f"{first.name} goes before it by protocol: {protocol(first)} before"
                f" {protocol(second)}"
            ),
        ),
        Rule(
            lambda runtime: runtime.resource.metadata.creation_timestamp or "",
            lambda first, _: f"{first.name} goes before it: it is newer",
            largest_first=True,
        ),
        Rule(
            lambda runtime: runtime.name,
            lambda first, _: f"{first.name} goes before it by name; nothing else decides",
        ),
    )


def _rank(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)
