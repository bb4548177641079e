"""Resources as JSON Schema, for editors; `crds` makes what a cluster takes of the same.

What a model says in Python and JSON Schema has no word for (null is absence, for one) is said here
as close as it gets: an editor warns of an empty key, which a cluster passes over.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from controller.resources.kinds import KINDS, Kind

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INT32, _INT64 = 2**31, 2**63


class _Generator(GenerateJsonSchema):
    """Without titles and without null, and integers as Kubernetes says them."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        found = super().int_schema(schema)
        for bound, size in ((_INT32, "int32"), (_INT64, "int64")):
            if found.get("exclusiveMaximum") == bound:
                del found["exclusiveMaximum"]
                found["format"] = size
                if found["minimum"] == -bound:
                    del found["minimum"]
        return found


def schema_of(kind: Kind) -> Schema:
    return {"$schema": DIALECT, **_tidy(kind.model.model_json_schema(schema_generator=_Generator))}


def schema_of_all() -> Schema:
    """Of a document of any kind that is ours: the kind says which."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (kind.name, "validation", TypeAdapter(kind.model)) for kind in KINDS
    ]
    refs, definitions = TypeAdapter.json_schemas(inputs, schema_generator=_Generator)
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}},
        "required": ["apiVersion", "kind"],
        "allOf": [
            {"if": _is(kind), "then": _tidy(refs[kind.name, "validation"])} for kind in KINDS
        ],
        **_tidy(definitions),
    }


def _is(kind: Kind) -> Schema:
    said = {"apiVersion": {"const": kind.api_version}, "kind": {"const": kind.name}}
    return {"properties": said}


def walked(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """Every schema within a schema changed, innermost first. Names of properties are no schemas."""
    if isinstance(schema, list):
        return [walked(item, change) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            made[key] = {name: walked(inner, change) for name, inner in value.items()}
        elif key in ("default", "enum", "const", "required", "x-kubernetes-validations"):
            made[key] = value
        else:
            made[key] = walked(value, change)
    return change(made)


def _tidy(schema: Any) -> Any:
    return walked(schema, _tidied)


def _tidied(schema: Schema) -> Schema:
    kept = without(schema, ("title",))
    if kept.get("default") in ([], {}, None):
        kept = without(kept, ("default",))
    if "x-kubernetes-int-or-string" in kept and "pattern" in kept:
        # A quantity: in YAML also 0.5, which a cluster takes from a webhook as text.
        kept["anyOf"] = [{"type": "number"}, {"type": "string"}]
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    return kept


def without(schema: Schema, keys: Iterable[str]) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}
