"""GETs by which clients of V1 and of the Open Inference Protocol ask about a graph as a model.

They are answered for the graph that the request is for, whatever model they name, as calls of any
path run that graph; without one, for all graphs. Neither logged nor counted, as `/readyz`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from graph.plan import Plan
from router.about import About, server
from router.messages import CLIENT_CLOSED, DONE, JSON, Cancellable, Request, Respond, Response
from router.plans import V1_MODELS, V2_MODELS, below

METHODS = frozenset({b"GET", b"HEAD"})
_BEGINNINGS = (b"/v2", b"/v1/models")
_LISTS = frozenset({b"/v1/models", b"/v2/models"})
SHUTTING_DOWN = "shutting down"

AskedAbout = Callable[[Request, Plan | None, Respond], Cancellable | None]
"""None: the request is not of this kind."""


def model_paths(about: About, ready: Callable[[], bool]) -> AskedAbout:
    """`ready`: whether this process is."""

    def handle(request: Request, plan: Plan | None, respond: Respond) -> Cancellable | None:
        asked = request.head.path
        path = below(asked)
        if not path.startswith(_BEGINNINGS) or (plan is None and path != asked):
            return None
        path = path.rstrip(b"/")
        if path == b"/v2":
            respond(_said(server()))
        elif path == b"/v2/health/live":
            respond(_said({"live": True}))
        elif path == b"/v2/health/ready":
            return is_ready(plan, {}, respond)
        elif path in _LISTS and not _forwards(path, plan):
            respond(_said({"models": about.names(plan)}))
        elif plan is None or _forwards(path, plan):
            return None
        elif path.startswith(V1_MODELS):
            name, rest = _named(path[len(V1_MODELS) :], plan)
            return None if rest or ":" in name else is_ready(plan, {"name": name}, respond)
        elif path.startswith(V2_MODELS):
            name, rest = _named(path[len(V2_MODELS) :], plan)
            if rest.startswith(b"/versions/"):
                rest = rest[len(b"/versions/") :]
                rest = rest[len(rest.split(b"/", 1)[0]) :]
            if rest == b"/ready":
                return is_ready(plan, {"name": name}, respond)
            if rest:
                return None
            waiting = _Waiting(respond)
            about.metadata(plan, name, waiting.told)
            return waiting
        else:
            return None
        return DONE

    def is_ready(plan: Plan | None, said: dict[str, Any], respond: Respond) -> Cancellable:
        if not ready():
            respond(_verdict(said, SHUTTING_DOWN))
            return DONE
        waiting = _Waiting(respond)
        about.ready(plan, partial(waiting.verdict, said))
        return waiting

    return handle


class _Waiting:
    """Somebody who asked, until there is an answer or he has left."""

    __slots__ = ("_respond",)

    def __init__(self, respond: Respond) -> None:
        self._respond: Respond | None = respond

    def told(self, said: dict[str, Any]) -> None:
        self._end(_said(said))

    def verdict(self, said: dict[str, Any], why: str) -> None:
        self._end(_verdict(said, why))

    def cancel(self) -> None:
        self._end(Response(CLIENT_CLOSED))

    def _end(self, response: Response) -> None:
        respond, self._respond = self._respond, None
        if respond is not None:
            respond(response)


def _forwards(path: bytes, plan: Plan | None) -> bool:
    """Whether it is the steps that know their models: V1's pages are those of other APIs too."""
    return plan is not None and plan.forwards and path.startswith(b"/v1")


def _named(path: bytes, plan: Plan) -> tuple[str, bytes]:
    """The name of a model, and what follows it. Only a graph's own key has a slash in it."""
    key = plan.key.encode()
    if path == key or path.startswith(key + b"/"):
        return plan.key, path[len(key) :]
    name = path.split(b"/", 1)[0]
    return unquote_to_bytes(name).decode(errors="replace"), path[len(name) :]


def _verdict(said: dict[str, Any], why: str) -> Response:
    if why:
        return _said({**said, "ready": False, "error": why}, 503)
    return _said({**said, "ready": True})


def _said(said: dict[str, Any], status: int = 200) -> Response:
    return Response(status, JSON, msgspec.json.encode(said))
