"""The stream of changes: what a client that listed a version has missed since, then what comes.

A watcher holds nothing but the last version that it was told; how much may lie between is bounded
by what the store remembers. One that falls behind that gets an Expired event and lists anew. Only
the write to the client waits, and every watch ends at its time.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain

from aiohttp import web

from controller.api.built_in import BuiltIn
from controller.api.pages import Asked, page
from controller.api.respond import encode
from controller.api.selectors import Matches
from controller.resources.kinds import Kind
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.refs import Json, api_version
from controller.store.store import Store

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
BOOKMARK_EVERY_S = 60.0
PORTION_BYTES = 64 * 1024  # about what a socket takes at once
_WRITE_S = 60.0  # who does not read for so long has gone, and keeps his memory
_DEFAULT_S = (1800, 3600)  # some time between, so that not all clients come back at once


@dataclass(frozen=True, slots=True)
class Watch:
    """What a client wants to hear of."""

    kind: Kind
    namespace: str | None
    matches: Matches | None
    built_in: BuiltIn
    since: int | None  # None: begin with all that is there
    bookmarks: bool
    tell_start: bool  # a bookmark once all that is there has been told
    timeout_s: int | None
    shown: Callable[[list[Json]], Json]  # an object as the client wants to see it


async def stream(request: web.Request, store: Store, watch: Watch) -> web.StreamResponse:
    """Raises Expired as long as no stream has begun."""
    client = _Client(request)
    seen = store.version if watch.since is None else watch.since
    store.changes.since(seen)
    # Listed at once, since it is of this version; shown one by one.
    there: list[Json] = []
    if watch.since is None:
        asked = Asked(watch.kind, watch.namespace, watch.matches)
        there = page(store, asked, watch.built_in).items
    first = [_bookmark(watch, seen, start=True)] if watch.tell_start else []
    with contextlib.suppress(ConnectionError), _news_of(store) as news:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(watch.timeout_s or random.uniform(*_DEFAULT_S)):
                await client.send(chain(_added(there, watch), first))
                await _follow(client, store, watch, seen, news)
        await client.end()
    return client.response


async def _follow(
    client: "_Client", store: Store, watch: Watch, seen: int, news: asyncio.Event
) -> None:
    # One who leaves is noticed by what is written to him, or else at the next sign of life.
    while not store.changes.closed and not client.gone:
        news.clear()
        try:
            changes = _portion(store.changes.since(seen))
        except ApiError as error:
            await client.send([{"type": "ERROR", "object": error.body()}])
            return
        await client.send(_events(changes, watch))
        if changes:
            seen = changes[-1].version
        elif not await _heard(news) and watch.bookmarks:
            await client.send([_bookmark(watch, seen, start=False)])


@contextlib.contextmanager
def _news_of(store: Store) -> Iterator[asyncio.Event]:
    """Set whenever there are changes, or will be none any more."""
    news = asyncio.Event()
    ends = store.changes.subscribe(lambda _: news.set()), store.changes.on_close(news.set)
    try:
        yield news
    finally:
        for end in ends:
            end()


class _Client:
    """Who watches: takes events, or is cut off."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": "application/json"})

    @property
    def gone(self) -> bool:
        transport = self._request.transport
        return transport is None or transport.is_closing()

    async def send(self, events: Iterable[Json]) -> None:
        """A portion at a time: what he has not read yet is not even made."""
        if not self.response.prepared:
            async with self._patience():
                await self.response.prepare(self._request)
        lines = bytearray()
        for event in events:
            lines += encode(event) + b"\n"
            if len(lines) >= PORTION_BYTES:
                await self._write(lines)
                lines = bytearray()
        if lines:
            await self._write(lines)

    async def _write(self, lines: bytearray) -> None:
        async with self._patience():
            await self.response.write(lines)

    async def end(self) -> None:
        async with self._patience():
            await self.response.write_eof()

    @contextlib.asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_WRITE_S):
                yield
        except TimeoutError as error:
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionAbortedError from error


async def _heard(news: asyncio.Event) -> bool:
    """False if nothing came for so long that it is time for a sign of life."""
    try:
        async with asyncio.timeout(BOOKMARK_EVERY_S):
            return await news.wait()
    except TimeoutError:
        return False


def _portion(changes: list[Change]) -> list[Change]:
    """So many as a client takes at once; the rest is asked for when he has them."""
    sizes = accumulate(change.size_bytes for change in changes)
    full = next((at for at, size in enumerate(sizes, 1) if size >= PORTION_BYTES), len(changes))
    return changes[:full]


def _added(items: Iterable[Json], watch: Watch) -> Iterator[Json]:
    for item in items:
        yield {"type": ChangeType.ADDED, "object": watch.shown([item])}


def _events(changes: list[Change], watch: Watch) -> Iterator[Json]:
    """What leaves a selection is deleted to those who watch it, what enters it added."""
    for change in changes:
        ref = change.ref
        if ref.kind != watch.kind or watch.namespace not in (None, ref.namespace):
            continue
        before, after = watch.built_in.around(change)
        is_in = after is not None and _matches(watch, after)
        was_in = before is not None and _matches(watch, before)
        if not is_in and not was_in:
            continue
        kind = ChangeType.MODIFIED if is_in and was_in else ChangeType.DELETED
        kind = ChangeType.ADDED if not was_in else kind
        last = change.object if after is None else after
        yield {"type": kind, "object": watch.shown([last])}


def _matches(watch: Watch, item: Json) -> bool:
    return watch.matches is None or watch.matches(item)


def _bookmark(watch: Watch, version: int, *, start: bool) -> Json:
    metadata: Json = {"resourceVersion": str(version)}
    if start:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    about = {"kind": watch.kind.name, "apiVersion": api_version(watch.kind), "metadata": metadata}
    return {"type": "BOOKMARK", "object": about}
