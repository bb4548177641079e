"""InferenceService and runtime merged into one workload, as KServe merges them into one pod."""

from pathlib import Path

import pytest

from controller.resources.parse import Runtime
from controller.workload import Mount, Probe, Workload, workload
from tests.controller.manifests import only_service, runtime, runtimes, service

SERVER = runtime(
    "server",
    container="{name: kserve-container, image: server, command: [python, ./serve.py], "
    "args: ['--name={{.Name}}'], env: [{name: A, value: '1'}, {name: B, value: '2'}], "
    "workingDir: ./here}",
    annotations="{who: runtime, only: runtime}",
)
MLSERVER = runtime(
    "mlserver",
    container="{name: kserve-container, command: [mlserver], "
    "env: [{name: CLASS, value: '{{.Labels.modelClass}}'}]}",
    annotations="{serving.kserve.io/server-type: mlserver}",
)


def made(spec: str, server: str | None = SERVER, protocol: str = "v1", **of: str) -> Workload:
    result = built(spec, server, protocol, **of)
    assert isinstance(result, Workload), result
    return result


def built(spec: str, server: str | None = SERVER, protocol: str = "v1", **of: str) -> object:
    found: list[Runtime] = runtimes(server) if server else []
    return workload(only_service(service(spec, **of)), found[0] if found else None, protocol)


def test_arguments_are_added_to_those_of_the_runtime() -> None:
    result = made("sklearn: {storageUri: x, args: [--more]}")
    assert result.args == ("--name=iris", "--more")


def test_environments_are_merged_by_name_and_the_service_wins() -> None:
    result = made("sklearn: {env: [{name: B, value: '3'}, {name: C, value: '4'}]}")
    expected = {"A": "1", "B": "3", "C": "4", "INFERENCE_SERVICE_NAME": "iris"}
    assert dict(result.env) == expected
    assert [name for name, _ in result.env] == [*expected]


def test_what_the_service_says_of_the_container_replaces_the_runtimes() -> None:
    result = made("sklearn: {image: mine, command: [./mine], ports: [{containerPort: 9000}]}")
    assert (result.image, result.command) == ("mine", ("/manifests/mine",))
    assert [port.container_port for port in result.ports] == [9000]


def test_paths_lie_beside_the_manifest_that_names_them() -> None:
    result = made("sklearn: {args: [../x, /abs, plain]}")
    assert result.command == ("python", "/manifests/serve.py")
    assert result.args[1:] == ("/x", "/abs", "plain")
    assert result.working_dir == "/manifests/here"


def test_annotations_of_the_service_go_before_the_runtimes() -> None:
    result = made("sklearn: {}", annotations="{who: service}")
    assert dict(result.annotations) == {"who": "service", "only": "runtime"}


PLACEHOLDERS = {
    "name": ("{{.Name}}", "iris"),
    "namespace": ("{{ .Namespace }}", "default"),
    "an annotation": ("<{{.Annotations.colour}}>", "<red>"),
    "what is not there is empty": ("<{{.Labels.none}}>", "<>"),
    "two of them": ("{{.Name}}-{{.Name}}", "iris-iris"),
    "braces of something else": ("{{", "{{"),
}


