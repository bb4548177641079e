"""OpenAPI v3 of the kinds, as far as kubectl reads it: `explain`, and the options of a PATCH."""

from collections.abc import Callable, Iterable

from aiohttp import web

from controller.api.guard import Guard
from controller.api.patches import APPLY, MERGE
from controller.api.respond import answer
from controller.resources.kinds import Kind
from controller.store.refs import Json, api_version

Schema = Callable[[Kind], Json]

_GVK = "x-kubernetes-group-version-kind"
_OPTIONS = ("dryRun", "fieldManager", "fieldValidation", "force")


def openapi(kinds: Iterable[Kind], schema: Schema, guarded: Guard) -> list[web.RouteDef]:
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(prefix(kind).strip("/"), []).append(kind)
    paths = {group: {"serverRelativeURL": f"/openapi/v3/{group}"} for group in groups}

    async def index(_: web.Request) -> web.StreamResponse:
        return answer({"paths": paths})

    async def document(request: web.Request) -> web.StreamResponse:
        return answer(_document(groups[request.match_info["group"]], schema))

    listed = "|".join(group.replace(".", r"\.") for group in groups)
    return [
        web.get("/openapi/v3", guarded(index)),
        web.get(f"/openapi/v3/{{group:{listed}}}", guarded(document)),
    ]


def prefix(kind: Kind) -> str:
    return f"/apis/{api_version(kind)}" if kind.group else f"/api/{kind.version}"


def _document(kinds: Iterable[Kind], schema: Schema) -> Json:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Graphway", "version": "v1"},
        "paths": {path: item for kind in kinds for path, item in _paths(kind)},
        "components": {"schemas": {_name(kind): _schema(kind, schema) for kind in kinds}},
    }


def _paths(kind: Kind) -> Iterable[tuple[str, Json]]:
    within = "namespaces/{namespace}/" if kind.namespaced else ""
    place = f"{prefix(kind)}/{within}{kind.plural}"
    shape = {"schema": {"$ref": f"#/components/schemas/{_name(kind)}"}}
    answered = {"200": {"description": "OK", "content": {"application/json": shape}}}
    shared = {_GVK: _gvk(kind), "responses": answered}
    query = [{"name": n, "in": "query", "schema": {"type": "string"}} for n in _OPTIONS]
    yield place, {"get": {"x-kubernetes-action": "list", **shared}}
    # Where it says strategic, kubectl computes that from this schema, which has no merge keys;
    # without, it takes what it knows of core/v1 itself.
    body = {"content": {one: {"schema": {"type": "object"}} for one in (MERGE, APPLY)}}
    patch = {"x-kubernetes-action": "patch", "requestBody": body, "parameters": query, **shared}
    yield f"{place}/{{name}}", {"get": {"x-kubernetes-action": "get", **shared}, "patch": patch}


def _schema(kind: Kind, schema: Schema) -> Json:
    return schema(kind) | {_GVK: [_gvk(kind)]}


def _name(kind: Kind) -> str:
    return ".".join([*reversed((kind.group or "core").split(".")), kind.version, kind.name])


def _gvk(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}
