"""OpenAPI v3 of the kinds, as far as kubectl reads it: `explain`, and the options of a PATCH."""

import asyncio
from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from aiohttp import web

from controller.api.guard import Guard
from controller.api.patches import APPLY, JSON_PATCH, MERGE
from controller.api.respond import answer, encode
from controller.resources.crds import structural
from controller.resources.kinds import KINDS, Kind
from controller.store.refs import Json, api_version

_GVK = "x-kubernetes-group-version-kind"
_OPTIONS = ("dryRun", "fieldManager", "fieldValidation", "force")


_OPEN: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def openapi(kinds: Iterable[Kind], guarded: Guard) -> list[web.RouteDef]:
    groups: dict[str, tuple[Kind, ...]] = {}
    for kind in kinds:
        group = prefix(kind).strip("/")
        groups[group] = (*groups.get(group, ()), kind)

    async def index(_: web.Request) -> web.StreamResponse:
        # kubectl keeps a document for good under an address with its hash.
        paths = {}
        for group, members in groups.items():
            digest = (await _made(members))[1]
            paths[group] = {"serverRelativeURL": f"/openapi/v3/{group}?hash={digest}"}
        return answer({"paths": paths})

    async def document(request: web.Request) -> web.StreamResponse:
        members = groups[request.match_info["group"]]
        body, digest = await _made(members)
        response = web.Response(body=body, content_type="application/json")
        response.headers["ETag"] = f'"{digest}"'
        if request.query.get("hash") == digest:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    listed = "|".join(group.replace(".", r"\.") for group in groups)
    return [
        web.get("/openapi/v3", guarded(index)),
        web.get(f"/openapi/v3/{{group:{listed}}}", guarded(document)),
    ]


def prefix(kind: Kind) -> str:
    return f"/apis/{api_version(kind)}" if kind.group else f"/api/{kind.version}"


async def _made(kinds: tuple[Kind, ...]) -> tuple[bytes, str]:
    return await asyncio.to_thread(lambda: _document(kinds))


@cache
def _document(kinds: tuple[Kind, ...]) -> tuple[bytes, str]:
    """With its hash. Half a second of work: not before somebody asks, and not on the loop."""
    said = {
        "openapi": "3.0.0",
        "info": {"title": "Graphway", "version": "v1"},
        "paths": {path: item for kind in kinds for path, item in _paths(kind)},
        "components": {"schemas": {_name(kind): _schema(kind) for kind in kinds}},
    }
    body = encode(said)
    return body, sha256(body).hexdigest().upper()


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
    body = {"content": {one: {"schema": {"type": "object"}} for one in (MERGE, JSON_PATCH, APPLY)}}
    patch = {"x-kubernetes-action": "patch", "requestBody": body, "parameters": query, **shared}
    yield f"{place}/{{name}}", {"get": {"x-kubernetes-action": "get", **shared}, "patch": patch}


def _schema(kind: Kind) -> Json:
    return (structural(kind) if kind in KINDS else _OPEN) | {_GVK: [_gvk(kind)]}


def _name(kind: Kind) -> str:
    return ".".join([*reversed((kind.group or "core").split(".")), kind.version, kind.name])


def _gvk(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}
