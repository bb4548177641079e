"""What can be done with the objects of one kind, as HTTP handlers over the store.

Path, query and body become a call of the store, its answer becomes an object, a list or a Table.
What the objects mean is not known here; `admit` decides about those that clients send.
"""

import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from controller.api.admission import Admission, Admitted, admitted, check_deletion
from controller.api.built_in import BuiltIn, unmarked, written
from controller.api.pages import Asked, page
from controller.api.patches import changed_by
from controller.api.request import (
    Form,
    Options,
    bounded,
    form,
    media_type,
    parse,
    read_body,
    read_object,
)
from controller.api.respond import answer
from controller.api.selectors import selector
from controller.api.streams import Streams
from controller.api.table import table
from controller.api.watch import Watch, stream
from controller.resources.kinds import Kind
from controller.store.dependents import Propagation
from controller.store.errors import bad_request
from controller.store.own_kinds import NAMESPACE
from controller.store.refs import DEFAULT_NAMESPACE, Json, Ref, api_version
from controller.store.store import Deleted, Edit, Store

_SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
_PRECONDITIONS = ("uid", "resourceVersion")
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: nobody wants the words


class Verbs:
    def __init__(
        self,
        kind: Kind,
        store: Store,
        admission: Admission,
        built_in: BuiltIn,
        streams: Streams,
    ) -> None:
        self._kind = kind
        self._store = store
        self._admission = admission
        self._built_in = built_in
        self._streams = streams

    async def find(self, request: web.Request) -> web.StreamResponse:
        options = Options(request.query)
        if options.flag("watch"):
            return await self._watch(request, options)
        shape = form(request)
        wanted = selector(self._kind, options.labels, options.fields)
        namespace = request.match_info.get("namespace")
        found = page(
            self._store,
            Asked(
                self._kind,
                namespace,
                wanted,
                options.number("limit") or 0,
                options.query.get("continue", ""),
                options.exact_version,
            ),
            self._built_in,
        )
        if shape is Form.TABLE:
            return answer(self._table(found.items, found.metadata(), options.include))
        return answer(
            {
                "kind": f"{self._kind.name}List",
                "apiVersion": api_version(self._kind),
                "metadata": found.metadata(),
                "items": found.items,
            }
        )

    async def get(self, request: web.Request) -> web.StreamResponse:
        ref = self._ref(request)
        found = self._store.find(ref) or self._built_in.find(ref)
        return self._one(request, found or self._store.get(ref))

    async def create(self, request: web.Request) -> web.StreamResponse:
        given = await read_object(request)
        resource = _placed(self._kind, given, request.match_info.get("namespace"))
        allowed = self._admitted(request, resource, None)
        return self._made(request, allowed)

    async def replace(self, request: web.Request) -> web.StreamResponse:
        ref = self._ref(request)
        given = _placed(self._kind, await read_object(request), ref.namespace, ref.name)
        return self._edited(request, ref, lambda _: given)

    async def patch(self, request: web.Request) -> web.StreamResponse:
        ref, options = self._ref(request), Options(request.query)
        body = await read_body(request)
        patch = changed_by(media_type(request), body, ref, options, self._store.now)
        if patch.creates and self._store.find(ref) is None:
            made = _placed(self._kind, patch.change({"metadata": {}}), ref.namespace, ref.name)
            allowed = self._admitted(request, made, None)
            return self._made(request, allowed)
        return self._edited(request, ref, patch.change)

    async def replace_status(self, request: web.Request) -> web.StreamResponse:
        ref = self._ref(request)
        given = _placed(self._kind, await read_object(request), ref.namespace, ref.name)
        return self._status_edited(request, ref, lambda _: given)

    async def patch_status(self, request: web.Request) -> web.StreamResponse:
        ref, options = self._ref(request), Options(request.query)
        body = await read_body(request)
        patch = changed_by(media_type(request), body, ref, options, self._store.now)
        return self._status_edited(request, ref, patch.change)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        ref = self._ref(request)
        deleted = await self._delete(request, lambda: [ref])
        if not deleted[0].gone:
            return self._one(request, deleted[0].object)
        details = {
            "name": ref.name,
            "group": self._kind.group,
            "kind": self._kind.plural,
            "uid": deleted[0].object["metadata"]["uid"],
        }
        return answer({**_SUCCESS, "details": details})

    async def delete_all(self, request: web.Request) -> web.StreamResponse:
        options = Options(request.query)
        wanted = selector(self._kind, options.labels, options.fields)

        def found() -> list[Ref]:
            listed = self._store.list(self._kind, request.match_info.get("namespace"), wanted)
            return [Ref.of(self._kind, item) for item in listed.items]

        await self._delete(request, found)
        return answer(_SUCCESS)

    async def _watch(self, request: web.Request, options: Options) -> web.StreamResponse:
        shape, include = form(request), options.include
        start = options.flag("sendInitialEvents")
        since = options.number("resourceVersion")

        def shown(items: list[Json]) -> Json:
            if shape is Form.OBJECT:
                return items[0]
            return self._table(items, _versions_of(items[0]), include)

        watch = Watch(
            self._kind,
            request.match_info.get("namespace"),
            selector(self._kind, options.labels, options.fields),
            self._built_in,
            # 0 means any version: ours is the present.
            since=None if start or not since else since,
            bookmarks=options.flag("allowWatchBookmarks"),
            tell_start=start,
            timeout_s=options.number("timeoutSeconds"),
            shown=shown,
        )
        with self._streams.one():
            return await stream(request, self._store, watch)

    async def _delete(self, request: web.Request, which: Callable[[], list[Ref]]) -> list[Deleted]:
        """`which` is asked once the body has come: what others delete meanwhile is no fault."""
        body = await read_body(request)
        given = parse(body, is_yaml=media_type(request) != "application/json") if body else {}
        options = Options({**_texts(given), **request.query})
        propagation = options.query.get("propagationPolicy") or Propagation.BACKGROUND
        if given.get("orphanDependents"):
            propagation = Propagation.ORPHAN
        if propagation not in [*Propagation]:
            listed = ", ".join(Propagation)
            raise bad_request(f"propagationPolicy takes {listed}, not {propagation!r}")
        believed = given.get("preconditions")
        believed = believed if isinstance(believed, dict) else {}
        with self._store.transaction(dry_run=options.dry_run):
            refs = which()
            for ref in refs:
                if self._store.find(ref) is None:
                    self._built_in.check_deletion(ref)
                check_deletion(self._admission, ref, self._store.get(ref))
                for inner in self._contents(ref):
                    if self._store.find(inner) is not None:  # it may have gone with its owner
                        self._store.delete(inner)
            return [
                self._store.delete(
                    ref,
                    uid=believed.get("uid"),
                    version=believed.get("resourceVersion"),
                    propagation=Propagation(propagation),
                )
                for ref in refs
                if len(refs) == 1 or self._store.find(ref) is not None
            ]

    def _contents(self, ref: Ref) -> list[Ref]:
        """What goes with it: of a namespace, all that is in it."""
        if ref.kind is not NAMESPACE:
            return []
        kinds = [kind for kind in self._store.kinds.values() if kind.namespaced]
        found = [(kind, self._store.list(kind, ref.name).items) for kind in kinds]
        return [Ref.of(kind, item) for kind, items in found for item in items]

    def _made(self, request: web.Request, allowed: Admitted) -> web.StreamResponse:
        dry_run = Options(request.query).dry_run
        made = self._store.create(self._kind, allowed.resource, dry_run=dry_run)
        return self._one(request, made, allowed, status=201)

    def _edited(self, request: web.Request, ref: Ref, change: Edit) -> web.StreamResponse:
        shipped = self._built_in.find(ref)
        if shipped is not None and self._store.find(ref) is None:
            made = bounded(_an_object(change(written(shipped))))  # theirs, in place of ours
            return self._made(request, self._admitted(request, made, None))
        allowed = Admitted({})

        def checked(live: Json) -> Json:
            nonlocal allowed
            wanted = bounded(_an_object(change(live)))
            if self._kind.status:
                wanted = _with("status", live, wanted)
            allowed = self._admitted(request, wanted, live)
            return allowed.resource

        after = self._store.edit(ref, checked, dry_run=Options(request.query).dry_run)
        return self._one(request, after, allowed)

    def _status_edited(self, request: web.Request, ref: Ref, change: Edit) -> web.StreamResponse:
        allowed = Admitted({})

        def checked(live: Json) -> Json:
            nonlocal allowed
            wanted = bounded(_an_object(change(live)))
            allowed = self._admitted(request, _with("status", wanted, live), live)
            believed = {k: v for k, v in wanted["metadata"].items() if k in _PRECONDITIONS}
            return allowed.resource | {"metadata": live["metadata"] | believed}

        after = self._store.edit_status(ref, checked, dry_run=Options(request.query).dry_run)
        return self._one(request, after, allowed)

    def _admitted(self, request: web.Request, resource: Json, before: Json | None) -> Admitted:
        unknown = Options(request.query).unknown_fields
        return admitted(self._admission, self._kind, unmarked(resource), before, unknown)

    def _ref(self, request: web.Request) -> Ref:
        namespace = request.match_info.get("namespace", "") if self._kind.namespaced else ""
        return Ref(self._kind, namespace, request.match_info["name"])

    def _one(
        self,
        request: web.Request,
        resource: Json,
        allowed: Admitted | None = None,
        status: int = 200,
    ) -> web.Response:
        warnings = allowed.warnings if allowed else ()
        if form(request) is Form.OBJECT:
            return answer(resource, status, warnings)
        shown = self._table([resource], _versions_of(resource), Options(request.query).include)
        return answer(shown, status, warnings)

    def _table(self, items: list[Json], metadata: Json, include: str) -> Json:
        return table(self._kind, items, metadata, include=include, now=self._store.clock())


