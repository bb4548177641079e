"""Which keys are to be reconciled, and when: a level-triggered queue.

A key stands for "look at this again", never for what happened, so a hundred adds before a look are
one look. No key is worked on twice at once; one that is added meanwhile is looked at once more
after. A look that failed is repeated ever more slowly. Nothing here knows what a key means.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 60.0

# Returns after how long to look again, if nothing happens before; None: not by itself.
Work = Callable[[K], Awaitable[float | None]]


class Queue(Generic[K]):
    """`work` may raise: `on_failure` is told, and the key comes again after a pause."""

    def __init__(
        self,
        work: Work[K],
        on_failure: Callable[[K, Exception, float], None],
        *,
        at_once: int = 8,
    ) -> None:
        self._work = work
        self._on_failure = on_failure
        self._slots = asyncio.Semaphore(at_once)
        self._waiting: dict[K, None] = {}  # in the order in which they came
        self._busy: set[K] = set()
        self._again: set[K] = set()  # added while they were worked on
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, key: K) -> None:
        """Look at it soon."""
        self._cancel_timer(key)
        if key in self._busy:
            self._again.add(key)
        else:
            self._waiting[key] = None
            self._filled.set()
            self._idle.clear()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    await self._filled.wait()
                    await self._slots.acquire()
                    key = next(iter(self._waiting))
                    del self._waiting[key]
                    if not self._waiting:
                        self._filled.clear()
                    self._busy.add(key)
                    tasks.create_task(self._look(key))
            finally:
                for timer in self._timers.values():
                    timer.cancel()
                self._timers.clear()

    async def settled(self) -> None:
        """Until there is nothing to look at now; timers may still run."""
        await self._idle.wait()

    async def _look(self, key: K) -> None:
        after_s: float | None
        try:
            after_s = await self._work(key)
            self._failures.pop(key, None)
        except Exception as bug:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            after_s = min(FIRST_RETRY_S * 2.0**failures, LONGEST_RETRY_S)
            self._on_failure(key, bug, after_s)
        finally:
            self._busy.discard(key)
            self._slots.release()
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif after_s is not None:
            self._cancel_timer(key)
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(after_s, self.add, key)
        if not self._busy and not self._waiting:
            self._idle.set()

    def _cancel_timer(self, key: K) -> None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
