"""InferenceService and runtime merged into one pod, as KServe merges them."""

import pytest

from controller.resources.config import Config, InferenceServicesConfig
from controller.resources.core import HTTPGetAction, Probe, TCPSocketAction
from controller.workload import Mount, Terms
from tests.controller.manifests import runtime
from tests.controller.workload.rendering import built, env, made, server, whole

BESIDE = Terms(words_beside=True)
ASKS = Terms(asks_model=True)


def test_arguments_are_added_to_those_of_the_runtime() -> None:
    result = made("sklearn: {storageUri: x, args: [--more]}")
    assert result.container.args == ("--name=iris", "--more")


def test_environments_are_merged_by_name_and_the_service_wins() -> None:
    result = env(made("sklearn: {env: [{name: B, value: '3'}, {name: C, value: '4'}]}"))
    expected = {"A": "1", "B": "3", "C": "4", "INFERENCE_SERVICE_NAME": "iris"}
    assert result == expected
    assert [*result] == [*expected]


def test_what_the_service_says_of_the_container_replaces_the_runtimes() -> None:
    result = made("sklearn: {image: mine, command: [./mine], ports: [{containerPort: 9000}]}")
    assert (result.container.image, result.container.command) == ("mine", ("./mine",))
    assert [port.container_port for port in result.container.ports] == [9000]


def test_paths_lie_beside_the_manifest_that_names_them_where_there_is_one() -> None:
    spec = "sklearn: {args: [../x, /abs, plain]}"
    here = made(spec, terms=BESIDE).container
    assert here.command == ("python", "/manifests/serve.py")
    assert here.args[1:] == ("/x", "/abs", "plain")
    assert here.working_dir == "/manifests/here"
    mine = made("containers: [{image: x, args: [./x]}]", terms=BESIDE).container
    assert (mine.command, mine.args, mine.working_dir) == ((), ("/manifests/x",), None)
    there = made(spec).container
    assert (there.command, there.args[1:]) == (("python", "./serve.py"), ("../x", "/abs", "plain"))


MODEL = ("spec", "predictor", "sklearn")
MOUNTS = {
    "storageUri": (
        "sklearn: {storageUri: gs://a}",
        (Mount("/mnt/models", "gs://a", (*MODEL, "storageUri")),),
    ),
    "storageUris, each at its place": (
        "sklearn: {}\nstorageUris: [{uri: gs://a, mountPath: /mnt/a}, {uri: gs://b}]",
        (
            Mount("/mnt/a", "gs://a", ("spec", "predictor", "storageUris", 0, "uri")),
            Mount("/mnt/models", "gs://b", ("spec", "predictor", "storageUris", 1, "uri")),
        ),
    ),
    "STORAGE_URI of containers of one's own": (
        "containers: [{image: x, env: [{name: STORAGE_URI, value: gs://a}]}]",
        (Mount("/mnt/models", "gs://a", ("spec", "predictor", "containers", 0, "env")),),
    ),
    "no model": ("sklearn: {}", ()),
}


@pytest.mark.parametrize(("spec", "mounts"), MOUNTS.values(), ids=MOUNTS)
def test_mounts(spec: str, mounts: tuple[Mount, ...]) -> None:
    assert made(spec).mounts == mounts


def test_a_storage_spec_stands_for_the_uri() -> None:
    (mount,) = made("sklearn: {storage: {key: k, path: p}}").mounts
    assert mount.storage is not None
    assert (mount.uri, mount.storage.key, mount.source) == (None, "k", (*MODEL, "storage"))


def test_storage_uri_becomes_the_place_of_the_model() -> None:
    result = made("containers: [{image: x, env: [{name: STORAGE_URI, value: gs://a}]}]")
    assert env(result)["STORAGE_URI"] == "/mnt/models"


READY = {
    "a connection to the port that is called": (
        "sklearn: {storageUri: x, ports: [{containerPort: 9}, {containerPort: 7}]}",
        "v1",
        Terms(),
        {"tcp_socket": TCPSocketAction(port=9)},
    ),
    "to the usual one": (
        "containers: [{image: x}]",
        "v1",
        Terms(),
        {"tcp_socket": TCPSocketAction(port=8080)},
    ),
    "V1, where the backend asks the model": (
        "sklearn: {storageUri: x}",
        "v1",
        ASKS,
        {"http_get": HTTPGetAction(path="/v1/models/iris", port=8080)},
    ),
    "V2, where the backend asks the model": (
        "sklearn: {storageUri: x, args: [--model_name=m]}",
        "v2",
        ASKS,
        {"http_get": HTTPGetAction(path="/v2/models/m/ready", port=8080)},
    ),
    "a server of many, where the backend asks the model": (
        "sklearn: {}",
        "v2",
        ASKS,
        {"http_get": HTTPGetAction(path="/v2/health/live", port=8080)},
    ),
    "gRPC, where the backend asks the model": (
        "sklearn: {storageUri: x}",
        "grpc-v2",
        ASKS,
        {"tcp_socket": TCPSocketAction(port=8080)},
    ),
    "containers of one's own, where the backend asks the model": (
        "containers: [{image: x}]",
        "v1",
        ASKS,
        {"tcp_socket": TCPSocketAction(port=8080)},
    ),
}


