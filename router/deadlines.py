"""Time limits that are nearly always met, at the price of a dictionary entry instead of a timer
each.

Limits of one length expire in the order in which they began, so each length has a queue and only
its head needs a timer of the loop. A request's limits then cost a tenth of a timer, and a limit
that is met leaves nothing behind.
"""

import asyncio
from collections.abc import Callable


class Deadline:
    """One running limit. `cancel` it once what it guards is done."""

    __slots__ = ("_queue", "due", "expired")

    def __init__(self, queue: "_Queue", due: float, expired: Callable[[], None]) -> None:
        self._queue = queue
        self.due = due
        self.expired = expired

    def cancel(self) -> None:
        self._queue.waiting.pop(self, None)
        self.expired = _nothing  # it usually leads back to what holds this: make no cycle of it


def _nothing() -> None:
    pass


class _Queue:
    """Limits of one length, oldest first."""

    __slots__ = ("_loop", "_timer", "limit_s", "waiting")

    def __init__(self, limit_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self.limit_s = limit_s
        self.waiting: dict[Deadline, None] = {}
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @property
    def armed(self) -> bool:
        return self._timer is not None

    def add(self, expired: Callable[[], None]) -> Deadline:
        deadline = Deadline(self, self._loop.time() + self.limit_s, expired)
        self.waiting[deadline] = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline.due, self._expire)
        return deadline

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        for deadline in list(self.waiting):
            if deadline.due > now:
                break
            if self.waiting.pop(deadline, deadline) is None:  # not cancelled by one before it
                deadline.expired()
        head = next(iter(self.waiting), None)
        if head is not None and self._timer is None:
            self._timer = self._loop.call_at(head.due, self._expire)


class Deadlines:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: dict[float, _Queue] = {}

    def start(self, limit_s: float, expired: Callable[[], None]) -> Deadline:
        """Calls `expired` in `limit_s` seconds unless cancelled before."""
        queue = self._queues.get(limit_s)
        if queue is None:
            if len(self._queues) > 64:  # callers choose limits too: forget lengths out of use
                self._queues = {k: q for k, q in self._queues.items() if q.waiting or q.armed}
            queue = self._queues[limit_s] = _Queue(limit_s, self._loop)
        return queue.add(expired)

    def close(self) -> None:
        for queue in self._queues.values():
            queue.close()
