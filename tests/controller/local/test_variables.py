"""Variables whose values are elsewhere: found, left out, or a problem."""

import pytest

from controller.local.launch import launch
from tests.controller.local.containers import problems_of, shelf, spec_of


def env_of(text: str) -> dict[str, str]:
    """As the process gets it."""
    spec = spec_of(text, lookup=shelf)
    made = launch(spec, ports={}, gpus=(), python_env=None, environ={})
    return {name: made.env[name] for name, _ in spec.env}


def source(value_from: str) -> str:
    return f"{{env: [{{name: A, valueFrom: {{{value_from}}}}}]}}"


VALUES = {
    "a key of a Secret, to the letter": ("secretKeyRef: {name: s3, key: token}", "pa$$(X)"),
    "a key of a ConfigMap": ("configMapKeyRef: {name: settings, key: colour}", "red"),
    "the name": ("fieldRef: {fieldPath: metadata.name}", "iris-0"),
    "the namespace": ("fieldRef: {fieldPath: metadata.namespace}", "prod"),
    "the uid": ("fieldRef: {fieldPath: metadata.uid}", "u-1"),
    "a label, to the letter": ("fieldRef: {fieldPath: \"metadata.labels['app']\"}", "a$b"),
    "an annotation": ("fieldRef: {fieldPath: \"metadata.annotations['note']\"}", "text"),
    "a label that is not there": ("fieldRef: {fieldPath: \"metadata.labels['x']\"}", ""),
    "the address": ("fieldRef: {fieldPath: status.podIP}", "127.0.0.1"),
    "the account": ("fieldRef: {fieldPath: spec.serviceAccountName}", "default"),
}


@pytest.mark.parametrize(("value_from", "value"), VALUES.values(), ids=VALUES)
def test_values(value_from: str, value: str) -> None:
    assert env_of(source(value_from)) == {"A": value}


RESOURCES = {
    "a limit of memory, in its unit": ("limits.memory, divisor: 1Mi", "512"),
    "a limit of CPUs, rounded up": ("limits.cpu", "2"),
    "thousandths of CPUs": ("limits.cpu, divisor: 1m", "1500"),
    "a request": ("requests.memory", "1000"),
}


@pytest.mark.parametrize(("reference", "value"), RESOURCES.values(), ids=RESOURCES)
def test_resources(reference: str, value: str) -> None:
    resources = "resources: {limits: {cpu: 1500m, memory: 512Mi}, requests: {memory: 1k}}"
    variable = f"env: [{{name: A, valueFrom: {{resourceFieldRef: {{resource: {reference}}}}}}}]"
    assert env_of(f"{{{resources}, {variable}}}") == {"A": value}


def test_all_keys_come_first_and_single_variables_go_before_them() -> None:
    text = (
        "{envFrom: [{configMapRef: {name: settings}}, {prefix: S3_, secretRef: {name: s3}}, "
        "{configMapRef: {name: absent, optional: true}}], "
        "env: [{name: colour, value: blue}, {name: B, value: $(S3_user)}]}"
    )
    assert env_of(text) == {"colour": "blue", "S3_token": "pa$$(X)", "S3_user": "me", "B": "me"}


def test_what_is_optional_and_not_there_is_left_out() -> None:
    for reference in ("secretKeyRef: {name: s3, key: k, ", "configMapKeyRef: {name: x, key: k, "):
        assert env_of(source(f"{reference}optional: true}}")) == {}


def test_a_variable_without_a_value_is_empty() -> None:
    assert env_of("{env: [{name: A}]}") == {"A": ""}


FAULTS = {
    "no such Secret": (source("secretKeyRef: {name: x, key: k}"), "A: there is no Secret x"),
    "no such key": (source("secretKeyRef: {name: s3, key: k}"), "A: Secret s3 has no key k"),
    "no such ConfigMap": (source("configMapKeyRef: {name: x, key: k}"), "no ConfigMap x"),
    "no such field": (source("fieldRef: {fieldPath: spec.hostNetwork}"), "no field spec.host"),
    "no such resource": (source("resourceFieldRef: {resource: limits.cpu}"), "no limits.cpu"),
    "what is no resource": (source("resourceFieldRef: {resource: cpu}"), "says no cpu"),
    "a file": (source("fileKeyRef: {key: k, path: p, volumeName: v}"), "not read on this"),
    "all keys of none": ("{envFrom: [{secretRef: {name: x}}]}", "there is no Secret x; apply it"),
}


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS)
def test_faults(text: str, words: str) -> None:
    (problem,) = problems_of(text, shelf)
    assert problem.path[:3] == ("spec", "predictor", "model")
    assert words in problem.message