@pytest.mark.parametrize(("text", "value"), PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_placeholders(text: str, value: str) -> None:
    spec = f"sklearn: {{args: ['{text}'], env: [{{name: X, value: '{text}'}}]}}"
    result = made(spec, annotations="{colour: red}")
    assert result.args[-1] == dict(result.env)["X"] == value


PROBES = {
    "V1: the model": ("sklearn: {storageUri: x}", "v1", Probe("/v1/models/iris", 8080)),
    "V2: the model's readiness": (
        "sklearn: {args: [--model_name=m]}",
        "v2",
        Probe("/v2/models/m/ready", 8080),
    ),
    "another protocol: a connection": ("sklearn: {}", "grpc-v2", Probe(None, 8080)),
    "containers of one's own: a connection to the first port": (
        "containers: [{image: x, ports: [{containerPort: 9}]}]",
        "v1",
        Probe(None, 9),
    ),
    "what the container says, with a port by name": (
        "sklearn: {ports: [{containerPort: 7}, {containerPort: 8, name: health}], "
        "readinessProbe: {httpGet: {path: /ok, port: health}, timeoutSeconds: 3, "
        "failureThreshold: 1}}",
        "v1",
        Probe("/ok", 8, 3, 1),
    ),
    "a connection, if the container says so": (
        "sklearn: {readinessProbe: {tcpSocket: {port: 8080}}}",
        "v1",
        Probe(None, 8080),
    ),
}


@pytest.mark.parametrize(("spec", "protocol", "probe"), PROBES.values(), ids=PROBES)
def test_probe(spec: str, protocol: str, probe: Probe) -> None:
    server = None if "containers" in spec else SERVER
    assert made(spec, server, protocol).probe == probe


MOUNTS = {
    "storageUri": (
        "sklearn: {storageUri: gs://a}",
        Mount("/mnt/models", "gs://a", ("spec", "predictor", "sklearn", "storageUri")),
    ),
    "storageUris, each at its place": (
        "sklearn: {}\nstorageUris: [{uri: gs://a, mountPath: /mnt/a}]",
        Mount("/mnt/a", "gs://a", ("spec", "predictor", "storageUris", 0, "uri")),
    ),
    "STORAGE_URI of containers of one's own": (
        "containers: [{image: x, env: [{name: STORAGE_URI, value: gs://a}]}]",
        Mount("/mnt/models", "gs://a", ("spec", "predictor", "containers", 0, "env")),
    ),
}


@pytest.mark.parametrize(("spec", "mount"), MOUNTS.values(), ids=MOUNTS)
def test_mounts(spec: str, mount: Mount) -> None:
    assert made(spec, None if "containers" in spec else SERVER).mounts == (mount,)


def test_storage_uri_becomes_the_place_of_the_model() -> None:
    result = made("containers: [{image: x, env: [{name: STORAGE_URI, value: gs://a}]}]", None)
    assert dict(result.env)["STORAGE_URI"] == "/mnt/models"


def test_mlserver_is_told_of_its_model_by_environment() -> None:
    result = made("xgboost: {storageUri: x}", MLSERVER, "v2")
    assert dict(result.env) == {
        "MLSERVER_MODEL_NAME": "iris",
        "MLSERVER_MODEL_URI": "/mnt/models",
        "CLASS": "mlserver_xgboost.XGBoostModel",
        "INFERENCE_SERVICE_NAME": "iris",
    }


PROBLEMS = {
    "a placeholder that nobody fills": ("args: ['{{.Nmae}}']", "unknown-placeholder"),
    "a value from elsewhere": (
        "env: [{name: A, valueFrom: {secretKeyRef: {key: a}}}]",
        "unsupported-here",
    ),
    "a probe by command": ("readinessProbe: {exec: {command: [x]}}", "unsupported-here"),
    "a probe of a port that is not there": (
        "readinessProbe: {tcpSocket: {port: 1}}",
        "unknown-port",
    ),
}


@pytest.mark.parametrize(("container", "code"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(container: str, code: str) -> None:
    problems = built(f"sklearn: {{{container}}}")
    assert isinstance(problems, list)
    assert [problem.code for problem in problems] == [code]
    assert problems[0].path[:3] == ("spec", "predictor", "sklearn")


def test_the_runtimes_serving_container_is_the_one_of_that_name() -> None:
    server = runtime("r", container="{name: sidecar, image: a}, {name: kserve-container, image: b}")
    assert made("sklearn: {}", server).image == "b"


def test_folder_is_the_manifests() -> None:
    assert only_service(service("sklearn: {}")).folder == Path("/manifests")
