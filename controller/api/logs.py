"""Output of what runs, as a stream of bytes: of a component of an InferenceService, or of a pod.

Where the output lies is the backend's matter; it answers through `Logs`.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from controller.api.guard import Guard
from controller.api.request import Options
from controller.resources.kinds import Kind
from controller.store.refs import Ref
from controller.store.store import Store


@dataclass(frozen=True, slots=True)
class LogRequest:
    """`about` is an InferenceService or a Pod that exists."""

    about: Ref
    component: str | None  # predictor, transformer, explainer; None: the predictor, or all of a pod
    container: str | None
    follow: bool
    tail: int | None  # so many last lines; None: all of them
    previous: bool  # of the process before the last restart


class Logs(Protocol):
    def __call__(self, wanted: LogRequest) -> AsyncIterator[bytes]:
        """Whole lines. Raises ApiError before the first of them, if there is nothing to read."""


def log_routes(kind: Kind, path: str, store: Store, logs: Logs, guarded: Guard) -> web.RouteDef:
    async def handler(request: web.Request) -> web.StreamResponse:
        options = Options(request.query)
        ref = Ref(kind, request.match_info["namespace"], request.match_info["name"])
        store.get(ref)
        query = options.query
        tail = options.number("tail")
        wanted = LogRequest(
            ref,
            query.get("component"),
            query.get("container"),
            options.flag("follow"),
            options.number("tailLines") if tail is None else tail,
            options.flag("previous"),
        )
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        lines = logs(wanted)
        first = await anext(lines, b"")
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(first)
            async for chunk in lines:
                await response.write(chunk)
            await response.write_eof()
        return response

    return web.get(path, guarded(handler))
