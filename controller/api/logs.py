"""Output of what runs, as a stream of bytes: of a component of an InferenceService, or of a pod.

Where the output lies is the backend's matter; it answers through `Logs`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiohttp import web

from controller.api.guard import Guard
from controller.api.request import Options
from controller.api.streams import Streams
from controller.resources.kinds import Kind
from controller.store.refs import Ref
from controller.store.store import Store

_AT_ONCE = 0.0  # a time that has passed


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


def log_routes(
    kind: Kind, path: str, store: Store, logs: Logs, streams: Streams, guarded: Guard
) -> web.RouteDef:
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
        if not wanted.follow:
            return await _sent(request, logs(wanted))
        with streams.one():
            return await _sent(request, _until_closed(logs(wanted), store))

    return web.get(path, guarded(handler))


async def _sent(request: web.Request, lines: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    first = await anext(lines, b"")
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(first)
        async for chunk in lines:
            await response.write(chunk)
        await response.write_eof()
    return response


async def _until_closed(lines: AsyncIterator[bytes], store: Store) -> AsyncIterator[bytes]:
    """Who follows is let go when the server ends, with an end that is none of a broken line."""
    while not store.changes.closed:
        try:
            async with asyncio.timeout(None) as limit:
                end = store.changes.on_close(partial(limit.reschedule, _AT_ONCE))
                try:
                    line = await anext(lines, None)
                finally:
                    end()
        except TimeoutError:
            return
        if line is None:
            return
        yield line
