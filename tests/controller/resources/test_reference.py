"""docs/resources.md says every field of every model with its type, and its example runs."""

import re
from pathlib import Path

import pytest

from controller.resources.config import Config
from controller.resources.kinds import KINDS
from tests.controller.resources.reference import tables

TEXT = (Path(__file__).parents[3] / "docs" / "resources.md").read_text()
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \|$", re.MULTILINE)
DOCUMENTED = {name: ROW.findall(rows) for name, rows in SECTION.findall(TEXT)}


def test_every_class_has_its_table() -> None:
    assert {*DOCUMENTED} == {*tables()}


@pytest.mark.parametrize("name", sorted(tables()))
def test_every_field_is_there_with_its_type(name: str) -> None:
    assert {field: kind for field, kind, _ in DOCUMENTED[name]} == tables()[name]


def test_every_kind_and_key_of_the_configuration_is_there() -> None:
    for kind in KINDS:
        assert kind.name in TEXT or not kind.group
    configuration = TEXT[TEXT.index("## Configuration") :]
    keys = {field.alias for field in Config.model_fields.values()}
    assert {*re.findall(r"^\| `(\w+)` \|", configuration, re.MULTILINE)} == keys


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(code, {})  # noqa: S102
    assert "storageUri: s3://models/iris" in capsys.readouterr().out
