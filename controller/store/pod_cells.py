"""Cells that kubectl has for a Pod and that no path can say: READY and STATUS. Pure.

Whoever watches Pods reads the reason why a container waits or how it ended, and not the phase.
"""

from typing import Any

from controller.store.refs import Json


def ready_of(pod: Json) -> str:
    statuses = _statuses(pod)
    ready = sum(each.get("ready") is True for each in statuses)
    return f"{ready}/{max(len(statuses), 1)}"


def word_of(pod: Json) -> str:
    status = _object(pod.get("status"))
    word = status.get("reason") or status.get("phase") or "Unknown"
    if status.get("reason") or _is_unscheduled(status):  # no container was made
        return str(word)
    for each in _statuses(pod):
        state = _object(each.get("state"))
        for kind in ("waiting", "terminated"):
            word = _object(state.get(kind)).get("reason") or word
    return str(word)


def _is_unscheduled(status: Json) -> bool:
    return any(
        each.get("type") == "PodScheduled" and each.get("status") == "False"
        for each in _objects(status.get("conditions"))
    )


def _statuses(pod: Json) -> list[Json]:
    return _objects(_object(pod.get("status")).get("containerStatuses"))


def _objects(value: Any) -> list[Json]:
    return [_object(each) for each in value] if isinstance(value, list) else []


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
