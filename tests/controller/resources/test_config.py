"""The configuration of a cluster: JSON inside a ConfigMap, with every fault of it."""

import pytest

from controller.resources.config import Config, config_of, is_config
from controller.resources.core import ObjectMeta
from controller.resources.credentials import ConfigMap
from graph.problems import Problem


def read(**data: str) -> tuple[Config, list[Problem]]:
    meta = ObjectMeta(name="inferenceservice-config", namespace="kserve")
    found = ConfigMap(metadata=meta, data=data)
    assert is_config(found)
    return config_of(found)


def test_no_key_is_what_kserve_ships() -> None:
    assert read() == (Config(), [])
    assert not is_config(ConfigMap(metadata=ObjectMeta(name="other")))


def test_what_is_said_counts_and_the_rest_is_as_shipped() -> None:
    config, problems = read(
        deploy='{"defaultDeploymentMode": "RawDeployment"}',
        inferenceService='{"serviceAnnotationDisallowedList": ["a"], "resource": {"cpuLimit": ""}}',
        multiNode='{"customGPUResourceTypeList": ["b/gpu"]}',
        _example="{not JSON",
    )
    assert problems == []
    assert config.deployment_mode == "Standard"
    assert config.inference_service.resource.cpu_limit == ""
    assert config.inference_service.resource.memory_limit == "2Gi"
    assert {"a", "modelFormat"} <= config.disallowed_annotations
    assert config.disallowed_labels == {"networking.knative.dev/visibility"}
    assert config.multi_node.custom_gpu_resource_type_list == ("b/gpu",)


FAULTS = {
    "no JSON": ({"deploy": "{"}, "bad-value", "holds no JSON"),
    "no mapping": ({"deploy": "[]"}, "wrong-type", "expected a mapping"),
    "a mode that is none": (
        {"deploy": '{"defaultDeploymentMode": "Standart"}'},
        "bad-value",
        "did you mean `Standard`?",
    ),
    "a quantity that is none": (
        {"agent": '{"cpuLimit": "much"}'},
        "bad-value",
        "cpuLimit: text `much` does not match",
    ),
    "a key that nobody knows": ({"loger": "{}"}, "ignored-field", "did you mean `logger`?"),
    "a word that nobody knows": (
        {"logger": '{"defaultURL": "x"}'},
        "ignored-field",
        "did you mean `defaultUrl`?",
    ),
}


@pytest.mark.parametrize(("data", "code", "words"), FAULTS.values(), ids=FAULTS)
def test_faults(data: dict[str, str], code: str, words: str) -> None:
    config, problems = read(**data)
    assert [(p.code, p.path) for p in problems] == [(code, ("data", next(iter(data))))]
    assert words in problems[0].message
    assert config == Config()


def test_an_unknown_word_takes_nothing_else_away() -> None:
    config, problems = read(ingress='{"ingressDomain": "a.b", "modelBasedRouting": {}}')
    assert config.ingress.ingress_domain == "a.b"
    assert len(problems) == 1
