"""What became of an InferenceService, in KServe's words: its status from what is wanted and what
runs. Pure.

Conditions, reasons and `modelStatus` are as in KServe's deployments without Knative. What was said
before is passed in, since some of it is history: when a condition changed, what failed last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.conditions import FALSE, TRUE, Told, conditions, stamp
from controller.desired import Refused, Wanted
from controller.happenings import LOAD_FAILED, OOM_KILLED
from controller.observe import Failure, Observed, Phase, Replica, Running
from controller.workload import Role

Json = dict[str, Any]

STOPPED = "Stopped"
MODE = "Standard"
NOT_CREATED = "NotCreated"


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a status is made of."""

    wanted: Wanted | Refused | None  # None: it is stopped
    observed: Observed
    generation: int
    before: Json = field(default_factory=dict)
    now: float = 0.0


def status(seen: Seen) -> Json:
    """Equal to the one before if nothing has changed."""
    if seen.wanted is None:
        return _stopped(seen)
    roles = _roles(seen)
    told = [_component(role, seen.observed.get(role), seen.wanted) for role in roles]
    ingress = _ingress(told)
    ready = _ready(told[0], ingress)
    said: Json = {
        "observedGeneration": seen.generation,
        "conditions": conditions(
            [*told, ingress, ready, Told(STOPPED, FALSE, informative=True)], seen.before, seen.now
        ),
        "deploymentMode": MODE,
    }
    addresses = _addresses(seen) if ingress.status == TRUE else ()
    if addresses:
        said["url"] = addresses[0]
        said["address"] = {"url": addresses[0]}
    said["components"] = {
        role: {"url": running.addresses[0]} if running.addresses else {}
        for role in roles
        if (running := seen.observed.get(role)) is not None
    }
    said |= _runtime(seen.wanted, seen.before)
    model = _model_status(seen, ready.status == TRUE)
    if model:
        said["modelStatus"] = model
    return said


def _roles(seen: Seen) -> list[Role]:
    if isinstance(seen.wanted, Wanted):
        return [*seen.wanted.roles]
    return [*seen.observed] or [Role.PREDICTOR]


# Conditions


def _component(role: Role, running: Running | None, wanted: Wanted | Refused) -> Told:
    kind, informative = _ready_type(role), role is not Role.PREDICTOR
    if running is None or running.unit is None:
        if isinstance(wanted, Refused):
            return Told(kind, FALSE, wanted.reason, wanted.message, informative)
        waits = wanted.waiting.get(role, "")
        return Told(kind, FALSE, NOT_CREATED, waits, informative)
    ready = sum(replica.ready for replica in running.replicas)
    number = running.unit.replicas
    if ready >= number - number // 4:  # as a Deployment: a quarter may be away
        return Told(kind, TRUE, informative=informative)
    worst = _worst(running.replicas)
    if worst is None:
        return Told(kind, FALSE, NOT_CREATED, "", informative)
    message = f"{worst.name}: {worst.message}" if worst.message else ""
    return Told(kind, FALSE, worst.reason or worst.phase, message, informative)


def _worst(replicas: Sequence[Replica]) -> Replica | None:
    """Who explains best why there are too few."""
    order = (Phase.FAILED, Phase.NOT_READY, Phase.PENDING, Phase.LOADING, Phase.STARTING)
    away = [replica for replica in replicas if replica.phase in order]
    return min(away, key=lambda replica: order.index(replica.phase), default=None)


def _ingress(told: Sequence[Told]) -> Told:
    """Whether callers have somewhere to go."""
    for each in told:
        if each.status != TRUE and not each.type.startswith("Explainer"):
            name = each.type.removesuffix("Ready")
            return Told("IngressReady", FALSE, each.reason, f"{name} ingress not created")
    return Told("IngressReady", TRUE)


def _ready(predictor: Told, ingress: Told) -> Told:
    bad = next((each for each in (predictor, ingress) if each.status != TRUE), None)
    return Told("Ready", TRUE) if bad is None else Told("Ready", FALSE, bad.reason, bad.message)


def _stopped(seen: Seen) -> Json:
    """Stopped on request: nothing of the predictor is left to tell."""
    known = {item["type"] for item in seen.before.get("conditions") or ()}
    roles = [role for role in Role if role is Role.PREDICTOR or _ready_type(role) in known]
    told = [
        Told(_ready_type(role), FALSE, STOPPED, informative=role is not Role.PREDICTOR)
        for role in roles
    ]
    told += [Told("IngressReady", FALSE, STOPPED), Told("Ready", FALSE, STOPPED)]
    left = [role for role, running in seen.observed.items() if running.replicas]
    message = f"{' and '.join(left)} still ending" if left else ""
    told.append(Told(STOPPED, FALSE if left else TRUE, "", message, informative=True))
    return {
        "observedGeneration": seen.generation,
        "conditions": conditions(told, seen.before, seen.now),
        "deploymentMode": MODE,
    }


