"""A replica as the status of a Pod, in the words that Kubernetes has for it. Pure.

kubectl shows the reason why a container waits or how it ended instead of the phase, so people look
for `CrashLoopBackOff` and `OOMKilled` there: whatever a replica does is told as the kubelet would.
"""

from controller.conditions import FALSE, TRUE, Told, conditions, stamp
from controller.happenings import LOAD_FAILED, NO_DEVICE
from controller.observe import Failure, Phase, Replica
from controller.store.refs import Json

CREATING = "ContainerCreating"  # its environment is being made
INITIALIZING = "PodInitializing"  # its model is on its way
TERMINATING = "Terminating"
_NEVER_RAN = (Phase.PENDING, Phase.LOADING)


def pod_status(container: Json, replica: Replica, before: Json) -> Json:
    """`container`: of the Pod's spec; `before`: its status so far. Equal to that if nothing has
    changed.
    """
    known: Json = next(iter(before.get("containerStatuses") or ()), {})
    said: Json = {
        "phase": "Pending" if _is_pending(replica) else "Running",
        "conditions": conditions(_told(replica), before, replica.since),
    }
    if replica.phase is Phase.STOPPING:
        said["reason"] = TERMINATING
    said["containerStatuses"] = [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "imageID": "",
            "ready": replica.ready,
            "started": replica.phase in (Phase.READY, Phase.NOT_READY),
            "restartCount": replica.restarts,
            "state": _state(replica, known),
            **_last_state(replica, known),
        }
    ]
    return said


def _is_pending(replica: Replica) -> bool:
    """As with Kubernetes, one that ran once is Running, whatever became of it since."""
    if replica.phase is Phase.FAILED:
        return not _ended(replica)
    return replica.phase in _NEVER_RAN and not replica.restarts


def _ended(replica: Replica) -> bool:
    return replica.failure is not None and replica.failure.exit_code is not None


def _told(replica: Replica) -> list[Told]:
    lacks = replica.reason == NO_DEVICE
    comes = replica.phase is Phase.LOADING or replica.reason == LOAD_FAILED
    scheduled = Told("PodScheduled", TRUE)
    if lacks:
        scheduled = Told("PodScheduled", FALSE, "Unschedulable", replica.message)
    if replica.ready:
        ready = (Told("ContainersReady", TRUE), Told("Ready", TRUE))
    else:
        why = replica.reason or "ContainersNotReady", replica.message
        ready = (Told("ContainersReady", FALSE, *why), Told("Ready", FALSE, *why))
    return [Told("Initialized", FALSE if comes else TRUE), scheduled, *ready]


def _state(replica: Replica, known: Json) -> Json:
    match replica.phase:
        case Phase.PENDING if replica.reason == NO_DEVICE:
            return {"waiting": _worded(replica.reason, replica.message)}
        case Phase.PENDING:
            return {"waiting": _worded(CREATING, replica.message)}
        case Phase.LOADING:
            return {"waiting": _worded(INITIALIZING, replica.message)}
        case Phase.FAILED if _ended(replica) and _says_how(replica):
            assert replica.failure is not None
            return {"terminated": _terminated(replica.failure, known)}
        case Phase.FAILED:
            return {"waiting": _worded(replica.reason, replica.message)}
    return {"running": {"startedAt": _started(replica, known)}}


def _says_how(replica: Replica) -> bool:
    """It has just ended; a moment later it starts again, or waits for that."""
    return replica.failure is not None and replica.reason == replica.failure.reason


def _started(replica: Replica, known: Json) -> str:
    """A replica knows since when it is as it is; it began to run when that was first told."""
    running: Json = (known.get("state") or {}).get("running") or {}
    same = known.get("restartCount") == replica.restarts
    return (running.get("startedAt") if same else None) or stamp(replica.since)


def _last_state(replica: Replica, known: Json) -> Json:
    if not _ended(replica):
        return {}
    assert replica.failure is not None
    return {"lastState": {"terminated": _terminated(replica.failure, known)}}


def _terminated(failure: Failure, known: Json) -> Json:
    said: Json = {
        "exitCode": failure.exit_code,
        "reason": failure.reason,
        "message": failure.message,
        "finishedAt": stamp(failure.at),
    }
    started = _life_began(said["finishedAt"], known)
    return said | ({"startedAt": started} if started else {})


def _life_began(ended: str, known: Json) -> str | None:
    """Of the life that ended then, as far as it was told: as that end, or while it lasted."""
    for state in (known.get("lastState") or {}, known.get("state") or {}):
        told: Json = state.get("terminated") or {}
        if told.get("finishedAt") == ended:
            return told.get("startedAt")
    return ((known.get("state") or {}).get("running") or {}).get("startedAt")


def _worded(reason: str, message: str) -> Json:
    return {key: value for key, value in (("reason", reason), ("message", message)) if value}