def _versions_of(item: Json) -> Json:
    return {"resourceVersion": item["metadata"].get("resourceVersion", "")}  # a dry run makes none


def _placed(kind: Kind, given: Json, namespace: str | None, name: str = "") -> Json:
    """What a client sent, as the object that its path names."""
    found = _an_object({"metadata": {}} | given)
    metadata = dict(found["metadata"])
    if not metadata.get("name"):
        prefix = metadata.get("generateName")
        made = f"{prefix}{''.join(secrets.choice(_NAME_LETTERS) for _ in range(5))}"
        metadata["name"] = name or (made if isinstance(prefix, str) and prefix else "")
    if kind.namespaced:
        said = metadata.setdefault("namespace", namespace or DEFAULT_NAMESPACE)
        if namespace and said != namespace:
            why = f"the namespace of the object ({said}) is not that of the request ({namespace})"
            raise bad_request(why)
    else:
        metadata.pop("namespace", None)
    if name and metadata["name"] != name:
        why = f"the name of the object ({metadata['name']}) is not that of the URL ({name})"
        raise bad_request(why)
    head = {"apiVersion": api_version(kind), "kind": kind.name}
    return head | found | {"metadata": metadata}


def _an_object(resource: Any) -> Json:
    """With a head that is no nonsense; what the rest is worth, admission says."""
    if not isinstance(resource, dict):
        raise bad_request("a patch may not leave anything but an object")
    metadata = resource.get("metadata")
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    for key in ("name", "namespace", "generateName", *_PRECONDITIONS):
        if not isinstance(metadata.get(key, ""), str):
            raise bad_request(f"metadata.{key} must be text")
    return resource


def _with(key: str, source: Json, target: Json) -> Json:
    """The target with this part of the source."""
    rest = {name: value for name, value in target.items() if name != key}
    return rest | ({key: source[key]} if key in source else {})


def _texts(options: Json) -> dict[str, str]:
    """Of DeleteOptions, what may stand in the query as well."""
    dry_run = options.get("dryRun")
    first = dry_run[0] if isinstance(dry_run, list) and dry_run else None
    said = {"propagationPolicy": options.get("propagationPolicy"), "dryRun": first}
    return {key: str(value) for key, value in said.items() if value}