def _ready_type(role: Role) -> str:
    return f"{role.capitalize()}Ready"


def _addresses(seen: Seen) -> tuple[str, ...]:
    """Of whom callers talk to; what is no longer as it is written has its last one."""
    if isinstance(seen.wanted, Wanted):
        entry = seen.wanted.entry
    else:
        entry = Role.TRANSFORMER if Role.TRANSFORMER in seen.observed else Role.PREDICTOR
    running = seen.observed.get(entry)
    return running.addresses if running is not None else ()


def _runtime(wanted: Wanted | Refused, before: Json) -> Json:
    """Cluster-wide or not, only one of the two keys is there."""
    keys = ("servingRuntimeName", "clusterServingRuntimeName")
    if isinstance(wanted, Refused):
        return {key: before[key] for key in keys if key in before}
    if wanted.runtime is None:
        return {}
    return {keys[wanted.runtime.resource.is_cluster_wide]: wanted.runtime.name}


# modelStatus


def _model_status(seen: Seen, ready: bool) -> Json:
    """Of the predictor."""
    running = seen.observed.get(Role.PREDICTOR)
    replicas = running.replicas if running is not None else ()
    before: Json = seen.before.get("modelStatus") or {}
    active = before.get("states", {}).get("activeModelState", "")
    target = "FailedToLoad" if isinstance(seen.wanted, Refused) else _target(replicas, ready)
    serving = any(replica.ready for replica in replicas)
    if target == "Loaded" or (active == "Loaded" and not serving):
        active = target
    failure = _failure_info(seen, replicas, before)
    said: Json = {
        "transitionStatus": _transition(seen, target),
        "states": {"activeModelState": active, "targetModelState": target},
        "copies": {
            "failedCopies": sum(replica.phase is Phase.FAILED for replica in replicas),
            "totalCopies": sum(replica.ready for replica in replicas),
        },
    }
    return said | ({"lastFailureInfo": failure} if failure else {})


def _target(replicas: Sequence[Replica], ready: bool) -> str:
    """By the newest replica; `ready`: of the service. The order is KServe's: how a model comes
    counts before Ready does, and how a server does after it.
    """
    newest = max(replicas, key=lambda replica: replica.since, default=None)
    if newest is None:
        return "Pending"
    if newest.phase is Phase.LOADING:
        return "Loading"
    never_ran = newest.failure is not None and newest.failure.exit_code is None
    if ready and not (newest.phase is Phase.FAILED and never_ran):
        return "Loaded"
    # One that starts again has failed until it has come back.
    starts = newest.phase in (Phase.STARTING, Phase.PENDING)
    failed = newest.phase is Phase.FAILED or (starts and newest.failure is not None)
    return "FailedToLoad" if failed else "Pending"


def _transition(seen: Seen, target: str) -> str:
    if isinstance(seen.wanted, Refused):
        return "InvalidSpec"
    match target:
        case "Loaded":
            return "UpToDate"
        case "FailedToLoad":
            return "BlockedByFailedLoad"
    return "InProgress"


def _failure_info(seen: Seen, replicas: Sequence[Replica], before: Json) -> Json:
    """The newest failure; an older one stays told until something else is."""
    known: Json = before.get("lastFailureInfo") or {}
    if isinstance(seen.wanted, Refused):
        said = {"reason": seen.wanted.reason, "message": seen.wanted.message}
        same = {key: known.get(key) for key in said} == said
        return known if same else {**said, "time": stamp(seen.now)}
    failed = [(replica, replica.failure) for replica in replicas if replica.failure is not None]
    if not failed:
        # What was wrong with the specification no longer is.
        return known if known.get("reason") == LOAD_FAILED else {}
    replica, failure = max(failed, key=lambda item: item[1].at)
    return _told_failure(replica, failure)


def _told_failure(replica: Replica, failure: Failure) -> Json:
    said: Json = {
        "location": replica.name,
        "reason": LOAD_FAILED,
        "message": _killed_for_memory(failure) + failure.message,
        "time": stamp(failure.at),
    }
    return said | ({"exitCode": failure.exit_code} if failure.exit_code is not None else {})


def _killed_for_memory(failure: Failure) -> str:
    """KServe's reason says how a model fares; the container's word is what people search for."""
    return f"{OOM_KILLED}: " if failure.reason == OOM_KILLED else ""
