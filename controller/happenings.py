"""What happened to the replicas of a service between two looks, as events. Pure.

The words are those that the kubelet and a ReplicaSet have for it, so that whoever knows Kubernetes
reads them at once; models are pulled as images are. A text says nothing that changes each time (no
counts, no pauses): the same again is then one event with a count.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.observe import Observed, Phase, Replica

BACK_OFF = "CrashLoopBackOff"
LOAD_FAILED = "ModelLoadFailed"  # KServe's word for any container that ended with an error
NO_DEVICE = "InsufficientGPU"
OOM_KILLED = "OOMKilled"
_RUNS = (Phase.STARTING, Phase.READY, Phase.NOT_READY)


@dataclass(frozen=True, slots=True)
class Happening:
    reason: str
    message: str
    warning: bool = False


def happenings(before: Observed, after: Observed) -> list[Happening]:
    """Nothing between two equal looks. What came and went between them is told as far as it can be
    seen from where things stand.
    """
    was, now = _by_name(before), _by_name(after)
    told = [each for name in was if name not in now for each in _ended(was[name])]
    return told + [each for name in now for each in _moved(was.get(name), now[name])]


def _by_name(observed: Observed) -> dict[str, Replica]:
    """Of two with one name, the one that is on its way."""
    return {r.name: r for running in observed.values() for r in running.replicas}


def _ended(was: Replica) -> Iterator[Happening]:
    if was.phase is not Phase.STOPPING:
        yield _killing(was)


def _moved(was: Replica | None, now: Replica) -> Iterator[Happening]:
    if was is None:
        yield Happening("SuccessfulCreate", f"Created replica {now.name}")
    if _has_model(was, now):
        yield Happening("Pulled", f"Successfully pulled the model of {now.name}")
    if _has_started(was, now):
        yield Happening("Started", f"Started {now.name}")
    if was is not None and (was.phase, was.reason) == (now.phase, now.reason):
        return
    yield from _arrived(was, now)


def _has_model(was: Replica | None, now: Replica) -> bool:
    if was is None or now.phase in (Phase.LOADING, Phase.STOPPING):
        return False
    return _waits_for_model(was) and not _waits_for_model(now)


def _waits_for_model(replica: Replica) -> bool:
    failed = replica.phase is Phase.FAILED and _exit_code(replica) is None
    return replica.phase is Phase.LOADING or (failed and replica.reason == LOAD_FAILED)


def _has_started(was: Replica | None, now: Replica) -> bool:
    if now.phase not in _RUNS:
        return False
    return was is None or was.phase not in _RUNS or was.restarts < now.restarts


def _arrived(was: Replica | None, now: Replica) -> Iterator[Happening]:
    match now.phase:
        case Phase.LOADING:
            yield Happening("Pulling", f"Pulling the model of {now.name}")
        case Phase.PENDING if now.reason == NO_DEVICE:
            yield Happening("FailedScheduling", _about(now), warning=True)
        case Phase.NOT_READY:
            yield Happening("Unhealthy", _about(now), warning=True)
        case Phase.FAILED if now.reason == BACK_OFF:
            yield Happening("BackOff", f"Back-off restarting failed {now.name}", warning=True)
        case Phase.FAILED if now.reason == OOM_KILLED:
            yield Happening(OOM_KILLED, _about(now), warning=True)
        case Phase.FAILED:
            yield Happening("Failed", _about(now), warning=True)
        case Phase.STOPPING if was is None or was.phase is not Phase.STOPPING:
            yield _killing(now)


def _killing(replica: Replica) -> Happening:
    return Happening("Killing", f"Stopping {replica.name}")


def _about(replica: Replica) -> str:
    return f"{replica.name}: {replica.message}" if replica.message else replica.name


def _exit_code(replica: Replica) -> int | None:
    return replica.failure.exit_code if replica.failure is not None else None
