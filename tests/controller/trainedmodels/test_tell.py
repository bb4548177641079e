"""The status of a TrainedModel, for each state that it and its service may be in."""

from typing import Any

import pytest

from controller.trainedmodels.tell import Parent, Servers, path, status

UP = Parent(exists=True, ready=True, multi_model=True, url="http://out/s/", address="http://in/s")
STARTING = Parent(exists=True, multi_model=True)
DONE = Servers(total=2, loaded=2, placed=True)


def told(parent: Parent, servers: Servers = DONE, refused: str | None = None) -> dict[str, Any]:
    return status("m", 3, parent, refused, servers, {}, 0.0)


def conditions(said: dict[str, Any]) -> dict[str, str]:
    return {
        c["type"]: " ".join((c["status"], c.get("reason", ""))).strip() for c in said["conditions"]
    }


def row(service: str, many: str, memory: str, loaded: str, ready: str) -> dict[str, str]:
    names = ("InferenceServiceReady", "IsMMSPredictor", "MemoryResourceAvailable")
    return dict(
        zip((*names, "Loaded", "Ready"), (service, many, memory, loaded, ready), strict=True)
    )


ROWS = {
    "all is well": (told(UP), row("True", "True", "True", "True", "True")),
    "no such service": (
        told(Parent()),
        row(
            "False InferenceServiceNotFound",
            "Unknown",
            "Unknown",
            "False",
            "False InferenceServiceNotFound",
        ),
    ),
    "a service that is not ready": (
        told(STARTING, Servers(placed=True)),
        row(
            "False InferenceServiceNotReady",
            "True",
            "True",
            "False Loading",
            "False InferenceServiceNotReady",
        ),
    ),
    "a service of one model": (
        told(Parent(exists=True, ready=True)),
        row("True", "False PredictorIsNotMMS", "Unknown", "False", "False PredictorIsNotMMS"),
    ),
    "no memory": (
        told(UP, Servers(), "too large"),
        row("True", "True", "False InsufficientMemory", "False", "False InsufficientMemory"),
    ),
    "on its way": (
        told(UP, Servers(total=1, doing="its files are on their way")),
        row("True", "True", "True", "False Loading", "False Loading"),
    ),
    "one of two has it": (
        told(UP, Servers(total=2, loaded=1, placed=True)),
        row("True", "True", "True", "False Loading", "False Loading"),
    ),
    "one of two cannot load it": (
        told(UP, Servers(total=2, loaded=1, placed=True, failures={"s-0": "bad pickle"})),
        row("True", "True", "True", "False ModelLoadFailed", "False ModelLoadFailed"),
    ),
    "a service that is ready without servers: they come with the first call": (
        told(UP, Servers(placed=True)),
        row("True", "True", "True", "True", "True"),
    ),
}


@pytest.mark.parametrize(("said", "expected"), ROWS.values(), ids=ROWS)
def test_conditions(said: dict[str, Any], expected: dict[str, str]) -> None:
    assert conditions(said) == expected
    assert said["observedGeneration"] == 3


def test_what_a_server_says_is_told_with_its_name() -> None:
    said = told(UP, Servers(total=1, placed=True, failures={"s-0": "bad pickle (500)"}))
    (ready,) = (c for c in said["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "s-0: bad pickle (500)"


def test_urls_are_those_of_the_service_and_the_model() -> None:
    said = told(UP)
    assert said["url"] == "http://out/s/v2/models/m/infer"
    assert said["address"] == {"url": "http://in/s/v2/models/m/infer"}
    assert "url" not in told(STARTING)
    assert "url" not in told(Parent(exists=True, ready=True, url="http://out"))


PATHS = {"v1": "/v1/models/m:predict", "v2": "/v2/models/m/infer", "grpc-v2": "/v2/models/m/infer"}


@pytest.mark.parametrize(("protocol", "wanted"), PATHS.items(), ids=PATHS)
def test_paths(protocol: str, wanted: str) -> None:
    assert path("m", protocol) == wanted


def test_a_condition_that_stays_keeps_its_time() -> None:
    before = told(UP)
    after = status("m", 3, UP, None, DONE, before, 99.0)
    assert after == before
