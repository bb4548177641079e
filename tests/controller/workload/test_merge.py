"""One object over another, as Kubernetes' strategic merge lays them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.resources.core import Container, EnvVar, PodSpec
from controller.resources.model import dump, read
from controller.workload.merge import by_name, merged
from tests.controller.manifests import yaml

CONTAINERS = {
    "what is not said stays": ("image: a", "command: [x]", "{image: a, command: [x]}"),
    "what is said replaces": ("image: a", "image: b", "image: b"),
    "words of a command are one thing": ("command: [a, b]", "command: [c]", "command: [c]"),
    "variables by name, each at its place": (
        "env: [{name: A, value: '1'}, {name: B, value: '2'}]",
        "env: [{name: C, value: '4'}, {name: A, value: '3'}]",
        "env: [{name: A, value: '3'}, {name: B, value: '2'}, {name: C, value: '4'}]",
    ),
    "a variable's value goes before where it came from": (
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        "env: [{name: A, value: '1'}]",
        "env: [{name: A, value: '1'}]",
    ),
    "where a variable comes from goes before its value": (
        "env: [{name: A, value: '1'}]",
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
    ),
    "ports by number": (
        "ports: [{containerPort: 1, name: a}, {containerPort: 2}]",
        "ports: [{containerPort: 1, protocol: TCP}]",
        "ports: [{containerPort: 1, name: a, protocol: TCP}, {containerPort: 2}]",
    ),
    "mounts by place": (
        "volumeMounts: [{name: a, mountPath: /x, readOnly: true}]",
        "volumeMounts: [{name: b, mountPath: /x}, {name: a, mountPath: /y}]",
        "volumeMounts: [{name: b, mountPath: /x, readOnly: true}, {name: a, mountPath: /y}]",
    ),
    "limits key by key": (
        "resources: {limits: {cpu: '1', memory: 2Gi}, requests: {cpu: '1'}}",
        "resources: {limits: {memory: 4Gi, nvidia.com/gpu: 1}}",
        "resources: {limits: {cpu: '1', memory: 4Gi, nvidia.com/gpu: 1}, requests: {cpu: '1'}}",
    ),
    "numbers of a probe": (
        "livenessProbe: {httpGet: {path: /a, port: 1}, periodSeconds: 5}",
        "livenessProbe: {httpGet: {path: /b, port: 1}, timeoutSeconds: 2}",
        "livenessProbe: {httpGet: {path: /b, port: 1}, periodSeconds: 5, timeoutSeconds: 2}",
    ),
    "a probe asks in one way": (
        "livenessProbe: {httpGet: {path: /a, port: 1}, periodSeconds: 5}",
        "livenessProbe: {tcpSocket: {port: 2}}",
        "livenessProbe: {tcpSocket: {port: 2}, periodSeconds: 5}",
    ),
    "rights of a container": (
        "securityContext: {runAsUser: 1000, capabilities: {drop: [ALL]}}",
        "securityContext: {runAsUser: 0, capabilities: {drop: [CHOWN]}}",
        "securityContext: {runAsUser: 0, capabilities: {drop: [CHOWN]}}",
    ),
}

PODS = {
    "volumes by name, with one source each": (
        "volumes: [{name: a, emptyDir: {medium: Memory}}, {name: b, emptyDir: {}}]",
        "volumes: [{name: a, configMap: {name: x}}]",
        "volumes: [{name: a, configMap: {name: x}}, {name: b, emptyDir: {}}]",
    ),
    "a volume of the same source is merged": (
        "volumes: [{name: a, emptyDir: {medium: Memory}}]",
        "volumes: [{name: a, emptyDir: {sizeLimit: 1Gi}}]",
        "volumes: [{name: a, emptyDir: {medium: Memory, sizeLimit: 1Gi}}]",
    ),
    "tolerations are one thing": (
        "tolerations: [{key: a}]",
        "tolerations: [{key: b}]",
        "tolerations: [{key: b}]",
    ),
    "node labels key by key": (
        "nodeSelector: {a: '1', b: '2'}",
        "nodeSelector: {b: '3'}",
        "nodeSelector: {a: '1', b: '3'}",
    ),
    "pull secrets by name": (
        "imagePullSecrets: [{name: a}]",
        "imagePullSecrets: [{name: b}, {name: a}]",
        "imagePullSecrets: [{name: a}, {name: b}]",
    ),
    "an init container by name": (
        "initContainers: [{name: a, image: x, args: [y]}]",
        "initContainers: [{name: a, image: z}]",
        "initContainers: [{name: a, image: z, args: [y]}]",
    ),
}

ROWS = [(Container, *row) for row in CONTAINERS.values()] + [(PodSpec, *r) for r in PODS.values()]


@pytest.mark.parametrize(("model", "below", "above", "expected"), ROWS, ids=[*CONTAINERS, *PODS])
def test_merged(model: type[Container | PodSpec], below: str, above: str, expected: str) -> None:
    result = merged(read(model, yaml(below)), read(model, yaml(above)))
    assert dump(result) == yaml(expected)


NAMES = st.lists(st.sampled_from("ABCDE"), unique=True)


@given(NAMES, NAMES)
def test_nobody_is_lost_and_those_on_top_win(below: list[str], above: list[str]) -> None:
    result = by_name(
        [EnvVar(name=name, value="below") for name in below],
        [EnvVar(name=name, value="above") for name in above],
    )
    assert [item.name for item in result] == list(dict.fromkeys(below + above))
    assert {item.name for item in result if item.value == "above"} == set(above)


@given(NAMES)
def test_nothing_on_top_changes_nothing(names: list[str]) -> None:
    below = Container(env=tuple(EnvVar(name=name, value="x") for name in names), args=("a",))
    assert merged(below, Container()) == below
