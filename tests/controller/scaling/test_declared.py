"""What a component says of its scaling -> a policy, and the problems of what cannot be done."""

from typing import Any

import pytest

from controller.resources.component import ComponentExtensionSpec
from controller.scaling.declared import policy_of
from controller.scaling.knobs import Knobs, configured
from controller.scaling.policy import ByRequests, ByResources, Goal, Metric, Policy
from graph.problems import Path

AUTOSCALER = "serving.kserve.io/autoscalerClass"
MODE = "serving.kserve.io/deploymentMode"
REQUESTS = {"cpu": "500m", "memory": "1Gi"}
PREDICTOR = ("spec", "predictor")


def policy(
    spec: dict[str, Any],
    annotations: dict[str, str] | None = None,
    *,
    requests: dict[str, float | str] | None = None,
    config: dict[str, str] | None = None,
) -> Policy:
    knobs, faults = configured(config or {})
    assert not faults
    declared = ComponentExtensionSpec.model_validate(spec)
    given = REQUESTS if requests is None else requests
    return policy_of(declared, PREDICTOR, annotations or {}, given, knobs)


def knative(**annotations: str) -> dict[str, str]:
    return {f"autoscaling.knative.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}


def resource(name: str, **target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def scaled(*metrics: dict[str, Any], **behavior: Any) -> dict[str, Any]:
    auto: dict[str, Any] = {"metrics": list(metrics)}
    if behavior:
        auto["behavior"] = behavior
    return {"autoScaling": auto}


BOUNDS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[int, int]]] = {
    "one replica where nobody says otherwise": ({}, {}, (1, 1)),
    "no more than the least without maxReplicas": ({"minReplicas": 3}, {}, (3, 3)),
    "zero replicas may become one": ({"minReplicas": 0}, {}, (0, 1)),
    "maxReplicas 0 says nothing": ({"minReplicas": 0, "maxReplicas": 0}, {}, (0, 1)),
    "both as they are given": ({"minReplicas": 2, "maxReplicas": 5}, {}, (2, 5)),
    "the least counts where the most is below it": (
        {"minReplicas": 4, "maxReplicas": 2},
        {},
        (4, 4),
    ),
    "Knative's bounds where the fields say none": (
        {},
        knative(min_scale="2", max_scale="7"),
        (2, 7),
    ),
    "Knative's older spelling": ({}, {"autoscaling.knative.dev/maxScale": "7"}, (1, 7)),
    "the fields before Knative's bounds": ({"minReplicas": 1}, knative(min_scale="2"), (1, 1)),
    "a fixed number with autoscaler none": (
        {"minReplicas": 2, "maxReplicas": 5},
        {AUTOSCALER: "none"},
        (2, 2),
    ),
    "a fixed number with an external autoscaler": (
        {"maxReplicas": 5},
        {AUTOSCALER: "external"},
        (1, 1),
    ),
    "a fixed zero": ({"minReplicas": 0}, {AUTOSCALER: "none"}, (0, 0)),
}


@pytest.mark.parametrize(("spec", "annotations", "bounds"), BOUNDS.values(), ids=BOUNDS)
def test_bounds(spec: dict[str, Any], annotations: dict[str, str], bounds: tuple[int, int]) -> None:
    found = policy(spec, annotations)
    assert ((found.least, found.most), found.problems) == (bounds, ())


