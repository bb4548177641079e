"""The body of a PATCH as a function from the live object to the wanted one, by its media type."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.api.request import Options, parse, parse_list, unsupported
from controller.store.apply import apply
from controller.store.errors import bad_request
from controller.store.json_patch import json_patch
from controller.store.merge import merge, strategic_merge
from controller.store.metadata import folded
from controller.store.refs import Json, Ref
from controller.store.store import Edit

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Patch:
    change: Edit
    creates: bool = False  # what is not there yet is made


def changed_by(
    media: str, body: bytes, ref: Ref, options: Options, now: Callable[[], str]
) -> Patch:
    if media == APPLY:
        if not options.manager:
            raise bad_request("server-side apply needs fieldManager: who is it that applies?")
        wanted = folded(ref.kind, parse(body, is_yaml=True))
        manager, force = options.manager, options.flag("force")

        def applied(live: Json) -> Json:
            return apply(ref, live, wanted, manager=manager, force=force, now=now())

        return Patch(applied, creates=True)
    if media == MERGE:
        given = parse(body, is_yaml=False)
        return Patch(lambda live: merge(live, given))
    if media == JSON_PATCH:
        operations = parse_list(body)
        return Patch(lambda live: json_patch(live, operations))
    if media == STRATEGIC:
        # For kinds of its own a cluster refuses it: their lists have no keys to merge by.
        if ref.kind.group:
            raise unsupported(media, (MERGE, JSON_PATCH, APPLY))
        given = parse(body, is_yaml=False)
        return Patch(lambda live: strategic_merge(live, given))
    raise unsupported(media, (MERGE, JSON_PATCH, APPLY, STRATEGIC))
