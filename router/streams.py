"""A body on its way: pieces are pushed from the connection that reads them to the one that writes
them, in the call that brought them.

No tasks and no queue. Who writes says when it can take no more (`pause`), and the reading side then
stops reading its socket, so that a slow reader slows its writer down and memory stays what it was.
Whoever wants to know how it ends watches: from the inside out, each once, before the sink is told.
Nothing here knows HTTP.
"""

from collections.abc import Callable
from enum import Enum
from time import monotonic
from typing import Protocol

from graph.effects import Failure, FailureKind


class End(Enum):
    """How a body ends, if it does not break."""

    WHOLE = "whole"
    LEFT = "cancelled"  # nobody wanted the rest


Ended = End | Failure


def code_of(status: int, end: Ended) -> int | str:
    """What a call whose answer was a stream counts as."""
    if end is End.WHOLE:
        return status
    return end.value if isinstance(end, End) else end.kind.value


Watch = Callable[[Ended], None]


class Source(Protocol):
    """Where pieces come from. Each may be said any number of times."""

    def hold_back(self) -> None:
        """Bring no more for now; what was read already may still come."""

    def go_on(self) -> None:
        """Bring more."""

    def abandon(self) -> None:
        """Bring no more at all."""


class Sink(Protocol):
    """Where pieces go; `end` or `failed` comes once and last, unless the stream is cancelled."""

    def data(self, piece: bytes) -> None: ...

    def end(self) -> None: ...

    def failed(self, failure: Failure) -> None: ...


class Pipe:
    """A stream. The source calls `data`, `end` and `failed`; what comes before `start` is kept and
    the source held back. It meets a sink once.
    """

    __slots__ = (
        "_ended", "_held", "_sink", "_source", "_watching", "first_at", "length", "over", "passed",
        "paused",
    )  # fmt: skip

    def __init__(self, source: Source, length: int | None) -> None:
        self.length = length  # bytes, where they are known beforehand
        self.passed = 0  # bytes that came
        self.first_at: float | None = None  # time.monotonic() when they began to come
        self.paused = False  # the sink takes no more for now
        self.over = False  # those who watch have been told how it ended
        self._source: Source | None = source  # until nothing comes any more
        self._sink: Sink | None = None
        self._held: list[bytes] = []
        self._ended: Ended | None = None  # before there was a sink to be told
        self._watching: list[Watch] = []

    def watch(self, watch: Watch) -> None:
        """Tell it once how the stream ends."""
        self._watching.append(watch)

    # what the sink's side says

    def start(self, sink: Sink) -> None:
        """The sink may be called before this returns."""
        self._sink = sink
        held, self._held = self._held, []
        for piece in held:
            if self.over:
                return
            sink.data(piece)
        if self._ended is not None:
            self._finish(self._ended)
        elif self._source is not None and not self.paused:
            self._source.go_on()

    def pause(self) -> None:
        self.paused = True
        if self._source is not None:
            self._source.hold_back()

    def resume(self) -> None:
        self.paused = False
        if self._source is not None:
            self._source.go_on()

    def cancel(self, end: Ended = End.LEFT) -> None:
        """Nobody wants the rest. The sink hears nothing more."""
        self._sink = None
        self._held.clear()
        self._abandon()
        self._finish(end)

    def fail(self, failure: Failure) -> None:
        """End it before its time: neither side knows why."""
        self._abandon()
        self.failed(failure)

    @property
    def closed(self) -> bool:
        """Nothing comes any more."""
        return self._source is None

    @property
    def beginning(self) -> bytes:
        """What came before `start`, as far as it did."""
        return self._held[0] if self._held else b""

    # what the source says

    def data(self, piece: bytes) -> None:
        if self.first_at is None:
            self.first_at = monotonic()
        self.passed += len(piece)
        sink = self._sink
        if sink is not None:
            sink.data(piece)
        elif not self.over:
            self._held.append(piece)
            if self._source is not None:
                self._source.hold_back()

    def end(self) -> None:
        self._come_to(End.WHOLE)

    def failed(self, failure: Failure) -> None:
        self._come_to(failure)

    def _come_to(self, end: Ended) -> None:
        self._source = None
        if self._sink is None and not self.over:
            self._ended = self._ended or end
        else:
            self._finish(end)

    def _abandon(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.abandon()

    def _finish(self, end: Ended) -> None:
        if self.over:
            return
        self.over = True
        self._source = None
        sink, self._sink = self._sink, None
        watching, self._watching = self._watching, []  # they lead back here: leave no cycle
        for watch in watching:
            watch(end)
        if sink is None:
            return
        if isinstance(end, Failure):
            sink.failed(end)
        else:
            sink.end()


class Gathering:
    """A sink for who needs the body whole after all. `done` gets it once, or why there is none,
    unless the stream is cancelled.
    """

    __slots__ = ("_done", "_kind", "_limit", "_pieces", "_pipe", "_what")

    def __init__(
        self,
        pipe: Pipe,
        limit: int,
        done: Callable[[bytes | Failure], None],
        kind: FailureKind = FailureKind.PROTOCOL,
        what: str = "the answer",
    ) -> None:
        """What is longer than `limit` bytes fails as `kind`, said of `what`."""
        self._pipe = pipe
        self._kind = kind
        self._what = what
        self._limit = limit
        self._done = done
        self._pieces: list[bytes] = []

    def data(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if self._pipe.passed > self._limit:
            cause = f"{self._what} is larger than {self._limit} bytes"
            self._pipe.fail(Failure(self._kind, cause))

    def end(self) -> None:
        self._done(b"".join(self._pieces))

    def failed(self, failure: Failure) -> None:
        self._done(failure)
