"""storageUri -> a folder on this disk: the door of this room.

Equal requests for one target share one download, which runs as long as somebody waits for it; with
other processes the target's lock has the same effect. A failure is a value. How a request is
carried out is none of this file's business (`bring`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from controller.storage.bring import bring, place
from controller.storage.locations import redacted
from controller.storage.outcome import Fetched, FetchFailed, Progress, Reason
from controller.storage.request import Request, identity
from controller.storage.settings import StorageSettings
from controller.storage.threads import in_thread

_Key = tuple[Path, str]


@dataclass(slots=True)
class _Flight:
    """A download that runs, and who watches it."""

    outcome: asyncio.Future[Fetched | FetchFailed]
    task: asyncio.Task[None] | None = None
    watchers: list[Progress] = field(default_factory=list)

    def progress(self, done: int, total: int | None) -> None:
        for watcher in tuple(self.watchers):
            watcher(done, total)


def unwatched(done: int, total: int | None) -> None:
    """For whoever shows no progress."""


class Fetcher:
    """`async with Fetcher(...) as fetcher`; leaving it stops what still runs."""

    def __init__(
        self,
        settings: StorageSettings,
        *,
        uri_map: Mapping[str, Path],
        environ: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._uri_map = uri_map
        self._environ = environ
        self._flights: dict[_Key, _Flight] = {}
        self._stopping: dict[asyncio.Task[None], Path] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for flight in self._flights.values():
            if flight.task is not None:
                flight.task.cancel()
        await self._tasks.__aexit__(kind, error, traceback)

    def in_place(self, request: Request) -> Path | FetchFailed | None:
        """Where it lies, if it is used there; None: it is downloaded."""
        return place(request, self._settings, self._uri_map)

    async def fetch(
        self, request: Request, progress: Progress = unwatched
    ) -> Fetched | FetchFailed:
        """Cancel it to stop the download, unless others wait for it too."""
        key = request.target, identity(request)
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.get_running_loop().create_future())
            self._flights[key] = flight
            flight.task = self._tasks.create_task(self._fly(key, flight, request))
        flight.watchers.append(progress)
        try:
            found = await asyncio.shield(flight.outcome)
            return await in_thread(_part, found, request) if request.inside else found
        finally:
            flight.watchers.remove(progress)
            if not flight.watchers and flight.task is not None:
                # Who comes now begins anew, and waits for the lock until this one has stopped.
                self._forget(key, flight)
                self._stopping[flight.task] = request.target
                flight.task.add_done_callback(self._stopping.pop)
                flight.task.cancel()

    async def stopped(self, target: Path) -> None:
        """Until downloads into it that nobody waits for any more have let go of it."""
        if tasks := [task for task, into in self._stopping.items() if into == target]:
            await asyncio.wait(tasks)

    async def _fly(self, key: _Key, flight: _Flight, request: Request) -> None:
        outcome = flight.outcome
        try:
            found = await bring(
                request, self._settings, self._uri_map, self._environ, flight.progress
            )
            outcome.set_result(found)
        except asyncio.CancelledError:
            outcome.set_result(FetchFailed(Reason.INTERRUPTED, "the download was stopped"))
            raise
        except Exception as bug:
            outcome.set_exception(bug)
        finally:
            self._forget(key, flight)

    def _forget(self, key: _Key, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _part(found: Fetched | FetchFailed, request: Request) -> Fetched | FetchFailed:
    if isinstance(found, FetchFailed):
        return found
    path = found.path / request.inside
    within = ".." not in Path(request.inside).parts and not Path(request.inside).is_absolute()
    if within and path.exists():
        return Fetched(path, found.size_bytes, found.digest)
    message = f"{redacted(request.uri)} has no {request.inside}; see what it holds, and mend the "
    return FetchFailed(Reason.NOT_FOUND, f"{message}path")
