"""What kinds there are, as clients ask: `/api`, `/apis`, `/version`, in the old form and the new.

The new form (aggregated) answers with one request what the old one needs one for each group for.
"""

from collections.abc import Iterable, Iterator

from aiohttp import web

from controller.api.guard import Guard, Handler
from controller.api.respond import answer, encode
from controller.resources.kinds import CORE, Kind
from controller.store.own_kinds import POD, READ_ONLY
from controller.store.refs import Json

# The Kubernetes whose API this is: clients refuse servers that seem too old.
_VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.0+graphway", "platform": "any"}
_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", *_READ, "patch", "update")
_STATUS = ("get", "patch", "update")


_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"


def discovery(kinds: Iterable[Kind], guarded: Guard) -> list[web.RouteDef]:
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, []).append(kind)
    named = {group: found for group, found in groups.items() if group != CORE}
    api_groups = [_api_group(group, found) for group, found in named.items()]
    core = {CORE: groups.get(CORE, [])}
    routes = {
        "/version": _fixed(_VERSION),
        "/api": _either(core, {"kind": "APIVersions", "versions": ["v1"]}),
        "/apis": _either(named, _body("APIGroupList", {"groups": api_groups})),
    }
    for found in api_groups:
        routes[f"/apis/{found['name']}"] = _fixed(_body("APIGroup", found))
    for group, members in groups.items():
        for version in _versions(members):
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            resources = [r for k in members if k.version == version for r in _resources(k)]
            said = {"groupVersion": _group_version(group, version), "resources": resources}
            routes[path] = _fixed(_body("APIResourceList", said))
    return [web.get(path, guarded(handler)) for path, handler in routes.items()]


def _fixed(body: Json) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return answer(body)

    return handler


def _either(groups: dict[str, list[Kind]], legacy: Json) -> Handler:
    """The new form for those who ask for it."""

    async def handler(request: web.Request) -> web.StreamResponse:
        accept = request.headers.get("Accept", "").replace(" ", "")
        for version in ("v2", "v2beta1"):
            media = _AGGREGATED.format(version)
            if media in accept:
                items = [_discovered(group, found) for group, found in groups.items()]
                body = {
                    "kind": "APIGroupDiscoveryList",
                    "apiVersion": f"apidiscovery.k8s.io/{version}",
                    "metadata": {},
                    "items": items,
                }
                return web.Response(body=encode(body), headers={"Content-Type": media})
        return answer(legacy)

    return handler


def _body(kind: str, said: Json) -> Json:
    return {"kind": kind, "apiVersion": "v1", **said}


def _versions(kinds: Iterable[Kind]) -> list[str]:
    """The one that clients should prefer first: v1beta1 before v1alpha1."""
    return sorted({kind.version for kind in kinds}, reverse=True)


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _api_group(group: str, kinds: Iterable[Kind]) -> Json:
    versions = [
        {"groupVersion": _group_version(group, version), "version": version}
        for version in _versions(kinds)
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resources(kind: Kind) -> Iterator[Json]:
    shared = {"namespaced": kind.namespaced, "kind": kind.name}
    yield {
        "name": kind.plural,
        "singularName": kind.singular,
        **shared,
        "verbs": _verbs(kind),
        "shortNames": [*kind.short_names],
        "categories": _categories(kind),
    }
    for name, verbs in _subresources(kind):
        yield {"name": f"{kind.plural}/{name}", "singularName": "", **shared, "verbs": verbs}


def _discovered(group: str, kinds: list[Kind]) -> Json:
    versions = []
    for version in _versions(kinds):
        resources = [
            {
                "resource": kind.plural,
                "responseKind": _response(kind),
                "scope": "Namespaced" if kind.namespaced else "Cluster",
                "singularResource": kind.singular,
                "verbs": _verbs(kind),
                "shortNames": [*kind.short_names],
                "categories": _categories(kind),
                "subresources": [
                    {"subresource": name, "responseKind": _response(kind), "verbs": verbs}
                    for name, verbs in _subresources(kind)
                ],
            }
            for kind in kinds
            if kind.version == version
        ]
        versions.append({"version": version, "resources": resources, "freshness": "Current"})
    return {"metadata": {"name": group, "creationTimestamp": None}, "versions": versions}


def _response(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _verbs(kind: Kind) -> list[str]:
    return [*(_READ if kind in READ_ONLY else _WRITE)]


def _subresources(kind: Kind) -> Iterator[tuple[str, list[str]]]:
    if kind.status:
        yield "status", [*(("get",) if kind in READ_ONLY else _STATUS)]
    if kind is POD:
        yield "log", ["get"]


def _categories(kind: Kind) -> list[str]:
    """`kubectl get all`: what somebody looks at daily, not what was set up once."""
    return ["all"] if kind is POD or (kind.status and kind.namespaced) else []
