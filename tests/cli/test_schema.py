"""The schemas as people get them: printed, beside the examples, and named in each of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from cli.commands import app
from controller.resources.kinds import KINDS, Kind, by_name
from controller.resources.schema import schema_of

CONFIGS = Path(__file__).parents[2] / "configs"
ISVCS = Path(__file__).parents[3] / "shared" / "data" / "kserve-isvcs"
EXAMPLES = sorted((CONFIGS / "examples").rglob("*.yaml"))
MANIFESTS = [*EXAMPLES, *sorted((CONFIGS / "runtimes").glob("*.yaml"))]
MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def faults(schema: Any, file: Path) -> list[str]:
    documents = yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader)
    return [
        f"{error.json_path}: {error.message}"
        for document in documents
        for error in Draft202012Validator(schema).iter_errors(document)
    ]


def test_the_committed_schema_is_the_printed_one() -> None:
    """If not: `graphway schema > configs/schema.json`."""
    assert (CONFIGS / "schema.json").read_text() == run("schema").stdout


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_leads_an_editor_to_it(file: Path) -> None:
    found = MODELINE.search(file.read_text())
    assert found is not None
    assert (file.parent / found[1]).resolve() == CONFIGS / "schema.json"


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_what_we_ship_is_sound(file: Path) -> None:
    assert faults(json.loads((CONFIGS / "schema.json").read_text()), file) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_by_any_of_its_names(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema_of(kind))
    for name in (kind.name, kind.plural, *kind.short_names, f"{kind.plural}.{kind.group}"):
        assert by_name(name) is kind


def test_a_typing_error_is_marked() -> None:
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "x"},
        "spec": {"predictor": {"sklern": {}}},
    }
    for schema in (run("schema", "isvc").stdout, run("schema").stdout):
        errors = [*Draft202012Validator(json.loads(schema)).iter_errors(manifest)]
        assert "sklern" in errors[0].message


def test_no_kind_of_that_name() -> None:
    ran = run("schema", "service")
    assert ran.exit_code == 2
    assert "InferenceService" in ran.output


@pytest.mark.skipif(not ISVCS.exists(), reason="KServe's manifests are not at hand")
@pytest.mark.parametrize("number", ["038", "043", "062", "087", "091"])
def test_an_editor_has_nothing_against_kserves_manifests(number: str) -> None:
    (file,) = ISVCS.glob(f"{number}_*")
    assert faults(json.loads(run("schema").stdout), file) == []


def test_definitions_for_a_cluster() -> None:
    ran = run("crds")
    assert ran.exit_code == 0
    made = [*yaml.load_all(ran.stdout, Loader=yaml.CSafeLoader)]
    assert [item["kind"] for item in made] == ["CustomResourceDefinition"] * 11
