"""What has happened lately, for those who watch.

Each change carries the resource version that it made; they have no gaps. A watcher remembers only
the last version that it saw and asks for what came after, so a slow one costs nothing: when it asks
for what has been forgotten, it learns so and lists anew. Bounded by number and by size.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from controller.store.errors import expired
from controller.store.refs import Json, Ref

MAX_CHANGES = 2048
MAX_BYTES = 16 * 1024 * 1024


class ChangeType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """One write. The objects are shared by all who look: never to be changed."""

    version: int
    type: ChangeType
    ref: Ref
    object: Json  # after it; of a deleted one the last state
    before: Json | None
    size_bytes: int


Subscriber = Callable[[Change], None]


class Changes:
    def __init__(self, version: int) -> None:
        self._forgotten = version  # the last version whose change is not kept
        self._kept: deque[Change] = deque()
        self._bytes = 0
        self._subscribers: list[Subscriber] = []
        self._untold: deque[Change] = deque()
        self._telling = False
        self._on_close: list[Callable[[], None]] = []
        self.closed = False

    @property
    def version(self) -> int:
        return self._forgotten + len(self._kept)

    @property
    def listeners(self) -> int:
        return len(self._subscribers)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Called after each commit, in order. Returns what ends it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def on_close(self, called: Callable[[], None]) -> Callable[[], None]:
        """Called when no more changes will come. Returns what takes it back."""
        self._on_close.append(called)
        return lambda: self._on_close.remove(called)

    def close(self) -> None:
        self.closed = True
        for called in tuple(self._on_close):
            called()

    def publish(self, changes: list[Change]) -> None:
        for change in changes:
            self._kept.append(change)
            self._bytes += change.size_bytes
        while len(self._kept) > MAX_CHANGES or (self._bytes > MAX_BYTES and self._kept):
            dropped = self._kept.popleft()
            self._bytes -= dropped.size_bytes
            self._forgotten = dropped.version
        self._untold += changes
        if self._telling:  # a subscriber has written: its change comes after this one, to all
            return
        self._telling = True
        try:
            while self._untold:
                change = self._untold.popleft()
                for subscriber in tuple(self._subscribers):
                    subscriber(change)
        finally:
            self._telling = False

    def since(self, version: int) -> list[Change]:
        """What came after it; raises Expired if that is not known.

        A version of the future belongs to a state that is no more: its owner must list anew too.
        """
        if not self._forgotten <= version <= self.version:
            raise expired(version, self._forgotten)
        return list(islice(self._kept, version - self._forgotten, None))
