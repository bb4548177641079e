"""What admission writes into a service, row by row, and that a second time changes nothing."""

from typing import Any

import pytest
import yaml

from controller.resources.admission import admit
from controller.resources.config import (
    Config,
    DeployConfig,
    InferenceServicesConfig,
    LocalModelConfig,
    ResourceConfig,
    SecurityConfig,
)
from controller.resources.core import ObjectMeta
from controller.resources.defaulting import defaulted
from controller.resources.inferenceservice import InferenceService
from controller.resources.localmodel import (
    AnyLocalModelCache,
    LocalModelCache,
    LocalModelCacheSpec,
    LocalModelNamespaceCache,
)
from controller.resources.model import dump
from tests.controller.manifests import only_service, service

# No resources, so that a row shows only what it is about.
BARE = ResourceConfig(cpu_limit="", memory_limit="", cpu_request="", memory_request="")
QUIET = Config(inference_service=InferenceServicesConfig(resource=BARE))
STANDARD = QUIET.model_copy(update={"deploy": DeployConfig(default_deployment_mode="Standard")})
CACHED = QUIET.model_copy(update={"local_model": LocalModelConfig(enabled=True)})
NO_TOKEN = QUIET.model_copy(
    update={"security": SecurityConfig(auto_mount_service_account_token=False)}
)
MODE = "serving.kserve.io/deploymentMode"

ROWS: dict[str, tuple[str, str, Config, str, str]] = {
    # given below spec.predictor; annotations; configuration; made of both
    "a framework is a model of that format": (
        "sklearn: {storageUri: a, args: [b]}",
        "",
        QUIET,
        "model: {modelFormat: {name: sklearn}, storageUri: a, args: [b]}",
        "modelFormat: sklearn",
    ),
    "what stands beside it stays": (
        "lightgbm: {storageUri: a}\nminReplicas: 2",
        "",
        QUIET,
        "model: {modelFormat: {name: lightgbm}, storageUri: a}\nminReplicas: 2",
        "modelFormat: lightgbm",
    ),
    "ONNX speaks V2": (
        "onnx: {storageUri: a}",
        "",
        QUIET,
        "model: {modelFormat: {name: onnx}, storageUri: a, protocolVersion: v2}",
        "modelFormat: onnx",
    ),
    "unless the manifest says otherwise": (
        "triton: {protocolVersion: grpc-v2}",
        "",
        QUIET,
        "model: {modelFormat: {name: triton}, protocolVersion: grpc-v2}",
        "modelFormat: triton",
    ),
    "so does vLLM as a model": (
        "model: {modelFormat: {name: vLLM}}",
        "",
        QUIET,
        "model: {modelFormat: {name: vLLM}, protocolVersion: v2}",
        "modelFormat: vLLM",
    ),
    "the format that is named stays named": (
        "model: {modelFormat: {name: sklearn}}",
        "modelFormat: other",
        QUIET,
        "model: {modelFormat: {name: sklearn}}",
        "modelFormat: other",
    ),
    "ModelMesh reads frameworks itself": (
        "sklearn: {storageUri: a}",
        f"{MODE}: ModelMesh",
        QUIET,
        "sklearn: {storageUri: a}",
        f"{MODE}: ModelMesh",
    ),
    "a cluster's mode is written down": (
        "containers: [{name: kserve-container}]",
        "",
        STANDARD,
        "containers: [{name: kserve-container}]",
        f"{MODE}: Standard",
    ),
    "that of Knative is not": (
        "containers: [{name: kserve-container}]",
        "",
        QUIET,
        "containers: [{name: kserve-container}]",
        "",
    ),
    "a lone container is the one that serves": (
        "containers: [{name: mine}]",
        "",
        QUIET,
        "containers: [{name: kserve-container}]",
        "",
    ),
    "the first of several keeps its name": (
        "containers: [{name: mine}, {name: other}]",
        "",
        QUIET,
        "containers: [{name: mine}, {name: other}]",
        "",
    ),
    "or gets one": (
        "containers: [{image: mine}, {name: other}]",
        "",
        QUIET,
        "containers: [{image: mine, name: kserve-container}, {name: other}]",
        "",
    ),
    "a container gets the resources that it does not name": (
        "containers: [{name: kserve-container, resources: {limits: {memory: 8Gi}}}]",
        "",
        Config(),
        "containers: [{name: kserve-container, resources: {limits: {cpu: '1', memory: 8Gi},"
        " requests: {cpu: '1', memory: 2Gi}}}]",
        "",
    ),
    "a model gets none: its runtime has them": (
        "model: {modelFormat: {name: sklearn}}",
        "",
        Config(),
        "model: {modelFormat: {name: sklearn}}",
        "modelFormat: sklearn",
    ),
    "no token where the cluster gives none": (
        "model: {modelFormat: {name: sklearn}}",
        "",
        NO_TOKEN,
        "model: {modelFormat: {name: sklearn}}\nautomountServiceAccountToken: false",
        "modelFormat: sklearn",
    ),
    "unless one is asked for": (
        "model: {modelFormat: {name: sklearn}}\nautomountServiceAccountToken: true",
        "",
        NO_TOKEN,
        "model: {modelFormat: {name: sklearn}}\nautomountServiceAccountToken: true",
        "modelFormat: sklearn",
    ),
}


