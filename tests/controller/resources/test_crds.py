"""What KServe's own CRDs accept, ours accept: shown for every path of their schemas, and by objects
drawn from them, which our models read and give back as they were.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from controller.resources.crds import crd, crds, structural
from controller.resources.kinds import Kind, named
from controller.resources.model import dump, read

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "kserve-crds"
FILES = sorted(FOLDER.glob("*.yaml"))
Schema = dict[str, Any]
# The same values, in other words.
SAME_PATTERNS = {("^/", "^/.*")}

needs_data = pytest.mark.skipif(not FILES, reason="KServe's CRDs are not at hand")


@cache
def theirs(file: Path) -> Schema:
    loaded: Schema = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    return loaded


def their_schema(file: Path) -> Schema:
    schema: Schema = theirs(file)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def our_kind(file: Path) -> Kind:
    kind = named(theirs(file)["spec"]["names"]["kind"])
    assert kind is not None
    return kind


def stricter(ours: Schema, other: Schema, path: str = "") -> Iterator[str]:
    """Where ours refuses something that the other one accepts."""
    free = ours.get("x-kubernetes-preserve-unknown-fields", False)
    if free and "properties" not in ours:
        return
    if ours.get("type") != other.get("type"):
        yield f"{path}: {other.get('type')} is {ours.get('type')}"
    if bool(ours.get("anyOf")) != bool(other.get("anyOf")):
        yield f"{path}: either of two types"
    if ours.get("format") == "int32" and other.get("format") != "int32":
        yield f"{path}: fewer bits"
    if "enum" in ours and not {*other.get("enum", ["anything"])} <= {*ours["enum"]}:
        yield f"{path}: {other.get('enum')} is {ours['enum']}"
    patterns = ours.get("pattern"), other.get("pattern")
    if patterns[0] is not None and patterns[0] != patterns[1] and patterns not in SAME_PATTERNS:
        yield f"{path}: pattern {patterns}"
    for bound, sign in (("minimum", 1), ("maximum", -1), ("minItems", 1), ("minLength", 1)):
        if bound in ours and sign * ours[bound] > sign * other.get(bound, -sign * 10**9):
            yield f"{path}: {bound}"
    if "maxLength" in ours and ours["maxLength"] < other.get("maxLength", 10**9):
        yield f"{path}: maxLength"
    if more := {*ours.get("required", ())} - {*other.get("required", ())}:
        yield f"{path}: requires {more}"
    for name, schema in other.get("properties", {}).items():
        if name in ours.get("properties", {}):
            yield from stricter(ours["properties"][name], schema, f"{path}.{name}")
        elif not free and "additionalProperties" not in ours and path + name != "metadata":
            yield f"{path}.{name}: unknown"
    for inner in ("items", "additionalProperties"):
        if isinstance(other.get(inner), dict):
            if inner in ours:
                yield from stricter(ours[inner], other[inner], f"{path}.{inner}")
            elif not free:
                yield f"{path}.{inner}: nothing of ours"


@needs_data
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_ours_are_nowhere_stricter(file: Path) -> None:
    assert list(stricter(structural(our_kind(file)), their_schema(file))) == []


@needs_data
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_names_scope_and_columns_are_theirs(file: Path) -> None:
    ours, other = crd(our_kind(file))["spec"], theirs(file)["spec"]
    assert ours["group"] == other["group"]
    assert ours["scope"] == other["scope"]
    for key in ("plural", "singular", "kind", "listKind"):
        assert ours["names"][key] == other["names"][key]
    assert {*other["names"].get("shortNames", ())} <= {*ours["names"].get("shortNames", ())}
    mine, version = ours["versions"][0], other["versions"][0]
    paths = {column["jsonPath"] for column in mine["additionalPrinterColumns"]}
    assert {c["jsonPath"] for c in version.get("additionalPrinterColumns", ())} <= paths
    assert bool(mine.get("subresources")) >= bool(version.get("subresources"))


# Text with which each pattern of KServe's schemas is met.
EXAMPLES = {
    "^/.*": st.sampled_from(["/mnt/models", "/"]),
    "^[a-z]([-a-z0-9]*[a-z0-9])?$": st.from_regex(
        r"[a-z]([-a-z0-9]{0,5}[a-z0-9])?", fullmatch=True
    ),
}


def drawn(schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
    """Objects that this schema accepts; deep down only what it asks for."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        if "pattern" in schema:
            return st.sampled_from([1, "1", "500m", "2Gi", "1e3", "-.5", "+1.5k"])
        return st.integers(0, 9) | st.sampled_from(["http", "25%"])
    match schema.get("type"):
        case "string":
            if "pattern" in schema:
                return EXAMPLES[schema["pattern"]]
            return st.text(min_size=schema.get("minLength", 0), max_size=4)
        case "integer":
            return st.integers(schema.get("minimum", -9), schema.get("maximum", 9))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "array":
            least = schema.get("minItems", 0)
            return st.lists(drawn(schema["items"], depth + 1), min_size=least, max_size=least + 1)
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        keys = st.text("abc./", min_size=1, max_size=4)
        return (
            st.dictionaries(keys, drawn(values, depth + 1), max_size=2) if values else st.just({})
        )
    return members(schema, depth)


@st.composite
def members(draw: st.DrawFn, schema: Schema, depth: int) -> dict[str, Any]:
    required = schema.get("required", ())
    others = [name for name in schema["properties"] if name not in required]
    most = 6 if depth < 3 else 2 if depth < 6 else 0
    chosen = draw(st.lists(st.sampled_from(others), unique=True, max_size=most)) if others else []
    names = [*required, *chosen]
    return {name: draw(drawn(schema["properties"][name], depth + 1)) for name in names}


@needs_data
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_what_theirs_accept_ours_accept_and_models_give_back(
    file: Path, data: st.DataObject
) -> None:
    kind, schema = our_kind(file), their_schema(file)
    said = data.draw(drawn(without_head(schema)))
    said |= {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "x"}}
    Draft202012Validator(schema).validate(said)
    validator_of(kind).validate(said)
    assert dump(read(kind.model, said)) == said


def without_head(schema: Schema) -> Schema:
    kept = {k: v for k, v in schema["properties"].items() if k not in ("apiVersion", "kind")}
    del kept["metadata"]
    return {**schema, "properties": kept, "required": [k for k in kept if k == "spec"]}


@cache
def validator_of(kind: Kind) -> Draft202012Validator:
    return Draft202012Validator(structural(kind))


def test_there_is_one_for_each_kind_that_kubernetes_does_not_have() -> None:
    names = [made["metadata"]["name"] for made in crds()]
    assert "inferenceservices.serving.kserve.io" in names
    assert "storagecontainers.graphway.dev" in names
    assert not any("secrets" in name for name in names)
