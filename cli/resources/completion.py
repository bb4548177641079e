"""What a shell may complete: kinds and names, as they are on the server right now.

A shell asks at each press of a key: nothing here may take long, and nothing may be said. Where no
server answers at once, there is nothing to complete.
"""

from typing import Any

import typer

from controller.client.api import ALL, Api, Json, Selection, ServedKind
from controller.client.find import NoServer, find
from controller.client.origin import Unreachable
from controller.store.errors import ApiError
from controller.store.owned import SERVICE_LABEL

PATIENCE_S = 1.0


def complete_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """Of `KIND [NAME]...` and of `KIND/NAME...`."""
    try:
        api = _api(ctx)
        given: list[str] = ctx.params.get("words") or []
        kind_word, slash, _ = incomplete.partition("/")
        if slash:
            kind = api.kind(kind_word)
            found = _names(api, ctx, kind, f"{kind_word}/") if kind else []
        elif given and "/" not in given[0]:
            kind = api.kind(given[0])
            found = _names(api, ctx, kind) if kind else []
        else:
            found = [*(kind.plural for kind in api.kinds), ALL]
        return [word for word in found if word.startswith(incomplete) and word not in given]
    except (NoServer, Unreachable, ApiError):
        return []


def complete_services(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of InferenceServices, where they need not be told to be such."""
    if "/" in incomplete:
        return complete_words(ctx, incomplete)
    try:
        api = _api(ctx)
        kind = api.kind("inferenceservices")
        found = _names(api, ctx, kind) if kind else []
        return [word for word in found if word.startswith(incomplete)]
    except (NoServer, Unreachable, ApiError):
        return []


def complete_revisions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Numbers of the revisions that are kept of the InferenceService that is named."""
    try:
        api = _api(ctx)
        kind = api.kind_of("apps/v1", "ControllerRevision")
        # Before an option without its value, words are not yet told apart.
        words = [ctx.params.get("name"), *ctx.args]
        name = next((word.rpartition("/")[2] for word in words if word), "")
        if kind is None:
            return []
        where = Selection(ctx.params.get("namespace") or "default", f"{SERVICE_LABEL}={name}")
        numbers = [str(item["revision"]) for item in api.list(kind, where)["items"]]
        return [number for number in numbers if number.startswith(incomplete)]
    except (NoServer, Unreachable, ApiError):
        return []


def _api(ctx: typer.Context) -> Api:
    return Api(find(ctx.params.get("server"), timeout_s=PATIENCE_S))


def _names(api: Api, ctx: typer.Context, kind: ServedKind, prefix: str = "") -> list[str]:
    params: dict[str, Any] = ctx.params
    namespace = None if params.get("all_namespaces") else params.get("namespace") or "default"
    items: list[Json] = api.list(kind, Selection(namespace))["items"]
    return [f"{prefix}{item['metadata']['name']}" for item in items]
