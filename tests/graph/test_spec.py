"""The spec models every field of KServe's InferenceGraph, and writes what it read."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from graph.loader import load
from graph.spec import (
    OUR_FIELDS,
    Condition,
    GraphSpec,
    GraphStatus,
    InferenceGraph,
    Node,
    RouterTimeouts,
    Step,
)

CRD = Path(__file__).parents[3] / "shared" / "data" / "kserve-crds" / "inferencegraphs.yaml"
CASE = Path(__file__).parent.parent / "cases" / "fine-every-field.yaml"


def test_every_field_round_trips() -> None:
    [document] = load(CASE.read_bytes())
    assert document.graph is not None
    assert document.graph.model_dump(by_alias=True, exclude_none=True, mode="json") == document.data


def test_an_empty_dependency_round_trips() -> None:
    assert Step.model_validate({"dependency": ""}).model_dump(exclude_none=True) == {
        "dependency": ""
    }


def test_metadata_keeps_what_we_do_not_know() -> None:
    data = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "a", "uid": "1-2", "ownerReferences": [{"kind": "X"}], "labels": {}},
        "spec": {"nodes": {}},
    }
    dumped = InferenceGraph.model_validate(data).model_dump(by_alias=True, exclude_none=True)
    assert dumped == data


@pytest.mark.parametrize(("given", "taken"), [(20, 20), (20.0, 20), (-0.0, 0)])
def test_whole_numbers(given: float, taken: int) -> None:
    weight = Step.model_validate({"weight": given}).weight
    assert weight == taken
    assert type(weight) is int


@pytest.mark.parametrize("given", [True, "20", 20.5, float("inf"), float("nan"), 2**63, [20]])
def test_what_is_no_whole_number_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Step.model_validate({"weight": given})


@pytest.mark.skipif(not CRD.exists(), reason="KServe's own files are not here")
def test_the_fields_are_those_of_kserves_schema() -> None:
    manifest = yaml.safe_load(CRD.read_text())
    schema = manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    spec = schema["spec"]["properties"]
    node = spec["nodes"]["additionalProperties"]["properties"]
    status = schema["status"]["properties"]
    pairs: list[tuple[type[BaseModel], dict[str, Any]]] = [
        (InferenceGraph, schema),
        (GraphSpec, spec),
        (Node, node),
        (Step, node["steps"]["items"]["properties"]),
        (RouterTimeouts, spec["routerTimeouts"]["properties"]),
        (GraphStatus, status),
        (Condition, status["conditions"]["items"]["properties"]),
    ]
    for model, properties in pairs:
        fields = {field.alias for field in model.model_fields.values()}
        assert fields == set(properties) | OUR_FIELDS.get(model, frozenset()), model
