"""CustomResourceDefinitions of the kinds that are ours or KServe's: structural OpenAPI schemas.

Made from the JSON Schema of each model: references written out, and only the words that a
structural schema may have. What KServe's own definitions accept, these accept too.
"""

from typing import Any

from controller.resources.kinds import CORE, KINDS, Kind
from controller.resources.schema import Schema, schema_of, walked, without

_STRING = {"type": "string"}
_EITHER = [{"type": "integer"}, {"type": "string"}]


def crds() -> list[dict[str, Any]]:
    return [crd(kind) for kind in KINDS if kind.group != CORE]


def crd(kind: Kind) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    version: dict[str, Any] = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": structural(kind)},
        "additionalPrinterColumns": [
            {"name": column.name, "type": column.type, "jsonPath": column.path}
            | ({"priority": column.priority} if column.priority else {})
            for column in kind.columns
            if column.cell is None
        ],
    }
    if kind.status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [version],
        },
    }


def structural(kind: Kind) -> Schema:
    schema = schema_of(kind)
    made: Schema = walked(_inlined(schema, schema["$defs"]), _structured)
    # The API server knows these three itself.
    made["properties"] |= {"apiVersion": _STRING, "kind": _STRING, "metadata": {"type": "object"}}
    return without(made, ("required",))  # as KServe's; what has no spec, admission refuses


def _inlined(schema: Any, definitions: Schema) -> Any:
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _inlined(definitions[name] | without(schema, ("$ref",)), definitions)
    return {k: _inlined(v, definitions) for k, v in schema.items() if k not in ("$defs", "$schema")}


def _structured(schema: Schema) -> Schema:
    made = without(schema, ("default", "const"))
    if not schema:  # any JSON
        return {"x-kubernetes-preserve-unknown-fields": True}
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if "x-kubernetes-int-or-string" in made:
        made["anyOf"] = _EITHER
    match made.get("additionalProperties"):
        case False:
            del made["additionalProperties"]
        case True:
            del made["additionalProperties"]
            made["x-kubernetes-preserve-unknown-fields"] = True
    return made
