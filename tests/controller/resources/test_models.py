"""What holds for all models: names, absence, round trips, core types as they are written."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from controller.resources import core, quantities
from controller.resources.core import Container, EnvVar, ObjectMeta, PodSpec
from controller.resources.credentials import Secret
from controller.resources.inferenceservice import (
    InferenceService,
    InferenceServiceSpec,
    ModelFormat,
    ModelSpec,
    PredictorSpec,
    SKLearnSpec,
    model_of,
)
from controller.resources.kinds import KINDS, by_name, kind_of, named
from controller.resources.model import dump, read, to_yaml
from tests.controller.resources.core_source import source

CORE = Path(core.__file__)


def test_the_core_types_are_those_of_the_library() -> None:
    """If not: write them again, as core_source.py says."""
    made = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(CORE), "-"],
        input=source(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert CORE.read_text() == made.stdout


def test_python_names_become_keys_of_a_manifest() -> None:
    service = InferenceService(
        metadata=ObjectMeta(name="x"),
        spec=InferenceServiceSpec(
            predictor=PredictorSpec(sklearn=SKLearnSpec(storage_uri="s3://b/m"), min_replicas=0)
        ),
    )
    said = yaml.safe_load(to_yaml(service))
    assert said == {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "x"},
        "spec": {"predictor": {"minReplicas": 0, "sklearn": {"storageUri": "s3://b/m"}}},
    }
    assert list(said)[:2] == ["apiVersion", "kind"]
    assert read(InferenceService, said) == service


def test_a_manifest_is_not_written_in_pythons_names() -> None:
    with pytest.raises(ValidationError):
        read(PodSpec, {"node_name": "a"})


@pytest.mark.parametrize("key", ["hostIPC", "setHostnameAsFQDN"])
def test_names_that_are_odd_come_back(key: str) -> None:
    assert dump(read(PodSpec, {key: True})) == {key: True}


ROUND_TRIPS = {
    "numbers and texts of a quantity": {"resources": {"limits": {"a": 1, "b": "1", "c": 0.5}}},
    "an empty list and an empty mapping": {"args": [], "resources": {}},
    "a port by number or by name": {"livenessProbe": {"httpGet": {"port": "http"}}},
    "a default that was written": {"stdin": False},
}


@pytest.mark.parametrize("said", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_nothing_is_lost(said: dict[str, object]) -> None:
    assert dump(read(Container, said)) == said


def test_null_is_absence_everywhere() -> None:
    said = {"args": None, "env": [{"name": "a", "value": None}], "resources": {"limits": None}}
    found = read(Container, said)
    assert dump(found) == {"env": [{"name": "a"}], "resources": {}}
    assert found.args == ()


def test_models_do_not_change() -> None:
    with pytest.raises(ValidationError):
        EnvVar(name="a").name = "b"


def test_a_model_is_its_framework_in_todays_words() -> None:
    predictor = PredictorSpec(onnx=SKLearnSpec(storage_uri="a", args=("b",)))
    assert model_of(predictor) == ModelSpec(
        model_format=ModelFormat(name="onnx"),
        storage_uri="a",
        args=("b",),
        protocol_version="v2",
    )


def test_a_secret_is_a_resource() -> None:
    said = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "a"},
        "data": {"k": "dg=="},
    }
    secret = read(Secret, said)
    assert (secret.key, dump(secret)) == ("a/s", said)


def test_kinds_are_found_by_all_their_names() -> None:
    assert by_name("isvc") is by_name("InferenceService") is named("InferenceService")
    assert by_name("secrets") is kind_of("v1", "Secret")
    assert kind_of("v1", "InferenceService") is by_name("nothing") is named("nothing") is None
    taken = [name for kind in KINDS for name in (kind.plural, kind.singular, *kind.short_names)]
    assert len(taken) == len(set(taken))


AMOUNTS = {"1": 1, "500m": 0.5, "2Gi": 2**31, "1e3": 1000, "1k": 1000, "-.5": -0.5, "1E": 10**18}


@pytest.mark.parametrize(("text", "amount"), AMOUNTS.items())
def test_what_a_quantity_amounts_to(text: str, amount: float) -> None:
    assert quantities.number(text) == quantities.number(amount)
