"""Our CRDs as an API server would judge them: by two validators of OpenAPI 3.0 that are not ours,
and by Kubernetes' own rules for structural schemas, written down from its documentation.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from controller.resources.crds import crd, structural
from controller.resources.kinds import KINDS, Kind
from tests.controller.resources.test_crds import FILES, needs_data, their_schema

Schema = dict[str, Any]

# All words that a structural schema may have; $ref, definitions, patternProperties, uniqueItems,
# deprecated, discriminator, readOnly, writeOnly, xml, id are refused.
WORDS = {
    *("type", "format", "title", "description", "default", "example", "externalDocs", "nullable"),
    *("properties", "additionalProperties", "items", "required", "enum", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
    *("allOf", "anyOf", "oneOf", "not"),
    *("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"),
    *("x-kubernetes-embedded-resource", "x-kubernetes-validations", "x-kubernetes-map-type"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
}
JUNCTORS = ("allOf", "anyOf", "oneOf", "not")
ONLY_OUTSIDE = ("description", "type", "default", "additionalProperties", "nullable")
EITHER = [{"type": "integer"}, {"type": "string"}]
LARGEST_BYTES = 1_500_000  # what etcd takes

OURS = [kind for kind in KINDS if kind.group]


def faults(schema: Schema, path: str = "") -> Iterator[str]:
    if words := schema.keys() - WORDS:
        yield f"{path}: no structural schema has {words}"
    either = schema.get("x-kubernetes-int-or-string") is True
    if either and (schema.get("anyOf") != EITHER or "type" in schema):
        yield f"{path}: a number or text is anyOf these two, and has no type of its own"
    free = schema.get("x-kubernetes-preserve-unknown-fields")
    if free not in (None, True):
        yield f"{path}: x-kubernetes-preserve-unknown-fields is true or absent"
    if not schema.get("type") and not either and not free:
        yield f"{path}: no type"
    if "properties" in schema and "additionalProperties" in schema:
        yield f"{path}: properties and additionalProperties"
    if schema.get("additionalProperties", {}) is False or isinstance(schema.get("items"), list):
        yield f"{path}: additionalProperties is no schema, or items are several"
    for of, word in (("object", "properties"), ("array", "items")):
        if word in schema and schema.get("type") != of:
            yield f"{path}: {word} of what is no {of}"
    if schema.get("type") == "array" and "items" not in schema:
        yield f"{path}: a list of what?"
    if not either:
        for junctor in JUNCTORS:
            inner = schema.get(junctor, ())
            for each in [inner] if isinstance(inner, dict) else inner:
                yield from value_faults(each, schema, f"{path}.{junctor}")
    if (values := schema.get("enum")) is not None and (not values or len({*values}) < len(values)):
        yield f"{path}: enum of nothing, or twice the same"
    if "default" in schema and path.startswith(".metadata"):
        yield f"{path}: a default in metadata"
    for name, member in schema.get("properties", {}).items():
        yield from faults(member, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from faults(schema[word], f"{path}.{word}")
    if missing := {*schema.get("required", ())} - schema.get("properties", {}).keys():
        yield f"{path}: requires {missing}, which it does not have"


def value_faults(inner: Schema, outer: Schema, path: str) -> Iterator[str]:
    """Of what stands in a junctor: it may narrow values, and name no field that is not outside."""
    if words := inner.keys() & {*ONLY_OUTSIDE}:
        yield f"{path}: {words} belong outside"
    for name, member in inner.get("properties", {}).items():
        if name not in outer.get("properties", {}):
            yield f"{path}.{name}: is not outside"
        else:
            yield from value_faults(member, outer["properties"][name], f"{path}.{name}")
    if "items" in inner:
        yield from value_faults(inner["items"], outer.get("items", {}), f"{path}.items")


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_schemas_are_structural(kind: Kind) -> None:
    schema = structural(kind)
    assert list(faults(schema)) == []
    assert schema["type"] == "object"
    # The API server knows these itself; only the name may be narrowed.
    assert schema["properties"]["metadata"] == {"type": "object"}


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_schemas_are_openapi_to_others(kind: Kind) -> None:
    schema = structural(kind)
    OAS30Validator.check_schema(schema)
    document = {
        "openapi": "3.0.3",
        "info": {"title": kind.name, "version": kind.version},
        "paths": {},
        "components": {"schemas": {kind.name: schema}},
    }
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_a_definition_is_one_that_an_api_server_stores(kind: Kind) -> None:
    made = crd(kind)
    spec = made["spec"]
    assert made["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
    assert spec["names"]["listKind"] == f"{spec['names']['kind']}List"
    assert [(v["served"], v["storage"]) for v in spec["versions"]] == [(True, True)]
    for column in spec["versions"][0]["additionalPrinterColumns"]:
        assert column["type"] in ("integer", "number", "string", "boolean", "date")
        assert column["jsonPath"].startswith(".")
    assert len(json.dumps(made)) < LARGEST_BYTES


@needs_data
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_rules_have_nothing_against_what_clusters_take(file: Path) -> None:
    assert list(faults(their_schema(file))) == []


BAD: dict[str, Schema] = {
    "no type": {"properties": {"a": {}}, "type": "object"},
    "a reference": {"type": "object", "$ref": "#/x"},
    "both kinds of members": {"type": "object", "properties": {}, "additionalProperties": {}},
    "a closed object": {"type": "object", "additionalProperties": False},
    "a list of anything": {"type": "array"},
    "members of a list": {"type": "array", "items": {"type": "string"}, "properties": {}},
    "a type inside anyOf": {"type": "object", "anyOf": [{"type": "object"}]},
    "a field only inside": {"type": "object", "anyOf": [{"properties": {"a": {"minimum": 1}}}]},
    "half a number or text": {"x-kubernetes-int-or-string": True},
    "a field that is not there": {"type": "object", "required": ["a"]},
}


@pytest.mark.parametrize("schema", BAD.values(), ids=BAD)
def test_the_rules_find_what_they_are_for(schema: Schema) -> None:
    assert list(faults(schema)) != []
