"""What became of an InferenceService, in KServe's words: its status from what is wanted and what
runs. Pure.

Conditions, reasons and `modelStatus` are as in KServe's deployments without Knative. What was said
before is passed in, since some of it is history: when a condition changed, what failed last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controller.desired import COMPONENTS, Refused, Wanted
from controller.observe import Failure, Observed, Phase, Replica, Running

Json = dict[str, Any]

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
STOPPED = "Stopped"
MODE = "Standard"
NOT_CREATED = "NotCreated"
LOAD_FAILED = "ModelLoadFailed"  # KServe's word for any container that ended with an error


@dataclass(frozen=True, slots=True)
class Told:
    """One condition, before anybody asks since when. An empty status: not worth a condition."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    informative: bool = False  # Ready does not depend on it


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
    components = _components(seen)
    told = [_component(name, seen.observed.get(name), seen.wanted) for name in components]
    ingress = _ingress(told, seen)
    ready = _ready(told[0], ingress)
    said: Json = {
        "observedGeneration": seen.generation,
        "conditions": _conditions(
            [*told, ingress, ready, Told(STOPPED, FALSE, informative=True)], seen
        ),
        "deploymentMode": MODE,
    }
    addresses = _addresses(seen, components[-1]) if ingress.status == TRUE else ()
    if addresses:
        said["url"] = addresses[0]
        said["address"] = {"url": addresses[0]}
    said["components"] = {
        name: {"url": running.addresses[0]} if running.addresses else {}
        for name in components
        if (running := seen.observed.get(name)) is not None
    }
    said |= _runtime(seen.wanted, seen.before)
    model = _model_status(seen, ready.status == TRUE)
    if model:
        said["modelStatus"] = model
    return said


def is_true(status: Mapping[str, Any], condition: str = "Ready") -> bool:
    return any(
        item.get("type") == condition and item.get("status") == TRUE
        for item in status.get("conditions") or ()
    )


def stamp(at: float) -> str:
    """As Kubernetes writes times."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _components(seen: Seen) -> list[str]:
    """Whoever is called last."""
    if isinstance(seen.wanted, Wanted):
        return [name for name in COMPONENTS if name in seen.wanted.components]
    return [n for n in COMPONENTS if n in seen.observed] or [COMPONENTS[0]]


# Conditions


def _component(name: str, running: Running | None, wanted: Wanted | Refused) -> Told:
    kind, informative = f"{name.capitalize()}Ready", name != COMPONENTS[0]
    if running is None or running.unit is None:
        if isinstance(wanted, Refused):
            return Told(kind, FALSE, wanted.reason, wanted.message, informative)
        waits = wanted.waiting.get(name, "")
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


def _ingress(told: Sequence[Told], seen: Seen) -> Told:
    """Whether callers have somewhere to go."""
    for each in told:
        if each.status != TRUE and not each.type.startswith("Explainer"):
            name = each.type.removesuffix("Ready")
            return Told("IngressReady", FALSE, each.reason, f"{name} ingress not created")
    return Told("IngressReady", TRUE)


def _ready(predictor: Told, ingress: Told) -> Told:
    bad = next((each for each in (predictor, ingress) if each.status != TRUE), None)
    return Told("Ready", TRUE) if bad is None else Told("Ready", FALSE, bad.reason, bad.message)


def _conditions(told: Sequence[Told], seen: Seen) -> list[Json]:
    """By type, as Knative's library sorts them; an unchanged one keeps its time."""
    before = {item["type"]: item for item in seen.before.get("conditions") or ()}
    return [_condition(each, before.get(each.type), seen.now) for each in sorted(told, key=_type)]


def _type(told: Told) -> str:
    return told.type


def _condition(told: Told, before: Json | None, now: float) -> Json:
    said: Json = {"type": told.type, "status": told.status}
    if told.informative:
        said["severity"] = "Info"
    said |= {k: v for k, v in (("reason", told.reason), ("message", told.message)) if v}
    same = before is not None and before.get("status") == told.status
    since = before.get("lastTransitionTime") if before is not None and same else None
    return said | {"lastTransitionTime": since or stamp(now)}


def _stopped(seen: Seen) -> Json:
    """Stopped on request: nothing of the predictor is left to tell."""
    names = [name for name in COMPONENTS if f"{name.capitalize()}Ready" in _told_before(seen)]
    told = [
        Told(f"{name.capitalize()}Ready", FALSE, STOPPED, informative=name != COMPONENTS[0])
        for name in names or COMPONENTS[:1]
    ]
    told += [Told("IngressReady", FALSE, STOPPED), Told("Ready", FALSE, STOPPED)]
    left = [name for name, running in seen.observed.items() if running.replicas]
    message = f"{' and '.join(left)} still ending" if left else ""
    told.append(Told(STOPPED, FALSE if left else TRUE, "", message, informative=True))
    return {
        "observedGeneration": seen.generation,
        "conditions": _conditions(told, seen),
        "deploymentMode": MODE,
    }


def _told_before(seen: Seen) -> set[str]:
    return {item["type"] for item in seen.before.get("conditions") or ()}


def _addresses(seen: Seen, component: str) -> tuple[str, ...]:
    running = seen.observed.get(component)
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
    """Of the predictor; the one that its newest replica tells."""
    running = seen.observed.get(COMPONENTS[0])
    replicas = running.replicas if running is not None else ()
    before: Json = seen.before.get("modelStatus") or {}
    active = before.get("states", {}).get("activeModelState", "")
    if ready:
        active = target = "Loaded"
    elif isinstance(seen.wanted, Refused):
        target = "FailedToLoad"
    else:
        target = _target(replicas)
        if active == "Loaded" and not any(replica.ready for replica in replicas):
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


def _target(replicas: Sequence[Replica]) -> str:
    newest = max(replicas, key=lambda replica: replica.since, default=None)
    if newest is None:
        return "Pending"
    match newest.phase:
        case Phase.LOADING:
            return "Loading"
        case Phase.FAILED:
            return "FailedToLoad"
        case Phase.STARTING | Phase.PENDING if newest.failure is not None:
            return "FailedToLoad"  # tried again, and it has not come back yet
        case Phase.READY:
            return "Loaded"
    return "Pending"


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
        "message": failure.message,
        "time": stamp(failure.at),
    }
    return said | ({"exitCode": failure.exit_code} if failure.exit_code is not None else {})
