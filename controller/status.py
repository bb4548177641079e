"""What became of an InferenceService, in KServe's words: its status from what is wanted and what
runs. Pure.

Conditions, reasons and `modelStatus` are as in KServe's deployments without Knative. What was said
before is passed in, since some of it is history: when a condition changed, what failed last.

Components are those of the newest revision. While an older one answers the calls, the service can
be reached whatever becomes of the newest, and `Ready` is Unknown until that is clear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controller.conditions import FALSE, TRUE, UNKNOWN, Told, conditions, stamp
from controller.desired import Refused, Wanted
from controller.happenings import LOAD_FAILED, OOM_KILLED
from controller.observe import Failure, Phase, Replica, Running
from controller.rollout.decide import Rollout
from controller.workload import Role

Json = dict[str, Any]

STOPPED = "Stopped"
STANDBY = "Standby"  # scaled to zero: it is loaded when somebody asks
MODE = "Standard"
NOT_CREATED = "NotCreated"
REVISIONS = (
    "latestCreatedRevision",
    "latestReadyRevision",
    "latestRolledoutRevision",
    "previousRolledoutRevision",
)


NO_ROLLOUT = Rollout(None, None, None, None, (), (), ())


@dataclass(frozen=True, slots=True)
class CanaryTold:
    """One of `canary[]`. `message`: why it cannot be had."""

    name: str
    ready: bool
    percent: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a status is made of. `observed`: what runs of the newest revision; `answers`: some
    revision does, at `url`; `idle`: the newest is scaled to zero, or on its way back, and calls
    wait.
    """

    wanted: Wanted | Refused | None  # None: it is stopped
    observed: Mapping[Role, Running]
    generation: int
    before: Json = field(default_factory=dict)
    now: float = 0.0
    rollout: Rollout = NO_ROLLOUT
    url: str = ""
    answers: bool = False
    idle: bool = False
    canaries: Sequence[CanaryTold] = ()

    @property
    def serving(self) -> str | None:
        """An older revision that answers while the newest one does not."""
        if not self.answers:
            return None
        called = [share.revision for share in self.rollout.given if share.percent]
        return called[0] if called and self.rollout.created not in called else None


def status(seen: Seen) -> Json:
    """Equal to the one before if nothing has changed."""
    if seen.wanted is None:
        return _stopped(seen)
    roles = _roles(seen)
    told = [_component(role, seen.observed.get(role), seen.wanted) for role in roles]
    if seen.idle:
        told = [Told(each.type, TRUE, informative=each.informative) for each in told]
    elif seen.serving is not None:
        told = [
            _rolling(each, seen.observed.get(role), seen.serving)
            for role, each in zip(roles, told, strict=True)
        ]
    ingress = _ingress(told, seen.answers)
    ready = _ready(told[0], ingress)
    others = [Told(STOPPED, FALSE, informative=True), *_canary_condition(seen.canaries)]
    said: Json = {
        "observedGeneration": seen.generation,
        "conditions": conditions([*told, ingress, ready, *others], seen.before, seen.now),
        "deploymentMode": MODE,
    }
    if ingress.status == TRUE:
        said["url"] = seen.url
        said["address"] = {"url": seen.url}
    said["components"] = _components(seen, roles)
    if seen.canaries:
        said["canaryStatuses"] = [
            {"name": each.name, "ready": each.ready, "trafficPercent": each.percent}
            for each in seen.canaries
        ]
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
    if running.available:
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


def _rolling(told: Told, running: Running | None, serving: str) -> Told:
    """Of the newest revision, while another one serves: whether it will be ready is open, until a
    replica of it has failed.
    """
    if told.status == TRUE or running is None or running.unit is None:
        return told
    failed = any(
        replica.phase is Phase.FAILED or replica.failure is not None for replica in running.replicas
    )
    message = f"{told.message}; {serving} serves" if told.message else f"{serving} serves"
    return replace(told, status=FALSE if failed else UNKNOWN, message=message)


def _ingress(told: Sequence[Told], answers: bool) -> Told:
    """Whether callers have somewhere to go."""
    if answers:
        return Told("IngressReady", TRUE)
    for each in told:
        if each.status != TRUE and not each.type.startswith("Explainer"):
            name = each.type.removesuffix("Ready")
            return Told("IngressReady", FALSE, each.reason, f"{name} ingress not created")
    return Told("IngressReady", TRUE)


def _ready(predictor: Told, ingress: Told) -> Told:
    for status in (FALSE, UNKNOWN):
        for each in (predictor, ingress):
            if each.status == status:
                return Told("Ready", status, each.reason, each.message)
    return Told("Ready", TRUE)


def _canary_condition(canaries: Sequence[CanaryTold]) -> list[Told]:
    if not canaries:
        return []
    unready = [each for each in canaries if not each.ready]
    if not unready:
        return [Told("CanaryPredictorReady", TRUE, "AllCanariesReady", informative=True)]
    words = [f"{each.name}: {each.message}" if each.message else each.name for each in unready]
    return [
        Told("CanaryPredictorReady", FALSE, "CanariesNotReady", "; ".join(words), informative=True)
    ]


def _components(seen: Seen, roles: Sequence[Role]) -> Json:
    """Of those that run; the predictor's also tells of revisions."""
    said: Json = {}
    for role in roles:
        running = seen.observed.get(role)
        if running is not None:
            said[role] = {"url": running.addresses[0]} if running.addresses else {}
    rollout = seen.rollout
    names = (rollout.created, rollout.ready, rollout.rolled, rollout.previous)
    told = {key: name for key, name in zip(REVISIONS, names, strict=True) if name is not None}
    if told:
        said[Role.PREDICTOR] = (said.get(Role.PREDICTOR) or {}) | told
    if rollout.given:
        said[Role.PREDICTOR]["traffic"] = [
            {"revisionName": share.revision, "percent": share.percent}
            | ({"tag": share.tag} if share.tag else {})
            # Of those that are ready, as Knative means it.
            | ({"latestRevision": True} if share.revision == rollout.ready else {})
            for share in rollout.given
        ]
    return said


def _stopped(seen: Seen) -> Json:
    """Stopped on request: nothing of the predictor is left to tell, but who had which share: what
    was rolled back does not come back with all calls.
    """
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
    predictor = (seen.before.get("components") or {}).get(Role.PREDICTOR) or {}
    revisions = {key: predictor[key] for key in REVISIONS if key in predictor}
    said: Json = {
        "observedGeneration": seen.generation,
        "conditions": conditions(told, seen.before, seen.now),
        "deploymentMode": MODE,
    }
    return said | ({"components": {Role.PREDICTOR: revisions}} if revisions else {})


def _ready_type(role: Role) -> str:
    return f"{role.capitalize()}Ready"


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
    serving = any(replica.ready for replica in replicas) or seen.answers
    if target in ("Loaded", STANDBY) or (active == "Loaded" and not serving):
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
        return STANDBY if ready else "Pending"
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
        case "Loaded" | "Standby":
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