@pytest.mark.parametrize(("spec", "protocol", "terms", "ask"), READY.values(), ids=READY)
def test_ready_without_a_probe_of_its_own(
    spec: str, protocol: str, terms: Terms, ask: dict[str, object]
) -> None:
    expected = Probe(
        **ask, timeout_seconds=1, period_seconds=10, success_threshold=1, failure_threshold=3
    )
    assert made(spec, protocol=protocol, terms=terms).container.readiness_probe == expected


def test_a_probe_of_its_own_stays() -> None:
    probe = made("sklearn: {readinessProbe: {exec: {command: [x]}}}").container.readiness_probe
    assert probe is not None
    assert (probe.exec is not None, probe.tcp_socket, probe.period_seconds) == (True, None, None)


def test_the_port_that_is_called_is_declared_for_those_who_choose_ports() -> None:
    result = made("sklearn: {}")
    assert [port.container_port for port in result.container.ports] == [8080]
    assert result.pod.containers[0].ports == ()


DEFAULTS = {
    "MLServer is told of its model": (
        "mlserver",
        "xgboost: {storageUri: x}",
        "v2",
        {"MLSERVER_MODEL_NAME": "iris", "MLSERVER_MODEL_URI": "/mnt/models"},
        "mlserver_xgboost.XGBoostModel",
    ),
    "MLServer without a model waits": (
        "mlserver",
        "sklearn: {}",
        "v2",
        {"MLSERVER_LOAD_MODELS_AT_STARTUP": "false"},
        "mlserver_sklearn.SKLearnModel",
    ),
    "what the service says of it stays": (
        "mlserver",
        "sklearn: {storageUri: x, env: [{name: MLSERVER_MODEL_NAME, value: mine}]}",
        "v2",
        {"MLSERVER_MODEL_NAME": "mine", "MLSERVER_MODEL_URI": "/mnt/models"},
        "mlserver_sklearn.SKLearnModel",
    ),
    "TorchServe, V1": (
        "torchserve",
        "pytorch: {storageUri: x}",
        "v1",
        {"PROTOCOL_VERSION": "v1"},
        "kserve",
    ),
    "TorchServe, V2": (
        "torchserve",
        "pytorch: {storageUri: x}",
        "v2",
        {"PROTOCOL_VERSION": "v2"},
        "kservev2",
    ),
}
ASKING = (
    "env: [{name: LABEL, value: '{{.Labels.modelClass}}{{.Labels.serviceEnvelope}}'}, "
    "{name: FORMAT, value: '{{.Annotations.modelFormat}}'}]"
)


@pytest.mark.parametrize(
    ("kind", "spec", "protocol", "told", "label"), DEFAULTS.values(), ids=DEFAULTS
)
def test_what_servers_of_a_type_are_told(
    kind: str, spec: str, protocol: str, told: dict[str, str], label: str
) -> None:
    result = env(made(spec, server(kind, container=ASKING), protocol))
    common = {
        "LABEL": label,
        "FORMAT": spec.partition(":")[0],
        "INFERENCE_SERVICE_NAME": "iris",
    }
    assert result == told | common


def test_a_runtime_of_a_name_that_kserve_shipped_is_of_that_type() -> None:
    old = runtime("kserve-mlserver", container=f"{{name: kserve-container, {ASKING}}}")
    assert env(made("sklearn: {}", old, "v2"))["LABEL"] == "mlserver_sklearn.SKLearnModel"


TRITON = {
    "without a model it waits to be told": ("triton: {}", ("--model-control-mode=explicit",)),
    "with one it loads it": ("triton: {storageUri: x}", ()),
    "unless the service says how": (
        "triton: {args: [--model-control-mode=poll]}",
        ("--model-control-mode=poll",),
    ),
}


@pytest.mark.parametrize(("spec", "args"), TRITON.values(), ids=TRITON)
def test_triton(spec: str, args: tuple[str, ...]) -> None:
    assert made(spec, server("tritonserver"), "v2").container.args == args


def test_the_image_follows_gpu_and_version() -> None:
    gpu = "resources: {limits: {nvidia.com/gpu: 1}}"
    assert made(f"pytorch: {{{gpu}}}", server("torchserve")).container.image == "server:1-gpu"
    assert (
        made("pytorch: {runtimeVersion: '7'}", server("torchserve")).container.image == "server:7"
    )