BY: dict[str, tuple[dict[str, Any], dict[str, str], ByRequests | ByResources | None]] = {
    "concurrency by default, 70 % of 100": ({}, {}, ByRequests(Metric.CONCURRENCY, 70.0)),
    "concurrency with a target": ({"scaleTarget": 10}, {}, ByRequests(target=7.0)),
    "the container's concurrency is the target where none is said": (
        {"containerConcurrency": 4},
        {},
        ByRequests(target=2.8),
    ),
    "the container's concurrency bounds the target": (
        {"containerConcurrency": 4, "scaleTarget": 10},
        {},
        ByRequests(target=2.8),
    ),
    "requests per second, 70 % of 200": (
        {"scaleMetric": "rps"},
        {},
        ByRequests(Metric.RPS, 140.0),
    ),
    "requests per second with a target, which the container's concurrency does not bound": (
        {"scaleMetric": "rps", "scaleTarget": 50, "containerConcurrency": 1},
        {},
        ByRequests(Metric.RPS, 35.0),
    ),
    "metric and target by annotation": (
        {},
        knative(metric="rps", target="20", target_utilization_percentage="50"),
        ByRequests(Metric.RPS, 10.0),
    ),
    "fields are stronger than annotations": (
        {"scaleMetric": "concurrency", "scaleTarget": 10},
        knative(metric="rps", target="20"),
        ByRequests(target=7.0),
    ),
    "annotations of the component are stronger than those of the service": (
        {"annotations": knative(target="20")},
        knative(target="10"),
        ByRequests(target=14.0),
    ),
    "windows and thresholds": (
        {},
        knative(window="2m", panic_window_percentage="5", panic_threshold_percentage="150"),
        ByRequests(stable_s=120, panic_s=6, panic_threshold=1.5),
    ),
    "a panic window is a second at least": (
        {},
        knative(window="6s", panic_window_percentage="1"),
        ByRequests(stable_s=6, panic_s=1),
    ),
    "the last replica stays as long as the longer of grace and retention": (
        {},
        knative(scale_to_zero_pod_retention_period="1m5s"),
        ByRequests(linger_s=65.0),
    ),
    "delay, initial and activation scale": (
        {},
        knative(scale_down_delay="15m", initial_scale="3", activation_scale="2"),
        ByRequests(delay_s=900.0, initial=3, activation=2),
    ),
    "cpu, 80 % of what is requested": (
        {"scaleMetric": "cpu"},
        {},
        ByResources((Goal("cpu", 0.4, "80% of 500m"),)),
    ),
    "memory with a target": (
        {"scaleMetric": "memory", "scaleTarget": 50},
        {},
        ByResources((Goal("memory", 2.0**29, "50% of 1Gi"),)),
    ),
    "cpu by autoscaler hpa": (
        {},
        {AUTOSCALER: "hpa"},
        ByResources((Goal("cpu", 0.4, "80% of 500m"),)),
    ),
    "cpu by Knative's class": (
        {},
        knative(**{"class": "hpa.autoscaling.knative.dev"}),
        ByResources((Goal("cpu", 0.4, "80% of 500m"),)),
    ),
    "cpu in mode Standard, as KServe does there": (
        {"scaleTarget": 50},
        {MODE: "RawDeployment"},
        ByResources((Goal("cpu", 0.25, "50% of 500m"),)),
    ),
    "a metric that is named is stronger than the mode": (
        {"scaleMetric": "concurrency"},
        {MODE: "Standard"},
        ByRequests(),
    ),
    "several resources": (
        scaled(
            resource("cpu", type="Utilization", averageUtilization=60),
            resource("memory", type="AverageValue", averageValue="600Mi"),
        ),
        {},
        ByResources((Goal("cpu", 0.3, "60% of 500m"), Goal("memory", 600 * 2.0**20, "600Mi"))),
    ),
    "windows of the behavior": (
        scaled(
            resource("cpu", type="AverageValue", averageValue="2"),
            scaleUp={"stabilizationWindowSeconds": 30},
            scaleDown={"stabilizationWindowSeconds": 60},
        ),
        {},
        ByResources((Goal("cpu", 2.0, "2"),), up_window_s=30.0, down_window_s=60.0),
    ),
    "nothing with autoscaler none": ({"scaleMetric": "rps"}, {AUTOSCALER: "none"}, None),
}


@pytest.mark.parametrize(("spec", "annotations", "by"), BY.values(), ids=BY)
def test_by_what(
    spec: dict[str, Any], annotations: dict[str, str], by: ByRequests | ByResources | None
) -> None:
    found = policy(spec, annotations)
    if isinstance(by, ByRequests):
        assert isinstance(found.by, ByRequests)
        assert found.by.target == pytest.approx(by.target)
        assert found.by == ByRequests(**{**_fields(by), "target": found.by.target})
    else:
        assert found.by == by
    assert found.problems == ()


def _fields(by: ByRequests) -> dict[str, Any]:
    return {name: getattr(by, name) for name in ByRequests.__slots__}


