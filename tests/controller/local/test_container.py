"""A container becomes a process of this machine, or problems with their places."""

from pathlib import Path

import pytest

from controller.local.replica import Exec, Grpc, HttpGet, Port, Probe, TcpSocket
from tests.controller.local.containers import problems_of, spec_of

MOUNTS = {"/mnt/models": Path("/data/iris"), "/mnt/models/extra": Path("/data/x")}

WORDS = {
    "the model": ("--dir=/mnt/models", "--dir=/data/iris"),
    "below the model": ("/mnt/models/a.json", "/data/iris/a.json"),
    "the longer mount": ("/mnt/models/extra/b", "/data/x/b"),
    "not a name that only begins so": ("/mnt/models-old", "/mnt/models-old"),
}


@pytest.mark.parametrize(("word", "becomes"), WORDS.values(), ids=WORDS)
def test_mounts_are_folders_here(word: str, becomes: str) -> None:
    made = spec_of(
        f"{{command: [run], args: ['{word}'], env: [{{name: A, value: '{word}'}}]}}", MOUNTS
    )
    assert made.argv == ("run", becomes)
    assert made.env == (("A", becomes),)


def test_it_runs_in_a_folder_of_its_own_or_where_the_container_says() -> None:
    assert spec_of("{command: [x]}").folder == Path("/scratch")
    assert spec_of("{command: [x], workingDir: /work}").folder == Path("/work")
    assert spec_of("{command: [x], workingDir: /mnt/models}", MOUNTS).folder == Path("/data/iris")


def test_ports_keep_their_names_and_order() -> None:
    made = spec_of("{ports: [{containerPort: 8080, name: http}, {containerPort: 9000}]}")
    assert made.ports == (Port(8080, "http"), Port(9000))


PROBES = {
    "by HTTP": ("httpGet: {port: 8080}", HttpGet(8080, "/")),
    "by HTTP, at a port's name, with headers": (
        "httpGet: {port: http, path: /ready, httpHeaders: [{name: Host, value: iris}]}",
        HttpGet(8080, "/ready", headers=(("Host", "iris"),)),
    ),
    "by HTTPS": ("httpGet: {port: 8080, scheme: HTTPS}", HttpGet(8080, "/", tls=True)),
    "by TCP": ("tcpSocket: {port: http}", TcpSocket(8080)),
    "by a command": (
        "exec: {command: [test, -e, /mnt/models]}",
        Exec(("test", "-e", "/data/iris")),
    ),
    "by gRPC": ("grpc: {port: 8080}", Grpc(8080)),
    "by gRPC, of a service": ("grpc: {port: 8080, service: a.B}", Grpc(8080, "a.B")),
}


@pytest.mark.parametrize(("text", "ask"), PROBES.values(), ids=PROBES)
def test_probes(text: str, ask: object) -> None:
    ports = "ports: [{containerPort: 8080, name: http}]"
    made = spec_of(f"{{{ports}, livenessProbe: {{{text}}}}}", MOUNTS)
    assert made.liveness is not None
    assert made.liveness.ask == ask
    assert (made.readiness, made.startup) == (None, None)


def test_the_figures_of_a_probe_and_their_defaults() -> None:
    ports = "ports: [{containerPort: 80}]"
    figures = (
        "initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 4, "
        "failureThreshold: 5, terminationGracePeriodSeconds: 6"
    )
    made = spec_of(
        f"{{{ports}, startupProbe: {{tcpSocket: {{port: 80}}, {figures}}}, "
        "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 0}}"
    )
    assert made.startup == Probe(TcpSocket(80), 1, 2, 3, 4, 5, 6)
    assert made.readiness == Probe(TcpSocket(80), 0, 10, 1, 1, 3, None)


BAD_PROBES = {
    "a port that nobody declared": ("httpGet: {port: 9}", "asks port 9, which the container"),
    "a name that no port has": ("tcpSocket: {port: web}", "asks port web"),
    "a port that nobody declared, by gRPC": ("grpc: {port: 9}", "asks port 9"),
    "no command": ("exec: {command: []}", "runs no command"),
    "nothing": ("periodSeconds: 1", "asks nothing"),
    "a service of endless name": (f"grpc: {{port: 80, service: {'x' * 200}}}", "shorten it"),
}


@pytest.mark.parametrize(("text", "words"), BAD_PROBES.values(), ids=BAD_PROBES)
def test_probes_that_cannot_be_asked(text: str, words: str) -> None:
    ports = "ports: [{containerPort: 80, name: http}]"
    (problem,) = problems_of(f"{{{ports}, readinessProbe: {{{text}}}}}")
    assert problem.path == ("spec", "predictor", "model", "readinessProbe")
    assert words in problem.message


def test_limits() -> None:
    made = spec_of(
        "{resources: {limits: {cpu: 500m, memory: 1.5Gi, nvidia.com/gpu: '2'}, "
        "requests: {cpu: 100m, ephemeral-storage: 1Gi, nvidia.com/gpu: 2}}}"
    )
    assert (made.cpus, made.memory_bytes, made.gpus) == (0.5, 3 * 2**29, 2)
    bare = spec_of("{resources: {limits: {cpu: 0, memory: 0}}}")
    assert (bare.cpus, bare.memory_bytes, bare.gpus) == (None, None, 0)


REFUSED = {
    "half a GPU": ("limits: {nvidia.com/gpu: 500m}", ("limits", "nvidia.com/gpu"), "whole"),
    "a part of a GPU": ("limits: {nvidia.com/mig-1g.5gb: 1}", ("limits",), "parts of a GPU"),
    "another vendor's": ("limits: {amd.com/gpu: 1}", ("limits",), "nothing that this machine"),
    "what is no resource": ("requests: {memroy: 1Gi}", ("requests",), "memroy is no resource"),
    "GPUs that are requested and not given": (
        "{requests: {nvidia.com/gpu: 2}}",
        ("requests", "nvidia.com/gpu"),
        "must be equal",
    ),
}


@pytest.mark.parametrize(("text", "place", "words"), REFUSED.values(), ids=REFUSED)
def test_resources_that_this_machine_cannot_give(
    text: str, place: tuple[str, ...], words: str
) -> None:
    (problem,) = problems_of(f"{{resources: {text if text[0] == '{' else f'{{{text}}}'}}}")
    assert problem.path[:3] == ("spec", "predictor", "model")
    assert problem.path[3 : 4 + len(place)] == ("resources", *place)
    assert words in problem.message


def test_every_problem_is_told_at_once() -> None:
    text = (
        "{resources: {limits: {nvidia.com/gpu: 0.5}}, readinessProbe: {}, "
        "env: [{name: A, valueFrom: {secretKeyRef: {name: absent, key: k}}}]}"
    )
    assert len(problems_of(text)) == 3
