"""What `kubectl get pods` shows of a replica: each row as a cluster would have it."""

from dataclasses import replace

import pytest

from controller.conditions import is_true
from controller.observe import Failure, Phase, Replica
from controller.pod_status import pod_status
from controller.store.pod_cells import ready_of, word_of
from controller.store.refs import Json

CONTAINER = {"name": "kserve-container", "image": "x"}
ENDED = Failure("Error", "it ended with status 3 [told to die]", 3, 100.0)
OOM = Failure("OOMKilled", "its processes hold 300 MiB", 137, 100.0)
NO_MODEL = Failure("ModelLoadFailed", "there is nothing at /m", None, 100.0)


def at(phase: Phase, reason: str = "", message: str = "", **more: object) -> Replica:
    return replace(Replica("iris-predictor-0", phase, 50.0, reason, message), **more)  # type: ignore[arg-type]


Row = tuple[Replica, str, str, str]
ROWS: dict[str, Row] = {  # replica, phase, the word of STATUS, READY
    "its environment is made": (
        at(Phase.PENDING, "Preparing"),
        *("Pending", "ContainerCreating", "0/1"),
    ),
    "it waits for a GPU": (
        at(Phase.PENDING, "InsufficientGPU", "b holds them"),
        *("Pending", "Pending", "0/1"),
    ),
    "its model is on its way": (
        at(Phase.LOADING, "Loading"),
        *("Pending", "PodInitializing", "0/1"),
    ),
    "its model cannot be had": (
        at(Phase.FAILED, "ModelLoadFailed", failure=NO_MODEL),
        *("Pending", "ModelLoadFailed", "0/1"),
    ),
    "it starts": (at(Phase.STARTING), "Running", "Running", "0/1"),
    "it is ready": (at(Phase.READY), "Running", "Running", "1/1"),
    "its probe fails": (at(Phase.NOT_READY, "Unready", "503"), "Running", "Running", "0/1"),
    "it has just ended": (
        at(Phase.FAILED, "Error", failure=ENDED),
        *("Running", "Error", "0/1"),
    ),
    "it has outgrown its memory": (
        at(Phase.FAILED, "OOMKilled", failure=OOM),
        *("Running", "OOMKilled", "0/1"),
    ),
    "it ends again and again": (
        at(Phase.FAILED, "CrashLoopBackOff", failure=ENDED, restarts=2),
        *("Running", "CrashLoopBackOff", "0/1"),
    ),
    "it is prepared for its next life": (
        at(Phase.PENDING, "Preparing", failure=ENDED, restarts=2),
        *("Running", "ContainerCreating", "0/1"),
    ),
    "it cannot run here": (
        at(Phase.FAILED, "Unsupported", failure=Failure("Unsupported", "", None, 1.0)),
        *("Pending", "Unsupported", "0/1"),
    ),
    "it is told to end": (at(Phase.STOPPING, "Stopped"), "Running", "Terminating", "0/1"),
}


@pytest.mark.parametrize(("replica", "phase", "word", "ready"), ROWS.values(), ids=ROWS)
def test_a_row(replica: Replica, phase: str, word: str, ready: str) -> None:
    status = pod_status(CONTAINER, replica, {})
    pod: Json = {"status": status}
    assert (status["phase"], word_of(pod), ready_of(pod)) == (phase, word, ready)
    assert is_true(status) is replica.ready
    (container,) = status["containerStatuses"]
    assert len(container["state"]) == 1
    assert container["restartCount"] == replica.restarts
    assert pod_status(CONTAINER, replica, status) == status  # looked at again, nothing changes


def test_what_has_ended_stays_to_be_read() -> None:
    again = at(Phase.READY, restarts=1, failure=OOM)
    (container,) = pod_status(CONTAINER, again, {})["containerStatuses"]
    assert container["lastState"]["terminated"] == {
        "exitCode": 137,
        "reason": "OOMKilled",
        "message": "its processes hold 300 MiB",
        "finishedAt": "1970-01-01T00:01:40Z",
    }
    assert "running" in container["state"]


def test_it_runs_since_it_started_and_not_since_it_is_ready() -> None:
    started = pod_status(CONTAINER, at(Phase.STARTING), {})
    ready = pod_status(CONTAINER, at(Phase.READY, since=60.0), started)
    assert ready["containerStatuses"][0]["state"] == {
        "running": {"startedAt": "1970-01-01T00:00:50Z"}
    }
    again = pod_status(CONTAINER, at(Phase.READY, since=70.0, restarts=1), ready)
    assert again["containerStatuses"][0]["state"] == {
        "running": {"startedAt": "1970-01-01T00:01:10Z"}
    }


def test_the_life_that_ended_has_its_beginning() -> None:
    runs = pod_status(CONTAINER, at(Phase.READY), {})
    ended = pod_status(CONTAINER, at(Phase.FAILED, "OOMKilled", failure=OOM), runs)
    again = pod_status(CONTAINER, at(Phase.READY, since=120.0, restarts=1, failure=OOM), ended)
    for status in (ended, again):
        last = status["containerStatuses"][0]["lastState"]["terminated"]
        assert (last["startedAt"], last["finishedAt"]) == (
            "1970-01-01T00:00:50Z",
            "1970-01-01T00:01:40Z",
        )
    (container,) = again["containerStatuses"]
    assert container["state"] == {"running": {"startedAt": "1970-01-01T00:02:00Z"}}
    assert (
        pod_status(CONTAINER, at(Phase.READY, since=120.0, restarts=1, failure=OOM), again) == again
    )


def test_who_waits_for_a_device_is_not_scheduled() -> None:
    status = pod_status(CONTAINER, at(Phase.PENDING, "InsufficientGPU", "b holds them"), {})
    (scheduled,) = [c for c in status["conditions"] if c["type"] == "PodScheduled"]
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert scheduled["message"] == "b holds them"


@pytest.mark.parametrize("pod", [{}, {"status": 3}, {"status": {"containerStatuses": 3}}])
def test_a_pod_of_nonsense_has_cells(pod: Json) -> None:
    assert (ready_of(pod), word_of(pod)) == ("0/1", "Unknown")
