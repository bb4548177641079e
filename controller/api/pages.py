"""Lists in portions: `limit` and `continue`, as kubectl asks for five hundred at a time.

All portions show one state: that of the first. What has been written since is undone from the
changes that the store remembers; a token that is older than those is Expired, and the client lists
anew. Who watches from the version of a list misses nothing, whatever its portions.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import msgspec

from controller.api.built_in import BuiltIn
from controller.resources.kinds import Kind
from controller.store.errors import ApiError, bad_request
from controller.store.refs import Json, Ref
from controller.store.store import Place, Store, Where


@dataclass(frozen=True, slots=True)
class Asked:
    kind: Kind
    namespace: str | None
    matches: Where | None
    limit: int = 0  # 0: all
    token: str = ""  # of the portion before
    version: int | None = None  # exactly this state; None: the present one


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Json]
    version: int
    token: str  # for the next portion; empty if this is the last

    def metadata(self) -> Json:
        said = {"resourceVersion": str(self.version)}
        return said | ({"continue": self.token} if self.token else {})


class _Token(msgspec.Struct, frozen=True):
    version: int
    after: Place


def page(store: Store, asked: Asked, built_in: BuiltIn) -> Page:
    """Raises BadRequest for a token that is none, Expired for one that is too old."""
    version, after = asked.version, None
    if asked.token:
        if version is not None:
            raise bad_request("resourceVersion is told by the continue token; leave it out")
        token = _read(asked.token)
        version, after = token.version, token.after
    version = store.version if version is None else version
    items = _as_of(store, asked, version, after)
    if shipped := built_in.of(asked.kind):
        there = {place: item for place, item in shipped.items() if after is None or place > after}
        there |= {_place(item): item for item in items}
        items = [there[place] for place in sorted(there)]
    wanted = (item for item in items if asked.matches is None or asked.matches(item))
    if not asked.limit:
        return Page([*wanted], version, "")
    found = [*islice(wanted, asked.limit + 1)]
    shown = found[: asked.limit]
    rest = _written(_Token(version, _place(shown[-1]))) if len(found) > asked.limit else ""
    return Page(shown, version, rest)


def _as_of(store: Store, asked: Asked, version: int, after: Place | None) -> Iterable[Json]:
    if version == store.version:
        return store.walk(asked.kind, asked.namespace, after)
    try:
        since = store.changes.since(version)
    except ApiError as error:
        message = "The continue token or version is too old; list again from the beginning"
        raise ApiError(410, "Expired", f"{message} ({error.message})") from error
    found = {_place(item): item for item in store.walk(asked.kind, asked.namespace, after)}
    for change in reversed(since):
        place = change.ref.namespace, change.ref.name
        if not _is_asked_for(change.ref, asked) or (after is not None and place <= after):
            continue
        if change.before is None:
            found.pop(place, None)
        else:
            found[place] = change.before
    return [found[place] for place in sorted(found)]


def _is_asked_for(ref: Ref, asked: Asked) -> bool:
    return ref.kind == asked.kind and asked.namespace in (None, ref.namespace)


def _place(item: Json) -> Place:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _written(token: _Token) -> str:
    return urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _read(text: str) -> _Token:
    try:
        return msgspec.json.decode(urlsafe_b64decode(text), type=_Token)
    except (ValueError, msgspec.MsgspecError) as error:
        raise bad_request(f"continue is no token of this server: {text[:80]!r}") from error
