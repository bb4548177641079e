"""Events of a replica's life: each row is what was seen before, what is seen now, what is told."""

from dataclasses import replace

import pytest

from controller.happenings import Happening, happenings
from controller.observe import NOTHING, Failure, Observed, Phase, Replica, Running
from controller.workload import Role

NAME = "iris-predictor-0"
CRASH = Failure("Error", "it ended with status 3", 3, 0.0)
GONE = None


def at(phase: Phase, reason: str = "", message: str = "", **more: object) -> Replica:
    return replace(Replica(NAME, phase, 0.0, reason, message), **more)  # type: ignore[arg-type]


def seen(*replicas: Replica | None) -> Observed:
    there = tuple(replica for replica in replicas if replica is not None)
    return {"predictor-00001": Running(Role.PREDICTOR, None, there)} if there else NOTHING


LOADING = at(Phase.LOADING, "Loading", "its model is on its way")
NO_MODEL = at(
    Phase.FAILED,
    "ModelLoadFailed",
    "there is nothing at /m",
    failure=Failure("ModelLoadFailed", "there is nothing at /m", None, 0.0),
)
PREPARING = at(Phase.PENDING, "Preparing")
NO_GPU = at(Phase.PENDING, "InsufficientGPU", "2 wanted, b holds them")
STARTING = at(Phase.STARTING)
READY = at(Phase.READY, address="http://127.0.0.1:1")
UNREADY = at(Phase.NOT_READY, "Unready", "its readiness probe fails: status 503")
UNHEALTHY = at(Phase.NOT_READY, "Unhealthy", "its liveness probe fails: no answer")
CRASHED = at(Phase.FAILED, "Error", "it ended with status 3; it starts again", failure=CRASH)
OOM = at(
    Phase.FAILED,
    "OOMKilled",
    "its processes hold 300 MiB, and the limit is 256 MiB",
    failure=Failure("OOMKilled", "", 137, 0.0),
)
LOOPS = at(Phase.FAILED, "CrashLoopBackOff", "it starts again in 10 s", failure=CRASH)
AGAIN = at(Phase.STARTING, restarts=1, failure=CRASH)
STOPPING = at(Phase.STOPPING, "Stopped")

Row = tuple[Replica | None, Replica | None, list[str]]
ROWS: dict[str, Row] = {
    "it is made, and its model comes": (GONE, LOADING, ["SuccessfulCreate", "Pulling"]),
    "the model is there": (LOADING, PREPARING, ["Pulled"]),
    "the model cannot be had": (LOADING, NO_MODEL, ["Failed!"]),
    "the model is tried again": (NO_MODEL, LOADING, ["Pulling"]),
    "the model came between two looks": (NO_MODEL, STARTING, ["Pulled", "Started"]),
    "it is made, and needs no model": (GONE, PREPARING, ["SuccessfulCreate"]),
    "it waits for a GPU": (PREPARING, NO_GPU, ["FailedScheduling!"]),
    "it has its GPU": (NO_GPU, STARTING, ["Started"]),
    "it starts": (PREPARING, STARTING, ["Started"]),
    "it is ready": (STARTING, READY, []),
    "it was ready before anybody looked": (GONE, READY, ["SuccessfulCreate", "Started"]),
    "its probe fails": (READY, UNREADY, ["Unhealthy!"]),
    "it has come back": (UNREADY, READY, []),
    "its liveness fails too": (UNREADY, UNHEALTHY, ["Unhealthy!"]),
    "it ends by itself": (READY, CRASHED, ["Failed!"]),
    "it starts again at once": (CRASHED, AGAIN, ["Started"]),
    "it ended and came back between two looks": (STARTING, AGAIN, ["Started"]),
    "it outgrew its memory": (READY, OOM, ["OOMKilled!"]),
    "it ends again and again": (AGAIN, LOOPS, ["BackOff!"]),
    "it is told to end": (READY, STOPPING, ["Killing"]),
    "it has ended": (STOPPING, GONE, []),
    "it ended between two looks": (READY, GONE, ["Killing"]),
}


def told(found: list[Happening]) -> list[str]:
    return [f"{each.reason}{'!' if each.warning else ''}" for each in found]


@pytest.mark.parametrize(("before", "after", "words"), ROWS.values(), ids=ROWS)
def test_what_is_told(before: Replica | None, after: Replica | None, words: list[str]) -> None:
    found = happenings(seen(before), seen(after))
    assert told(found) == words
    assert all(NAME in each.message for each in found)
    assert happenings(seen(after), seen(after)) == []


def test_another_pause_is_no_other_event() -> None:
    longer = replace(LOOPS, message="it starts again in 20 s", restarts=2)
    assert happenings(seen(AGAIN), seen(LOOPS)) == happenings(seen(AGAIN), seen(longer))
    assert happenings(seen(LOOPS), seen(longer)) == []


def test_each_replica_has_its_own() -> None:
    other = replace(READY, name="iris-predictor-1")
    (ended, made, started) = happenings(seen(READY), seen(other))
    assert ended == Happening("Killing", "Stopping iris-predictor-0")
    assert made == Happening("SuccessfulCreate", "Created replica iris-predictor-1")
    assert started == Happening("Started", "Started iris-predictor-1")


def test_of_two_with_one_name_the_coming_one_is_told() -> None:
    """A changed service: the old process serves until the new model is there."""
    assert told(happenings(seen(READY), seen(READY, LOADING))) == ["Pulling"]
    assert told(happenings(seen(READY, LOADING), seen(UNHEALTHY))) == [
        "Pulled",
        "Started",
        "Unhealthy!",
    ]