EXTERNAL = {
    "type": "External",
    "external": {"metric": {"backend": "prometheus", "query": "up"}, "target": {"value": "2"}},
}
KEPT: dict[str, tuple[dict[str, Any], dict[str, str], Path, str, str]] = {
    # words of the message; what it is scaled by all the same
    "metrics of a server": (
        scaled(EXTERNAL),
        {AUTOSCALER: "keda"},
        (*PREDICTOR, "autoScaling", "metrics", 0),
        "use Resource, or scaleMetric",
        "NoneType",
    ),
    "metrics of a server beside those of a resource": (
        scaled(EXTERNAL, resource("cpu", type="Utilization", averageUtilization=60)),
        {AUTOSCALER: "keda"},
        (*PREDICTOR, "autoScaling", "metrics", 0),
        "use Resource",
        "ByResources",
    ),
    "keda without metrics": (
        {},
        {AUTOSCALER: "keda"},
        ("metadata", "annotations", AUTOSCALER),
        "is missing; add it",
        "NoneType",
    ),
    "a resource by Value": (
        scaled(resource("cpu", type="Value", value="2")),
        {},
        (*PREDICTOR, "autoScaling", "metrics", 0, "resource", "target"),
        "averageValue or Utilization",
        "NoneType",
    ),
    "a target that has no unit": (
        {"scaleMetric": "memory", "scaleMetricType": "AverageValue", "scaleTarget": 50},
        {},
        (*PREDICTOR, "scaleMetricType"),
        "write `autoScaling.metrics`",
        "NoneType",
    ),
    "rates of the behavior": (
        scaled(
            resource("cpu", type="Utilization", averageUtilization=60),
            scaleDown={"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]},
        ),
        {},
        (*PREDICTOR, "autoScaling", "behavior", "scaleDown"),
        "remove the rest",
        "ByResources",
    ),
    "zero by cpu": (
        {"minReplicas": 0, "scaleMetric": "cpu"},
        {},
        (*PREDICTOR, "minReplicas"),
        "scale by concurrency or rps",
        "ByResources",
    ),
    "a revision that would start with none": (
        {},
        knative(initial_scale="0"),
        ("metadata", "annotations", "autoscaling.knative.dev/initial-scale"),
        "write 1",
        "ByRequests",
    ),
    "a window that is no duration, of the component": (
        {"annotations": knative(window="soon")},
        {},
        (*PREDICTOR, "annotations", "autoscaling.knative.dev/window"),
        "write one such as `30s`",
        "ByRequests",
    ),
    "a window that is too short": (
        {},
        knative(window="5s"),
        ("metadata", "annotations", "autoscaling.knative.dev/window"),
        "write 6s to 3600s",
        "ByRequests",
    ),
    "a metric that nobody knows": (
        {},
        knative(metric="moon"),
        ("metadata", "annotations", "autoscaling.knative.dev/metric"),
        "write concurrency or rps",
        "ByRequests",
    ),
    "a target that is no number": (
        {},
        knative(target="1e3"),
        ("metadata", "annotations", "autoscaling.knative.dev/target"),
        "is no number; write one",
        "ByRequests",
    ),
    "a scale that is no whole number": (
        {},
        knative(max_scale="1.5"),
        ("metadata", "annotations", "autoscaling.knative.dev/max-scale"),
        "is no whole number",
        "ByRequests",
    ),
}


@pytest.mark.parametrize(("spec", "annotations", "path", "words", "by"), KEPT.values(), ids=KEPT)
def test_what_cannot_be_done_is_told_with_place_and_remedy(
    spec: dict[str, Any], annotations: dict[str, str], path: Path, words: str, by: str
) -> None:
    found = policy(spec, annotations)
    (problem,) = found.problems
    assert (problem.path, type(found.by).__name__) == (path, by)
    assert words in problem.message
    assert found.least >= 1


def test_a_resource_of_which_none_is_requested_beside_one_that_is() -> None:
    metrics = scaled(
        resource("memory", averageUtilization=60),
        resource("cpu", averageValue="2"),
    )
    found = policy(metrics, requests={"cpu": 1})
    assert found.by == ByResources((Goal("cpu", 2.0, "2"),))
    (problem,) = found.problems
    assert "add `resources.requests.memory`" in problem.message


def test_use_of_a_resource_is_not_measured_where_none_is_requested() -> None:
    found = policy({"scaleMetric": "cpu", "maxReplicas": 3}, requests={})
    (problem,) = found.problems
    assert "add `resources.requests.cpu`" in problem.message
    assert (found.by, found.least, found.most) == (None, 1, 1)


def test_the_config_map_changes_what_is_not_said() -> None:
    found = policy(
        {"minReplicas": 0},
        knative(initial_scale="0", window="10s"),
        config={
            "allow-zero-initial-scale": "true",
            "container-concurrency-target-default": "10",
            "container-concurrency-target-percentage": "0.5",
            "max-scale": "20",
            "max-scale-limit": "8",
            "max-scale-up-rate": "4",
            "scale-to-zero-grace-period": "0s",
            "stable-window": "2m",
            "tick-interval": "2s",
        },
    )
    assert (found.least, found.most) == (0, 8)
    assert found.by == ByRequests(
        target=5.0, stable_s=10, panic_s=1, max_up=4.0, linger_s=0.0, initial=0
    )


def test_the_config_map_can_forbid_zero() -> None:
    assert policy({"minReplicas": 0}, config={"enable-scale-to-zero": "false"}).least == 1


def test_a_config_map_that_says_it_wrong_is_as_if_it_did_not() -> None:
    given = {"stable-window": "1s", "max-scale-up-rate": "1", "enable-scale-to-zero": "no"}
    knobs, faults = configured(given)
    assert knobs == Knobs()
    assert faults == {
        "stable-window": "`1s` is out of range; write 6s to 3600s",
        "max-scale-up-rate": "`1` is out of range; write 1.01 or more",
        "enable-scale-to-zero": "`no` is neither `true` nor `false`; write one of them",
    }