def test_labels_and_annotations_of_runtime_service_and_component() -> None:
    words = "{who: runtime, runtime: r}"
    of = runtime("server", spec=f"labels: {words}\n  annotations: {words}")
    spec = "sklearn: {}\nlabels: {who: component}\nannotations: {who: component, hidden: x}"
    config = Config(
        inference_service=InferenceServicesConfig(service_annotation_disallowed_list=("hidden",))
    )
    result = made(spec, of, annotations="{who: service, modelFormat: x, mine: s}", config=config)
    assert result.annotations == {"who": "component", "runtime": "r", "mine": "s"}
    assert result.labels == {
        "who": "component",
        "runtime": "r",
        "serving.kserve.io/inferenceservice": "iris",
        "component": "predictor",
    }


def test_of_a_runtimes_pod_all_but_its_ipc_is_carried() -> None:
    of = runtime(
        "server",
        spec="nodeSelector: {a: x}\n  hostIPC: true\n  schedulerName: mine\n"
        "  volumes: [{name: v, emptyDir: {}}]\n  tolerations: [{key: k}]",
    )
    pod = made("sklearn: {}\nnodeSelector: {b: z}\nserviceAccountName: sa", of).pod
    assert (pod.node_selector, pod.scheduler_name) == ({"a": "x", "b": "z"}, "mine")
    assert (pod.host_ipc, pod.service_account_name) == (None, "sa")
    assert [(v.name, t.key) for v, t in zip(pod.volumes, pod.tolerations, strict=True)] == [
        ("v", "k")
    ]


def names(*, of: str, spec: str) -> tuple[list[str | None], str | None]:
    """Of the containers, and of the one that is called."""
    result = made(spec, of)
    return [container.name for container in result.pod.containers], result.container.name


TWO = "{name: side, image: a, args: [x]}, {name: kserve-container, image: 'b:1'}"
MODEL_AND = "sklearn: {}\ncontainers: "


def test_containers_beside_the_serving_one_come_after_it() -> None:
    of = runtime("r", container=TWO)
    spec = f"{MODEL_AND}[{{name: own, image: c}}, {{name: side, args: [z]}}]"
    assert names(of=of, spec=spec) == (["kserve-container", "side", "own"], "kserve-container")
    assert made(spec, of).pod.containers[1].args == ("x", "z")


def test_a_transformer_in_the_same_pod_gets_the_calls() -> None:
    transformer = "{name: transformer-container, image: t, args: ['{{.Name}}']}"
    of = runtime("r", container=f"{TWO}, {transformer}")
    spec = (
        f"{MODEL_AND}[{{name: transformer-container, args: [more], ports: [{{containerPort: 7}}]}}]"
    )
    found = ["kserve-container", "transformer-container", "side"]
    assert names(of=of, spec=spec) == (found, "transformer-container")
    result = made(spec, of)
    assert result.container.args == ("iris", "more")
    assert result.container.ports[0].container_port == 7
    assert env(result) == {"INFERENCE_SERVICE_NAME": "iris"}
    probed = [container.readiness_probe is not None for container in result.pod.containers]
    assert probed == [True, True, False]


OWN = {
    "one alone serves": ("containers: [{name: x, image: a}]", ["kserve-container"]),
    "the first serves if it has no name": (
        "containers: [{image: a}, {name: side, image: b}]",
        ["kserve-container", "side"],
    ),
    "the one of that name serves": (
        "containers: [{name: side, image: b}, {name: kserve-container, image: a}]",
        ["side", "kserve-container"],
    ),
    "the first serves if none is of that name": (
        "containers: [{name: x, image: a}, {name: side, image: b}]",
        ["x", "side"],
    ),
}


@pytest.mark.parametrize(("spec", "expected"), OWN.values(), ids=OWN)
def test_containers_of_ones_own(spec: str, expected: list[str]) -> None:
    result = made(spec)
    assert [container.name for container in result.pod.containers] == expected
    assert result.container.image == "a"
    assert result.source == ("spec", "predictor", "containers", result.called)


def test_braces_in_containers_of_ones_own_are_theirs() -> None:
    """A chat template, for example."""
    assert made("containers: [{image: x, args: ['{{ messages }}']}]").container.args == (
        "{{ messages }}",
    )


def test_a_variant_has_objects_of_its_own() -> None:
    assert made("sklearn: {}").name == "iris-predictor"
    assert made("sklearn: {}\nname: blue").name == "iris-blue-predictor"


def test_a_placeholder_that_nobody_fills_is_told_with_its_place() -> None:
    problems = built("sklearn: {args: ['{{.Nmae}}']}")
    assert isinstance(problems, list)
    assert [(p.code, p.path) for p in problems] == [("unknown-placeholder", MODEL)]


def test_what_is_the_same_is_equal() -> None:
    """So that a backend leaves it alone."""
    spec = "sklearn: {storageUri: x}"
    assert whole(spec) == whole(spec)
    assert whole(spec) != whole("sklearn: {storageUri: z}")
