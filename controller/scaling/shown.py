"""Decisions as HorizontalPodAutoscalers in the store: what `get hpa` tells of scaling.

One for each revision that is scaled, or should be and cannot; it belongs to its InferenceService
and goes with it. Only the last decision is read back, by the next run, so that what was scaled to
zero stays so. Changes are events of the service.
"""

from collections.abc import Iterator, Mapping

from controller.conditions import FALSE, TRUE, Told, conditions, stamp
from controller.scaling.decide import Mode
from controller.scaling.policy import ByRequests, Policy
from controller.scaling.resources import amount
from controller.scaling.scaler import Key, Scaled
from controller.store.dependents import owned_by
from controller.store.own_kinds import AUTOSCALER, TARGETS
from controller.store.owned import SERVICE_LABEL, metadata_of
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store

RESCALED = "SuccessfulRescale"


def show(store: Store, recorder: Recorder, service: Json, decisions: Mapping[Key, Scaled]) -> None:
    """Equal to what is shown already: nothing is written."""
    with store.transaction(flush=False):
        owned = [r for r in owned_by(store, service["metadata"]["uid"]) if r.kind == AUTOSCALER]
        known = {ref.name: store.get(ref) for ref in owned}
        for key, scaled in decisions.items():
            if scaled.policy.by is None and not scaled.policy.problems:
                continue
            wanted = autoscaler(service, key, scaled.policy)
            live = known.pop(name_of(key), None)
            if live is None:
                live = store.create(AUTOSCALER, wanted)
            elif live["spec"] != wanted["spec"]:
                live = store.replace(AUTOSCALER, wanted)
            before = live.get("status") or {}
            after = status(scaled, before, store.clock().timestamp())
            if after == before:
                continue
            store.replace_status(Ref.of(AUTOSCALER, live), after)
            if before and before["desiredReplicas"] != after["desiredReplicas"]:
                recorder.record(service, RESCALED, _change(key, before, scaled))
        for gone in known.values():
            store.delete(Ref.of(AUTOSCALER, gone))


def decided_before(store: Store, service: str, key: Key) -> int | None:
    """By a run before this one."""
    namespace, _, name = service.partition("/")
    found = store.find(Ref(AUTOSCALER, namespace, name_of(key)))
    if found is None or found["metadata"]["labels"].get(SERVICE_LABEL) != name:
        return None
    replicas = (found.get("status") or {}).get("desiredReplicas")
    return replicas if isinstance(replicas, int) else None


def name_of(key: Key) -> str:
    """As the revision; a component that is no revision of its own is counted as a service."""
    service, revision = key
    return revision or service.rpartition("/")[2]


def autoscaler(service: Json, key: Key, policy: Policy) -> Json:
    """Without its status."""
    scaled = {
        "apiVersion": service["apiVersion"],
        "kind": service["kind"],
        "name": service["metadata"]["name"],
    }
    metrics = [_metric(*each) for each in _targets(policy)]
    return {
        "apiVersion": AUTOSCALER.api_version,
        "kind": AUTOSCALER.name,
        "metadata": metadata_of(service, name_of(key))
        | {"annotations": {TARGETS: ", ".join(f"{n}: {v}" for n, v in _targets(policy))}},
        "spec": {
            "scaleTargetRef": scaled,
            "minReplicas": policy.least,
            "maxReplicas": policy.most,
        }
        | ({"metrics": metrics} if metrics else {}),
    }


def status(scaled: Scaled, before: Json, now: float) -> Json:
    """`before`: the one that is shown, empty if there is none."""
    decision = scaled.decision
    same = before.get("desiredReplicas", decision.replicas) == decision.replicas
    time = before.get("lastScaleTime") if same else stamp(now)
    return {
        "currentReplicas": scaled.ready,
        "desiredReplicas": decision.replicas,
        **({"lastScaleTime": time} if time else {}),
        "conditions": conditions(_told(scaled), before, now),
    }


def _told(scaled: Scaled) -> Iterator[Told]:
    decision, policy = scaled.decision, scaled.policy
    yield Told("AbleToScale", TRUE, "ReadyForNewScale", decision.reason)
    problems = "; ".join(problem.message for problem in policy.problems)
    if policy.by is None:
        yield Told("ScalingActive", FALSE, "InvalidMetricSpec", problems)
    else:
        message = problems or f"in {decision.mode} mode"
        yield Told("ScalingActive", TRUE, "ValidMetricFound", message)
    if decision.capped:
        message = f"more are wanted than maxReplicas {policy.most}"
        yield Told("ScalingLimited", TRUE, "TooManyReplicas", message)
    else:
        yield Told("ScalingLimited", FALSE, "DesiredWithinRange", "as many as are wanted")


def _targets(policy: Policy) -> list[tuple[str, str]]:
    """By name, for each replica."""
    if policy.by is None:
        return []
    if isinstance(policy.by, ByRequests):
        # Without an exponent, as a quantity is read.
        target = f"{policy.by.target:.3f}".rstrip("0").rstrip(".")
        return [(policy.by.metric.value, target)]
    return [(goal.resource, amount(goal.resource, goal.target)) for goal in policy.by.goals]


def _metric(name: str, target: str) -> Json:
    wanted = {"type": "AverageValue", "averageValue": target}
    if name in ("cpu", "memory"):
        return {"type": "Resource", "resource": {"name": name, "target": wanted}}
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": wanted}}


def _change(key: Key, before: Json, scaled: Scaled) -> str:
    decision, was = scaled.decision, before["desiredReplicas"]
    how = " in panic" if decision.mode is Mode.PANIC else ""
    return f"{name_of(key)} goes from {was} to {decision.replicas} replicas{how}: {decision.reason}"
