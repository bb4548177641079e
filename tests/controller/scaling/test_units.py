"""Units as the scaler sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from controller.desired import Wanted, World, desired
from controller.local.plan import HERE
from controller.resources.core import PodSpec
from controller.resources.credentials import ConfigMap
from controller.scaling.knobs import Knobs
from controller.scaling.policy import ByRequests, ByResources, Goal
from controller.scaling.scaler import Load, Scaler
from controller.scaling.units import Configuration, UnitScale, policy_of_component
from controller.workload import Component
from tests.controller.manifests import only_service, service

KEY = "default/iris"
CONTAINER = "containers: [{command: [run], resources: {requests: {cpu: 200m}, limits: {cpu: 1}}}]"


@dataclass(frozen=True)
class Unit:
    name: str
    component: Component


def component(said: str = "", annotations: str = "{}") -> Component:
    text = service(f"spec:\n  predictor: {{{CONTAINER}{said}}}", annotations=annotations)
    made = desired(only_service(text), World(terms=HERE), None)
    assert isinstance(made, Wanted)
    return made.units[0].component


def no_load() -> Mapping[tuple[str, str], Load]:
    return {}


def scale(ready: int = 0) -> UnitScale:
    scaler = Scaler(no_load, lambda _service: None, clock=lambda: 0.0)
    return UnitScale(scaler, lambda _service, _unit: ready)


UNIT = Unit("predictor-00001", component(", minReplicas: 2, maxReplicas: 5"))


def test_a_policy_knows_the_service_and_what_its_container_requests() -> None:
    cpu = policy_of_component(component(", scaleMetric: cpu"))
    assert cpu.by == ByResources((Goal("cpu", 0.16, "80% of 200m"),))
    rps = policy_of_component(component(annotations="{autoscaling.knative.dev/target: '10'}"))
    assert rps.by == ByRequests(target=7.0)


def test_a_policy_counts_a_limit_as_a_request() -> None:
    said = component(", scaleMetric: cpu")
    (container,) = said.pod.containers
    assert container.resources is not None
    limited = container.resources.model_copy(update={"requests": {}})
    pod = said.pod.model_copy(
        update={"containers": (container.model_copy(update={"resources": limited}),)}
    )
    by = policy_of_component(_with(said, pod)).by
    assert by == ByResources((Goal("cpu", 0.8, "80% of 1"),))


def test_a_policy_without_resources_cannot_scale_by_them() -> None:
    said = component(", scaleMetric: cpu")
    (container,) = said.pod.containers
    bare = container.model_copy(update={"resources": None})
    found = policy_of_component(_with(said, said.pod.model_copy(update={"containers": (bare,)})))
    assert found.by is None
    assert found.problems


def _with(said: Component, pod: PodSpec) -> Component:
    return replace(said, pod=pod)


def test_it_tells_what_was_asked_for_and_forgets_the_rest() -> None:
    scaled = scale(ready=1)
    inner = Unit("predictor-00002", component())
    assert scaled.replicas(KEY, "iris-00001", UNIT) == 2
    assert scaled.replicas(f"{KEY}.predictor-00002", "", inner) == 1
    told = scaled.told(KEY)
    assert [*told] == [(KEY, "iris-00001"), (f"{KEY}.predictor-00002", "")]
    assert told[KEY, "iris-00001"].ready == 1
    assert scaled.unit_of((f"{KEY}.predictor-00002", "")) == (KEY, "predictor-00002")
    scaled.replicas(KEY, "iris-00001", UNIT)
    assert [*scaled.told(KEY)] == [(KEY, "iris-00001")]
    assert scaled.unit_of((f"{KEY}.predictor-00002", "")) is None
    scaled.forget(KEY)
    assert scaled.unit_of((KEY, "iris-00001")) is None


def test_the_configuration_counts_as_it_is_now() -> None:
    now = Knobs()
    scaled = UnitScale(
        Scaler(no_load, lambda _service: None, clock=lambda: 0.0),
        lambda _service, _unit: 0,
        lambda: now,
    )
    scaled.replicas(KEY, "iris-00001", UNIT)
    now = Knobs(target_concurrency=10)
    scaled.replicas(KEY, "iris-00001", UNIT)
    assert scaled.told(KEY)[KEY, "iris-00001"].policy.by == ByRequests(target=7.0)


def test_the_config_map_is_read_anew_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    found: list[ConfigMap] = []
    config = Configuration(lambda: found)
    assert config() == Knobs()
    found += [
        config_map("other", {"stable-window": "9s"}),
        config_map("config-autoscaler", {"stable-window": "10s", "max-scale": "many"}),
    ]
    assert config() == config() == Knobs(stable_s=10.0)
    (record,) = caplog.records
    assert record.getMessage() == (
        "ConfigMap config-autoscaler, max-scale: `many` is no whole number; write one, 0 or more"
    )
    found.clear()
    assert config() == Knobs()


def config_map(name: str, data: dict[str, str]) -> ConfigMap:
    said = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return ConfigMap.model_validate(said)
