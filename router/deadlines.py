"""Time limits that are nearly always met, at the price of a dictionary entry instead of a timer
each.

Limits of one length expire in the order in which they began, so each length has a queue and only
its head needs a timer of the loop. A limit that is met leaves nothing behind.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

CROWDED = 64  # lengths; graphs and settings name a handful


class Deadline(ABC):
    """Something that must be over by `due` (loop time). Subclasses say what happens else."""

    __slots__ = ("due", "queue")

    due: float
    queue: "Queue"

    @abstractmethod
    def expired(self) -> None:
        """The time is up."""

    def met(self) -> None:
        """It is over: forget it. Harmless when it has expired."""
        self.queue.waiting.pop(self, None)


class Queue:
    """Limits of one length, oldest first."""

    __slots__ = ("_loop", "_timer", "limit_s", "waiting")

    def __init__(self, limit_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self.limit_s = limit_s
        self.waiting: dict[Deadline, None] = {}
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def add(self, deadline: Deadline, began: float) -> None:
        """`began` is a time of the loop, not before that of the deadline added last."""
        deadline.due = began + self.limit_s
        deadline.queue = self
        self.waiting[deadline] = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline.due, self._expire)

    def start(self, deadline: Deadline) -> None:
        """It begins now."""
        self.add(deadline, self._loop.time())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        try:
            for deadline in list(self.waiting):
                if deadline.due > now:
                    break
                if deadline in self.waiting:  # else one that expired before it has ended it
                    del self.waiting[deadline]
                    deadline.expired()
        finally:  # a fault in one does not keep the others waiting for ever
            head = next(iter(self.waiting), None)
            if head is not None and self._timer is None:
                self._timer = self._loop.call_at(head.due, self._expire)


class Deadlines:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: dict[float, Queue] = {}
        self._crowded = CROWDED

    def queue(self, limit_s: float) -> Queue:
        """Where limits of this length wait."""
        queue = self._queues.get(limit_s)
        if queue is None:
            if len(self._queues) >= self._crowded:
                self._forget_unused()
            queue = self._queues[limit_s] = Queue(limit_s, self._loop)
        return queue

    def _forget_unused(self) -> None:
        """Callers choose limits too, and each length costs a queue and a timer."""
        for queue in self._queues.values():
            if not queue.waiting:
                queue.close()
        self._queues = {k: q for k, q in self._queues.items() if q.waiting}
        self._crowded = max(CROWDED, 2 * len(self._queues))

    def start(self, limit_s: float, expired: Callable[[], None]) -> "Timer":
        """Calls `expired` in `limit_s` seconds unless the timer is `met` before."""
        timer = Timer(expired)
        self.queue(limit_s).add(timer, self._loop.time())
        return timer

    def close(self) -> None:
        for queue in self._queues.values():
            queue.close()


class Timer(Deadline):
    """A deadline that calls somebody."""

    __slots__ = ("_expired",)

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired

    def expired(self) -> None:
        self._expired()

    def met(self) -> None:
        super().met()
        self._expired = _nothing  # it usually leads back to what holds this: make no cycle of it


def _nothing() -> None:
    pass
