"""All routes of the resource API, for an aiohttp application to take in.

One table of paths for every kind: a new kind is a line in `controller.resources.kinds`.
"""

from collections.abc import Iterable, Iterator

from aiohttp import web

from controller.api.admission import Admission
from controller.api.built_in import BuiltIn
from controller.api.discovery import discovery
from controller.api.guard import Guard, guard
from controller.api.logs import Logs, log_routes
from controller.api.openapi import openapi, prefix
from controller.api.rules import Rules
from controller.api.streams import Streams
from controller.api.verbs import Verbs
from controller.resources.kinds import Kind
from controller.store.errors import ApiError
from controller.store.own_kinds import ALL_KINDS, POD, READ_ONLY
from controller.store.refs import Json
from controller.store.store import Store

MAX_STREAMS = 512
_LOGGED = (POD.name, "InferenceService")


def routes(
    store: Store,
    *,
    logs: Logs,
    token: str | None = None,
    admission: Admission | None = None,
    kinds: Iterable[Kind] = ALL_KINDS,
    built_in: Iterable[Json] = (),
    max_streams: int = MAX_STREAMS,
) -> list[web.RouteDef]:
    """`token` is None only where nobody but this machine can connect. `built_in`: manifests that
    nobody has to write. `max_streams`: watches and followed logs at once.
    """
    shipped = BuiltIn(built_in, store.now())
    known, guarded, streams = tuple(kinds), guard(token), Streams(max_streams)
    admits = admission or Rules(store)
    found = [*discovery(known, guarded), *openapi(known, guarded)]
    for kind in known:
        found += _of_kind(kind, Verbs(kind, store, admits, shipped, streams), guarded)
        if kind.name in _LOGGED:
            found.append(log_routes(kind, f"{_one(kind)}/log", store, logs, streams, guarded))
    nothing = guarded(_nothing)
    return [*found, *(web.route("*", path, nothing) for path in _UNKNOWN)]


_UNKNOWN = ("/api/{rest:.*}", "/apis/{rest:.*}", "/openapi/{rest:.*}")


async def _nothing(request: web.Request) -> web.StreamResponse:
    message = f"the server could not find the requested resource: {request.path}"
    raise ApiError(404, "NotFound", message)


async def _not_allowed(request: web.Request) -> web.StreamResponse:
    message = f"{request.method} is not supported on {request.path}"
    raise ApiError(405, "MethodNotAllowed", message)


def _of_kind(kind: Kind, verbs: Verbs, guarded: Guard) -> Iterator[web.RouteDef]:
    one = _one(kind)
    some = one.removesuffix("/{name}")
    yield web.get(some, guarded(verbs.find))
    if kind.namespaced:
        yield web.get(f"{prefix(kind)}/{kind.plural}", guarded(verbs.find))
    yield web.get(one, guarded(verbs.get))
    if kind.status:
        yield web.get(f"{one}/status", guarded(verbs.get))
    if kind not in READ_ONLY:
        yield from _writing(kind, one, some, verbs, guarded)
    for path in (some, one):
        yield web.route("*", path, guarded(_not_allowed))


def _writing(
    kind: Kind, one: str, some: str, verbs: Verbs, guarded: Guard
) -> Iterator[web.RouteDef]:
    yield web.post(some, guarded(verbs.create))
    yield web.delete(some, guarded(verbs.delete_all))
    yield web.put(one, guarded(verbs.replace))
    yield web.patch(one, guarded(verbs.patch))
    yield web.delete(one, guarded(verbs.delete))
    if kind.status:
        yield web.put(f"{one}/status", guarded(verbs.replace_status))
        yield web.patch(f"{one}/status", guarded(verbs.patch_status))


def _one(kind: Kind) -> str:
    """The path of one object."""
    within = "namespaces/{namespace}/" if kind.namespaced else ""
    return f"{prefix(kind)}/{within}{kind.plural}/{{name}}"
