"""Containers for tests, from the YAML that a test is about."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from controller.local.container import process_spec
from controller.local.replica import ProcessSpec
from controller.local.variables import Kind, Lookup, PodFields, nothing
from controller.resources.core import Container
from controller.resources.model import read
from graph.problems import Problem

POD = PodFields("iris-0", "prod", uid="u-1", labels={"app": "a$b"}, annotations={"note": "text"})


def container(text: str) -> Container:
    return read(Container, yaml.safe_load(text))


def translated(
    text: str, mounts: Mapping[str, Path] | None = None, lookup: Lookup = nothing
) -> ProcessSpec | list[Problem]:
    return process_spec(
        container(text),
        pod=POD,
        folder=Path("/scratch"),
        mounts=mounts or {},
        lookup=lookup,
        path=("spec", "predictor", "model"),
    )


def spec_of(
    text: str, mounts: Mapping[str, Path] | None = None, lookup: Lookup = nothing
) -> ProcessSpec:
    made = translated(text, mounts, lookup)
    assert isinstance(made, ProcessSpec), made
    return made


def problems_of(text: str, lookup: Lookup = nothing) -> list[Problem]:
    made = translated(text, lookup=lookup)
    assert isinstance(made, list), made
    return made


def shelf(kind: Kind, name: str) -> Mapping[str, str] | None:
    """What is there of Secrets and ConfigMaps."""
    known: dict[tuple[Kind, str], Mapping[str, str]] = {
        ("Secret", "s3"): {"token": "pa$$(X)", "user": "me"},
        ("ConfigMap", "settings"): {"colour": "red", "a b": "no variable name"},
    }
    return known.get((kind, name))
