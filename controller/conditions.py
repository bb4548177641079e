"""Conditions of a status, as Knative's library writes them: sorted by type, each with the time of
its last change. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """One condition, before anybody asks since when."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    informative: bool = False  # Ready does not depend on it


def conditions(told: Iterable[Told], before: Mapping[str, Any], now: float) -> list[Json]:
    """`before`: the status so far; a condition whose status stays keeps its time."""
    known = {item["type"]: item for item in before.get("conditions") or ()}
    return [
        _condition(each, known.get(each.type), now)
        for each in sorted(told, key=lambda each: each.type)
    ]


def _condition(told: Told, before: Json | None, now: float) -> Json:
    said: Json = {"type": told.type, "status": told.status}
    if told.informative:
        said["severity"] = "Info"
    said |= {k: v for k, v in (("reason", told.reason), ("message", told.message)) if v}
    same = before is not None and before.get("status") == told.status
    since = before.get("lastTransitionTime") if before is not None and same else None
    return said | {"lastTransitionTime": since or stamp(now)}


def condition(status: Mapping[str, Any], kind: str = "Ready") -> str:
    """Its status; UNKNOWN while there is none."""
    found = (c["status"] for c in status.get("conditions") or () if c.get("type") == kind)
    return next(found, UNKNOWN)


def is_true(status: Mapping[str, Any], condition: str = "Ready") -> bool:
    return any(
        item.get("type") == condition and item.get("status") == TRUE
        for item in status.get("conditions") or ()
    )


def stamp(at: float) -> str:
    """As Kubernetes writes times."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
