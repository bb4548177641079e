"""Whatever a manifest says, the answer is a resource or problems, never an exception."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.resources.admission import admit
from controller.resources.fix import fixed
from controller.resources.kinds import named
from controller.resources.parse import parse
from graph.loader import load

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "v1", "oci://", "s3://b/m", "[", "{{.Name}}", "\x00", "é"])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
SERVICE: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {
        "name": "iris",
        "labels": {"a": "b"},
        "annotations": {
            "serving.kserve.io/deploymentMode": "RawDeployment",
            "serving.kserve.io/autoscalerClass": "keda",
            "serving.kserve.io/gpu-resource-types": "[]",
        },
    },
    "spec": {
        "canaryTrafficPercent": 10,
        "predictor": {
            "minReplicas": 1,
            "name": "a",
            "sklearn": {"storageUri": "pvc://a", "env": [{"name": "PYTHONPATH", "value": "x"}]},
            "model": {
                "modelFormat": {"name": "x"},
                "confidential": {"enabled": True, "resourceId": "x"},
                "resources": {"limits": {"a.b/gpu": 1, "cpu": "1"}},
            },
            "containers": [{"name": "transformer-container"}, {"image": "b"}],
            "storageUris": [{"uri": "a", "mountPath": "/a"}, {"uri": "b", "mountPath": "/b"}],
            "workerSpec": {"containers": [{"name": "a"}], "tensorParallelSize": 1},
            "logger": {"mode": "all", "storage": {"path": "a"}},
            "autoScaling": {
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "memory",
                            "target": {"type": "AverageValue", "averageValue": "1Mi"},
                        },
                    },
                    {"type": "External", "external": {"metric": {}, "target": {}}},
                ]
            },
        },
        "transformer": {"custom": {"container": {"image": "x"}}},
        "explainer": {"alibi": {"type": "a", "config": {"b": "c"}, "storageUri": "d"}},
        "canary": [{"trafficPercent": 1, "predictor": {"name": "b", "onnx": {}}}],
        "default": {"predictor": {"parallelism": 1}},
    },
    "status": {"deploymentMode": "Standard", "conditions": [{"type": "a", "status": "b"}]},
}
RUNTIME: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "r", "namespace": "a"},
    "spec": {
        "supportedModelFormats": [{"name": "a", "autoSelect": True, "priority": 1}],
        "protocolVersions": ["v1"],
        "containers": [{"name": "kserve-container", "env": [{"name": "a"}]}],
        "workerSpec": {"containers": [{"name": "a"}]},
    },
}
CACHE: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "LocalModelCache",
    "metadata": {"name": "c"},
    "spec": {"sourceModelUri": "a", "modelSize": 1, "nodeGroups": ["b"]},
}
FETCHER: dict[str, Any] = {
    "apiVersion": "graphway.dev/v1alpha1",
    "kind": "StorageContainer",
    "metadata": {"name": "s"},
    "spec": {"container": {"name": "a"}, "supportedUriFormats": [{"regex": "a(", "prefix": "b"}]},
}
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "inferenceservice-config"},
    "data": {"deploy": '{"defaultDeploymentMode": "Standard"}', "logger": "[1"},
}
ALL = [SERVICE, RUNTIME, CACHE, FETCHER, CONFIG]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A manifest with some of its parts replaced, removed or added."""
    value = json.loads(json.dumps(draw(st.sampled_from(ALL))))
    for _ in range(draw(st.integers(1, 3))):
        here: Any = value
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and draw(st.integers(0, 3)):
                here = here[key]
                continue
            match draw(st.sampled_from(["replace", "remove", "add"])):
                case "replace":
                    here[key] = draw(ANYTHING)
                case "remove":
                    del here[key]
                case "add" if isinstance(here, dict):
                    here[draw(st.text(max_size=3))] = draw(ANYTHING)
            break
    return value


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(changed(), min_size=1, max_size=3))
def test_it_is_read_or_refused(manifests: list[Any]) -> None:
    text = "\n---\n".join(json.dumps(manifest) for manifest in manifests)
    documents = load(text, "a.yaml")
    found = parse(documents)
    for problem in found.problems:
        assert problem.problem.message
        assert problem.line >= 1
    resources = [item.resource for item in found.objects.values()]
    for document in documents:
        admitted = admit(document.data, old=resources[0] if resources else None, others=resources)
        assert admitted.resource is not None or admitted.problems or not named(document.kind)
    made = fixed(text)
    assert made is None or fixed(made) is None
