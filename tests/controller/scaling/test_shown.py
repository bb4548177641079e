"""Decisions as HorizontalPodAutoscalers, and their changes as events."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.api.table import table
from controller.resources.codes import Code
from controller.scaling.decide import Decision, Mode
from controller.scaling.policy import ByRequests, ByResources, Goal, Policy
from controller.scaling.scaler import Key, Scaled
from controller.scaling.shown import decided_before, show
from controller.store.own_kinds import ALL_KINDS, AUTOSCALER, EVENT
from controller.store.recorder import Recorder
from controller.store.refs import Json, Ref
from controller.store.store import Store
from controller.view import SERVICE

KEY: Key = ("default/iris", "iris-00001")
INNER: Key = ("default/iris.predictor-00001", "")
TEN = Policy(0, 5, ByRequests(target=10.0))
ONE = Scaled(TEN, Decision(1, reason="a new revision"), 1)


class Time:
    def __init__(self) -> None:
        self.at = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(tmp_path: Path, time: Time) -> Iterator[Store]:
    store = Store(tmp_path / "state.db", ALL_KINDS, clock=time)
    yield store
    store.close()


@pytest.fixture
def service(store: Store) -> Json:
    spec = {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}}
    metadata = {"name": "iris", "namespace": "default"}
    said = {"apiVersion": SERVICE.api_version, "kind": SERVICE.name, "metadata": metadata}
    return store.create(SERVICE, said | {"spec": spec})


def shown(store: Store, name: str = "iris-00001") -> Json:
    return store.get(Ref(AUTOSCALER, "default", name))


def conditions(hpa: Json) -> dict[str, tuple[str, str, str]]:
    return {
        each["type"]: (each["status"], each["reason"], each["message"])
        for each in hpa["status"]["conditions"]
    }


def test_it_says_what_is_scaled_by_what_and_why(store: Store, service: Json) -> None:
    show(store, Recorder(store), service, {KEY: ONE})
    found = shown(store)
    assert found["spec"] == {
        "scaleTargetRef": {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "name": "iris",
        },
        "minReplicas": 0,
        "maxReplicas": 5,
        "metrics": [
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "concurrency"},
                    "target": {"type": "AverageValue", "averageValue": "10"},
                },
            }
        ],
    }
    assert (found["status"]["currentReplicas"], found["status"]["desiredReplicas"]) == (1, 1)
    assert "lastScaleTime" not in found["status"]
    assert conditions(found) == {
        "AbleToScale": ("True", "ReadyForNewScale", "a new revision"),
        "ScalingActive": ("True", "ValidMetricFound", "in stable mode"),
        "ScalingLimited": ("False", "DesiredWithinRange", "as many as are wanted"),
    }


def test_it_is_a_row_as_kubectl_prints_one(store: Store, service: Json, time: Time) -> None:
    by = ByResources((Goal("cpu", 0.4, "80% of 500m"), Goal("memory", 2.0**29, "50% of 1Gi")))
    resources = Scaled(Policy(1, 3, by), Decision(2), 1)
    show(store, Recorder(store), service, {KEY: ONE, INNER: resources})
    items = store.list(AUTOSCALER).items
    found = table(AUTOSCALER, items, {}, include="None", now=time())
    assert [column["name"] for column in found["columnDefinitions"]][:6] == [
        *("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas"),
    ]
    assert [row["cells"][:6] for row in found["rows"]] == [
        ["iris-00001", "inferenceservice/iris", "concurrency: 10", 0, 5, 1],
        ["iris.predictor-00001", "inferenceservice/iris", "cpu: 400m, memory: 512Mi", 1, 3, 1],
    ]


def test_a_change_is_told_with_its_reason_and_time(store: Store, service: Json, time: Time) -> None:
    recorder = Recorder(store)
    show(store, recorder, service, {KEY: ONE})
    time.at = datetime(2030, 1, 1, 0, 5, tzinfo=UTC)
    grown = Decision(5, Mode.PANIC, "a burst", capped=True)
    show(store, recorder, service, {KEY: Scaled(TEN, grown, 1)})
    found = shown(store)
    assert (found["status"]["currentReplicas"], found["status"]["desiredReplicas"]) == (1, 5)
    assert found["status"]["lastScaleTime"] == "2030-01-01T00:05:00Z"
    assert conditions(found) == {
        "AbleToScale": ("True", "ReadyForNewScale", "a burst"),
        "ScalingActive": ("True", "ValidMetricFound", "in panic mode"),
        "ScalingLimited": ("True", "TooManyReplicas", "more are wanted than maxReplicas 5"),
    }
    since = {c["type"]: c["lastTransitionTime"] for c in found["status"]["conditions"]}
    assert since["AbleToScale"] == "2030-01-01T00:00:00Z"
    assert since["ScalingLimited"] == "2030-01-01T00:05:00Z"
    (event,) = store.list(EVENT).items
    assert (event["reason"], event["type"], event["involvedObject"]["name"]) == (
        "SuccessfulRescale",
        "Normal",
        "iris",
    )
    assert event["message"] == "iris-00001 goes from 1 to 5 replicas in panic: a burst"


def test_the_same_again_writes_nothing(store: Store, service: Json, time: Time) -> None:
    recorder = Recorder(store)
    show(store, recorder, service, {KEY: ONE})
    version, time.at = store.version, datetime(2030, 1, 2, tzinfo=UTC)
    show(store, recorder, service, {KEY: ONE})
    assert store.version == version


def test_other_bounds_are_shown(store: Store, service: Json) -> None:
    show(store, Recorder(store), service, {KEY: ONE})
    show(store, Recorder(store), service, {KEY: replace(ONE, policy=replace(TEN, most=9))})
    assert shown(store)["spec"]["maxReplicas"] == 9


def test_what_cannot_be_scaled_says_why(store: Store, service: Json) -> None:
    problem = Code.SCALED_OTHERWISE.at(("spec", "predictor"), "use Resource")
    fixed = Scaled(Policy(1, 1, None, (problem,)), Decision(1, Mode.FIXED, "fixed"), 1)
    show(store, Recorder(store), service, {KEY: fixed})
    found = shown(store)
    assert conditions(found)["ScalingActive"] == ("False", "InvalidMetricSpec", "use Resource")
    assert "metrics" not in found["spec"]


def test_a_fixed_number_is_not_shown(store: Store, service: Json) -> None:
    show(store, Recorder(store), service, {KEY: Scaled(Policy(2, 2), Decision(2, Mode.FIXED), 2)})
    assert store.list(AUTOSCALER).items == []


def test_it_goes_with_its_revision_and_with_its_service(store: Store, service: Json) -> None:
    other: Key = ("default/iris", "iris-00002")
    show(store, Recorder(store), service, {KEY: ONE, other: ONE})
    show(store, Recorder(store), service, {other: ONE})
    assert [each["metadata"]["name"] for each in store.list(AUTOSCALER).items] == ["iris-00002"]
    store.delete(Ref.of(SERVICE, service))
    assert store.list(AUTOSCALER).items == []


def test_the_next_run_knows_what_was_decided(store: Store, service: Json) -> None:
    assert decided_before(store, "default/iris", KEY) is None
    show(store, Recorder(store), service, {KEY: Scaled(TEN, Decision(0), 0)})
    assert decided_before(store, "default/iris", KEY) == 0
    assert decided_before(store, "default/iris-00001", ("default/iris-00001", "iris-00001")) is None
