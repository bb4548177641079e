"""KServe's rules for the path behind a serviceName (`GetPredictorEndpoint`), row by row."""

import pytest

from controller.endpoints import cluster_endpoints, whole
from tests.controller.manifests import runtime, service, sound

V1, V2 = "/v1/models/iris:predict", "/v2/models/iris/infer"
STORED = "storageUri: gs://models/iris"
V2_ASKED = "protocolVersion: v2"
RUNTIMES = (
    runtime("v2-first", protocols="[grpc-v2, v2, v1]"),
    runtime("v1-first", protocols="[v1, v2]"),
    runtime("silent", protocols="[]"),
)

PATHS = {
    "V1 unless the service says otherwise": (f"sklearn: {{{STORED}}}", V1),
    "the service's protocol": (f"sklearn: {{{STORED}, protocolVersion: v2}}", V2),
    "some frameworks speak V2 by default": (f"onnx: {{{STORED}}}", V2),
    "and so do some formats": (f"model: {{modelFormat: {{name: vLLM}}, {STORED}}}", V2),
    "a runtime by name: the first REST protocol that it lists": (
        f"model: {{modelFormat: {{name: sklearn}}, runtime: v2-first, {STORED}}}",
        V2,
    ),
    "and its list goes before the service's protocol": (
        f"model: {{modelFormat: {{name: sklearn}}, runtime: v1-first, {V2_ASKED}, {STORED}}}",
        V1,
    ),
    "a runtime that lists none leaves it to the service": (
        f"model: {{modelFormat: {{name: sklearn}}, runtime: silent, {V2_ASKED}, {STORED}}}",
        V2,
    ),
    "a runtime that nobody knows, too": (
        f"model: {{modelFormat: {{name: sklearn}}, runtime: unknown, {STORED}}}",
        V1,
    ),
    "gRPC has the model's name": (f"sklearn: {{{STORED}, protocolVersion: grpc-v2}}", "/iris"),
    "TensorFlow's gRPC has no path": (f"sklearn: {{{STORED}, protocolVersion: grpc-v1}}", "/"),
    "without storage it serves many models, and the caller names one": ("sklearn: {}", "/"),
    "except huggingface, which fetches by itself": ("huggingface: {protocolVersion: v1}", V1),
    "storage with a key counts": ("sklearn: {storage: {key: s3, path: iris}}", V1),
    "so do storageUris": ("sklearn: {}\nstorageUris: [{uri: gs://a/b}]", V1),
    "containers of one's own speak V1": ("containers: [{image: x}]", V1),
    "or what PROTOCOL says": ("containers: [{image: x, env: [{name: PROTOCOL, value: v2}]}]", V2),
    "or serve many models": (
        "containers: [{image: x, env: [{name: MULTI_MODEL_SERVER, value: 'true'}]}]",
        "/",
    ),
    "the model's name for MLServer": (
        f"sklearn: {{{STORED}, env: [{{name: MLSERVER_MODEL_NAME, value: m}}], "
        "args: [--model_name=other]}",
        "/v1/models/m:predict",
    ),
    "the model's name in one argument": (
        f"sklearn: {{{STORED}, args: [--model_name=m]}}",
        "/v1/models/m:predict",
    ),
    "the model's name in two arguments": (
        f"sklearn: {{{STORED}, args: [--model_name, m, --x]}}",
        "/v1/models/m:predict",
    ),
    "a flag without value names nothing": (f"sklearn: {{{STORED}, args: [--model_name]}}", V1),
    "the model's name of containers of one's own": (
        "containers: [{image: x, args: [--model_name=m]}]",
        "/v1/models/m:predict",
    ),
    "a transformer speaks V1, whatever its predictor speaks": (
        f"spec:\n  predictor: {{sklearn: {{{STORED}, protocolVersion: v2}}}}\n"
        "  transformer: {containers: [{image: x}]}",
        V1,
    ),
    "or what its PROTOCOL says, also without storage": (
        "spec:\n  predictor: {sklearn: {}}\n"
        "  transformer: {containers: [{image: x, env: [{name: PROTOCOL, value: v2}]}]}",
        V2,
    ),
    "the transformer's name for the model goes first": (
        f"spec:\n  predictor: {{sklearn: {{{STORED}, args: [--model_name=m]}}}}\n"
        "  transformer: {containers: [{image: x, args: [--model_name=t]}]}",
        "/v1/models/t:predict",
    ),
    "then the predictor's": (
        f"spec:\n  predictor: {{sklearn: {{{STORED}, args: [--model_name=m]}}}}\n"
        "  transformer: {containers: [{image: x}]}",
        "/v1/models/m:predict",
    ),
}


@pytest.mark.parametrize(("spec", "path"), PATHS.values(), ids=PATHS)
def test_path(spec: str, path: str) -> None:
    endpoints, problems = cluster_endpoints(sound(service(spec), *RUNTIMES))
    assert problems == []
    assert endpoints["default/iris"].path == path


ADDRESSES = {
    "the predictor": (f"sklearn: {{{STORED}}}", "http://iris-predictor.prod.svc.cluster.local"),
    "a variant of it": (
        f"name: blue\nsklearn: {{{STORED}}}",
        "http://iris-blue-predictor.prod.svc.cluster.local",
    ),
    "the transformer before it": (
        f"spec:\n  predictor: {{sklearn: {{{STORED}}}}}\n"
        "  transformer: {containers: [{image: x}]}",
        "http://iris-transformer.prod.svc.cluster.local",
    ),
}


@pytest.mark.parametrize(("spec", "address"), ADDRESSES.values(), ids=ADDRESSES)
def test_address_in_a_cluster(spec: str, address: str) -> None:
    endpoints, _ = cluster_endpoints(sound(service(spec, namespace="prod")))
    assert endpoints == {"prod/iris": whole((address,), V1)}


def test_a_service_that_speaks_grpc_is_called_so() -> None:
    text = f"sklearn: {{{STORED}, protocolVersion: grpc-v2, args: [--model_name=m]}}"
    endpoints, _ = cluster_endpoints(sound(service(text, namespace="prod")))
    address = "grpc://iris-predictor.prod.svc.cluster.local"
    assert endpoints == {"prod/iris": whole((address,), "/m")}


def test_a_runtime_without_rest_is_a_problem() -> None:
    text = f"model: {{modelFormat: {{name: sklearn}}, runtime: grpc, {STORED}}}"
    endpoints, problems = cluster_endpoints(
        sound(service(text), runtime("grpc", protocols="[grpc-v2]"))
    )
    assert endpoints == {}
    assert [p.problem.code for p in problems] == ["no-rest-protocol"]
