"""What caches, groups and the node say of themselves in their status. Pure, on plain JSON.

KServe writes no room into its groups and no condition into its caches; here they say what there is
and why.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from controller.conditions import FALSE, TRUE, Told, conditions
from controller.modelcache.decide import Room, State, Verdict
from controller.modelcache.rules import Placed, User, cache_name
from controller.resources.localmodel import LocalModelNamespaceCache
from controller.resources.model import dump

Json = dict[str, Any]

MANAGED = {"app.kubernetes.io/managed-by": "graphway"}


def cache_status(
    before: Json, verdict: Verdict | None, users: Iterable[User], node: str, now: float
) -> Json:
    """`verdict`: None for a cache that is for other nodes alone."""
    states = {} if verdict is None else {node: f"Node{verdict.state}"}
    bound = [{"namespace": user.namespace, "name": user.name} for user in users]
    said: Json = {
        "nodeStatus": states,
        "copies": {
            "available": sum(state == f"Node{State.HERE}" for state in states.values()),
            "total": len(states),
            "failed": sum(state == f"Node{State.FAILED}" for state in states.values()),
        },
        "conditions": conditions([_ready(verdict)], before, now),
    }
    return said | ({"inferenceServices": bound} if bound else {})


def _ready(verdict: Verdict | None) -> Told:
    if verdict is None:
        return Told("Ready", FALSE, "OtherNodes", "none of its node groups has this machine")
    status = TRUE if verdict.state is State.HERE else FALSE
    return Told("Ready", status, verdict.why.value, verdict.message)


def reason(status: Json) -> tuple[str, str]:
    """Why it is Ready, or not; and in words."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            return condition.get("reason", ""), condition.get("message", "")
    return "", ""


def node_spec(placed: Iterable[Placed]) -> Json:
    return {"localModels": [_info(each) for each in placed if not each.problem]}


def _info(placed: Placed) -> Json:
    cache = placed.cache
    spec = cache.spec
    said: Json = {
        "sourceModelUri": spec.source_model_uri,
        "modelName": cache.name,
        "nodeGroup": placed.group,
    }
    if isinstance(cache, LocalModelNamespaceCache):
        said["namespace"] = cache.namespace
    if spec.service_account_name:
        said["serviceAccountName"] = spec.service_account_name
    if spec.storage is not None:
        said["storage"] = dump(spec.storage)
    return said


def node_status(placed: Iterable[Placed], verdicts: Mapping[str, Verdict]) -> Json:
    names = [cache_name(each.cache) for each in placed if not each.problem]
    return {"modelStatus": {name: f"Model{verdicts[name].state}" for name in names}}


def group_status(room: Room | None) -> Json:
    """Nothing of a group that this machine is not in."""
    if room is None:
        return {}
    return {"used": quantity(room.used, up=True), "available": quantity(room.free, up=False)}


def quantity(size_bytes: int, *, up: bool) -> str:
    """To four digits at least; what is used is never told too small, nor what is free too large."""
    for unit, power in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        exact, rest = divmod(size_bytes, 1 << power)
        if exact and not rest:
            return f"{exact}{unit}"
        if exact >= 1000:
            return f"{ceil(size_bytes / (1 << power)) if up else exact}{unit}"
    return str(size_bytes)
