"""InferenceService and runtime merged into one workload, as KServe merges them into pods."""

from pathlib import Path

import pytest

from controller.resources.parse import Runtime
from controller.workload import Component, Mount, Terms, Workload, workload
from tests.controller.manifests import only_service, runtime, runtimes, service

SERVER = runtime(
    "server",
    container="{name: kserve-container, image: 'server:1', command: [python, ./serve.py], "
    "args: ['--name={{.Name}}'], env: [{name: A, value: '1'}, {name: B, value: '2'}], "
    "workingDir: ./here}",
)
BESIDE = Terms(words_beside=True)


def built(
    spec: str,
    server: str | None = SERVER,
    protocol: str = "v1",
    terms: Terms = BESIDE,
    **of: str,
) -> object:
    found: list[Runtime] = runtimes(server) if server else []
    told = only_service(service(spec, **of))
    return workload(told, found[0] if found else None, protocol, terms=terms)


def made(
    spec: str,
    server: str | None = SERVER,
    protocol: str = "v1",
    terms: Terms = BESIDE,
    **of: str,
) -> Component:
    result = built(spec, server, protocol, terms, **of)
    assert isinstance(result, Workload), result
    return result.predictor


def env(component: Component) -> dict[str, str | None]:
    return {item.name: item.value for item in component.container.env}


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
    assert (result.container.image, result.container.command) == ("mine", ("/manifests/mine",))
    assert [port.container_port for port in result.container.ports] == [9000]


def test_paths_lie_beside_the_manifest_that_names_them_where_there_is_one() -> None:
    spec = "sklearn: {args: [../x, /abs, plain]}"
    here = made(spec).container
    assert here.command == ("python", "/manifests/serve.py")
    assert here.args[1:] == ("/x", "/abs", "plain")
    assert here.working_dir == "/manifests/here"
    there = made(spec, terms=Terms()).container
    assert (there.command, there.args[1:]) == (("python", "./serve.py"), ("../x", "/abs", "plain"))


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


def test_folder_is_the_manifests() -> None:
    assert only_service(service("sklearn: {}")).folder == Path("/manifests")
