"""A source's files into a folder: in parallel, by parts, each resumed where its connection broke.

Tries are counted per part, and only those that bring nothing: a poor line that gets on is no
failure, and a server that sends a byte a time cannot go on for ever. A part is noted in the journal
once its bytes are synced. Nothing here knows a protocol.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from controller.storage.checksum import agrees
from controller.storage.journal import Journal
from controller.storage.outcome import TRANSIENT, Fault, Progress, Reason, disk_fault
from controller.storage.settings import StorageSettings
from controller.storage.source import Item, Source
from controller.storage.target import sync_data
from controller.storage.threads import in_thread, made_in_thread, stoppable_in_thread

T = TypeVar("T")

LEAST_GAIN_BYTES = 64 * 1024  # what a try must bring, or finish, to count as one that got on
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Part:
    index: int
    item: Item
    start: int
    end: int | None
    position: int  # what of it has come


async def patiently(settings: StorageSettings, attempt: Callable[[], Awaitable[T]]) -> T:
    """Tries again while the failure is one that may pass."""
    failures = 0
    while True:
        try:
            return await attempt()
        except Fault as fault:
            failures += 1
            if fault.reason not in TRANSIENT or failures >= settings.attempts:
                raise
        await asyncio.sleep(_pause_s(settings, failures))


def _pause_s(settings: StorageSettings, failures: int) -> float:
    return min(settings.backoff_seconds * 2.0 ** (failures - 1), LONGEST_PAUSE_S)


class Download:
    def __init__(
        self,
        source: Source,
        items: Sequence[Item],
        tree: Path,
        journal: Journal,
        settings: StorageSettings,
        progress: Progress,
    ) -> None:
        self._source = source
        self._items = items
        self._tree = tree
        self._journal = journal
        self._settings = settings
        self._progress = progress
        self._done_bytes = 0
        sizes = [item.size for item in items]
        self._total_bytes = sum(size for size in sizes if size is not None)
        self._total = None if None in sizes else self._total_bytes

    @property
    def missing_bytes(self) -> int:
        """What is known to come yet."""
        done = sum(end - start for _, start, end in self._journal.done)
        return max(self._total_bytes - done, 0)

    async def run(self) -> None:
        """Fault if it cannot be done; what was noted by then is kept for the next try."""
        parts = self._parts()
        self._done_bytes = self._total_bytes - self.missing_bytes
        self._progress(self._done_bytes, self._total)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._settings.parallel):
                    tasks.create_task(self._work(parts))
        except* Fault as failed:
            raise _first(failed) from None
        await self._verify()

    def _parts(self) -> Iterator[Part]:
        """Those that are not done; made one at a time, for a model of many files."""
        step = int(self._settings.part_size)
        for index, item in enumerate(self._items):
            if item.size is None or not item.ranges:
                yield Part(index, item, 0, item.size, 0)
                continue
            for start in range(0, item.size, step) or (0,):
                end = min(start + step, item.size)
                if (index, start, end) not in self._journal.done:
                    yield Part(index, item, start, end, start)

    async def _work(self, parts: Iterator[Part]) -> None:
        for part in parts:  # shared by all workers: each part is taken once
            await self._fetch(part)

    async def _fetch(self, part: Part) -> None:
        path = self._tree / part.item.name
        try:
            descriptor = await made_in_thread(partial(_open, path, part.item.size), os.close)
            try:
                await self._fill(part, descriptor)
                await in_thread(sync_data, descriptor)
                if part.end is not None and part.item.etag is not None and part.item.ranges:
                    await in_thread(self._journal.add, (part.index, part.start, part.end))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_fault(error, path) from error

    async def _fill(self, part: Part, descriptor: int) -> None:
        failures = 0
        while part.position != part.end:
            before = part.position
            try:
                await self._read(part, descriptor)
                return
            except Fault as fault:
                gained = part.position - before
                if not part.item.ranges:  # nobody can begin in its middle
                    self._done_bytes -= part.position
                    part.position = 0
                failures = 1 if gained >= LEAST_GAIN_BYTES and part.item.ranges else failures + 1
                if fault.reason not in TRANSIENT or failures >= self._settings.attempts:
                    raise
            await asyncio.sleep(_pause_s(self._settings, failures))

    async def _read(self, part: Part, descriptor: int) -> None:
        stream = self._source.read(part.item, part.position, part.end)
        async with aclosing(stream) as chunks:
            while (chunk := await self._next(chunks, part.item)) is not None:
                if part.end is not None and part.position + len(chunk) > part.end:
                    raise Fault(Reason.BAD_ANSWER, f"{part.item.name} is longer than it was said")
                await in_thread(_write, descriptor, chunk, part.position)
                part.position += len(chunk)
                self._done_bytes += len(chunk)
                self._progress(self._done_bytes, self._total)
        if part.end is not None and part.position < part.end:
            message = f"the connection broke again and again within {part.item.name}"
            raise Fault(Reason.INTERRUPTED, message)
        if part.end is None:
            await in_thread(os.ftruncate, descriptor, part.position)  # a longer try before

    async def _next(self, chunks: AsyncGenerator[bytes, None], item: Item) -> bytes | None:
        try:
            async with asyncio.timeout(self._settings.stall_seconds):
                return await anext(chunks, None)
        except TimeoutError:
            message = f"{item.name} stopped coming, and nothing more came in time"
            raise Fault(Reason.INTERRUPTED, message) from None

    async def _verify(self) -> None:
        for item in self._items:
            path = self._tree / item.name
            if item.checksum is None:
                continue
            if not await stoppable_in_thread(partial(agrees, path, item.checksum)):
                message = f"{item.name} does not have the checksum that its store gives"
                raise Fault(Reason.CORRUPT, f"{message}; try again, or upload it anew")


def _open(path: Path, size: int | None) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        if size is not None:
            os.ftruncate(descriptor, size)  # parts of one file are written in any order
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _write(descriptor: int, data: bytes, position: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, position)
        data, position = data[written:], position + written


def _first(failed: BaseExceptionGroup[Fault]) -> Fault:
    found = failed.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