def parsed(text: str, annotations: str = "") -> InferenceService:
    return only_service(service(text, annotations=f"{{{annotations}}}")).resource


@pytest.mark.parametrize(
    ("given", "annotations", "config", "made", "annotated"), ROWS.values(), ids=ROWS
)
def test_defaults(given: str, annotations: str, config: Config, made: str, annotated: str) -> None:
    found = defaulted(parsed(given, annotations), config)
    said = dump(found)
    assert said["spec"]["predictor"] == yaml.safe_load(made)
    assert said["metadata"].get("annotations", {}) == yaml.safe_load(f"{{{annotated}}}")
    assert defaulted(found, config) == found


def component(name: str, text: str) -> dict[str, Any]:
    given = parsed(f"spec:\n  predictor: {{sklearn: {{}}}}\n  {name}: {text}")
    found: dict[str, Any] = dump(defaulted(given, QUIET))["spec"][name]
    return found


def test_the_first_container_of_a_transformer_serves_whatever_its_name() -> None:
    made = component("transformer", "{containers: [{name: mine}, {name: other}]}")
    assert [c["name"] for c in made["containers"]] == ["kserve-container", "other"]


def test_an_explainer_of_art_has_a_version() -> None:
    assert component("explainer", "{art: {type: a}}")["art"]["runtimeVersion"] == "latest"
    made = component("explainer", "{art: {type: a, runtimeVersion: '1'}}")
    assert made["art"]["runtimeVersion"] == "1"


def test_canaries_are_models_too() -> None:
    given = parsed(
        "spec:\n  predictor: {sklearn: {}}\n"
        "  canary: [{trafficPercent: 1, predictor: {name: a, onnx: {}}}]"
    )
    (made,) = defaulted(given, QUIET).spec.canary
    assert made.predictor.model is not None
    assert made.predictor.model.model_format.name == "onnx"


def test_two_frameworks_stay_for_validation_to_refuse() -> None:
    data = yaml.safe_load(service("sklearn: {}\nonnx: {}"))
    assert [p.code for p in admit(data).problems] == ["several-implementations"]


def cache(
    name: str, uri: str, groups: tuple[str, ...] = ("gpus",), namespace: str | None = None
) -> AnyLocalModelCache:
    spec = LocalModelCacheSpec(source_model_uri=uri, model_size="1Gi", node_groups=groups)
    kind = LocalModelCache if namespace is None else LocalModelNamespaceCache
    return kind(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


CLUSTER = cache("cluster", "s3://b/m/")
BOUND = {
    "the cache of this model": ("s3://b/m", "", [CLUSTER], "cluster-gpus"),
    "what lies below it": ("s3://b/m/v2", "", [CLUSTER], "cluster-gpus"),
    "nothing of a longer name": ("s3://b/model", "", [CLUSTER], None),
    "the namespace's before the cluster's": (
        "s3://b/m",
        "",
        [CLUSTER, cache("own", "s3://b/m", namespace="default")],
        "own-gpus",
    ),
    "no other namespace's": ("s3://b/m", "", [cache("own", "s3://b/m", namespace="prod")], None),
    "on the nodes that are asked for": (
        "s3://b/m",
        "serving.kserve.io/nodegroup: big",
        [CLUSTER, cache("big", "s3://b/m", ("small", "big"))],
        "big-big",
    ),
    "unless it is switched off": (
        "s3://b/m",
        "serving.kserve.io/disable-localmodel: ''",
        [CLUSTER],
        None,
    ),
}


@pytest.mark.parametrize(("uri", "annotations", "caches", "claim"), BOUND.values(), ids=BOUND)
def test_a_kept_model_is_found(
    uri: str, annotations: str, caches: list[AnyLocalModelCache], claim: str | None
) -> None:
    found = defaulted(parsed(f"sklearn: {{storageUri: {uri}}}", annotations), CACHED, caches)
    given = found.metadata.annotations.get("internal.serving.kserve.io/localmodel-pvc-name")
    assert given == claim
    assert bool(found.metadata.labels) == (claim is not None)
    assert not defaulted(found, CACHED, ()).metadata.labels


def test_a_model_is_bound_only_where_caches_are_on() -> None:
    given = parsed("sklearn: {storageUri: s3://b/m}")
    assert not defaulted(given, QUIET, [CLUSTER]).metadata.labels


def test_admission_gives_what_will_be_kept() -> None:
    data = yaml.safe_load(service("sklearn: {storageUri: s3://b/m}"))
    data["apiVersion"] = "serving.kubeflow.org/v1beta1"
    found = admit(data, others=[CLUSTER], config=CACHED)
    assert [p.code for p in found.problems] == ["older-form"]
    assert found.resource is not None
    said = dump(found.resource)
    assert said["apiVersion"] == "serving.kserve.io/v1beta1"
    assert said["spec"]["predictor"]["model"]["storageUri"] == "s3://b/m"


def test_admission_compares_with_what_was_there() -> None:
    old = admit(yaml.safe_load(service("name: a\nsklearn: {storageUri: x}"))).resource
    refused = admit(yaml.safe_load(service("name: b\nsklearn: {storageUri: x}")), old=old)
    assert [p.code for p in refused.problems] == ["immutable"]
    assert refused.resource is None
