"""An Upstream that writes down its calls, for a request that asked to be explained.

What was sent, what came back, and when, by the clock that is given; of an answer that is a stream,
when it began and how it ended. One for each such request; the others do not pass through here.
"""

from collections.abc import Callable
from typing import Any, cast

from graph.effects import Answer, Call, Reply
from router.execute import Upstream
from router.messages import Cancellable
from router.streams import Ended, Pipe


class Called:
    """A call: on its way, answered, or given up."""

    __slots__ = (
        "answer", "call", "cancelled", "duration_s", "ended", "ended_s", "pipe", "started_s",
    )  # fmt: skip

    def __init__(self, call: Call, started_s: float) -> None:
        self.call = call
        self.started_s = started_s  # since the request began, as is `duration_s` since then
        self.duration_s: float | None = None
        self.answer: Answer | None = None
        self.cancelled = False
        self.pipe: Pipe | None = None  # the rest of the answer, which began after `duration_s`
        self.ended: Ended | None = None  # how that ended, and
        self.ended_s = 0.0  # when, since `started_s`


class TracedUpstream:
    """`events` gets a `Called` when a call starts; `now` is seconds since the request began."""

    def __init__(self, inner: Upstream, events: list[Any], now: Callable[[], float]) -> None:
        self._inner = inner
        self._events = events
        self._now = now

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        called = Called(call, self._now())
        self._events.append(called)
        traced = _Traced(called, self._now, deliver)
        traced.inner = self._inner.start(call, traced.delivered)
        return traced


class _Traced:
    __slots__ = ("_called", "_deliver", "_now", "inner")

    def __init__(
        self, called: Called, now: Callable[[], float], deliver: Callable[[Answer], None]
    ) -> None:
        self._called = called
        self._now = now
        self._deliver = deliver
        self.inner: Cancellable | None = None

    def delivered(self, answer: Answer) -> None:
        self.inner = None  # the two lead to each other
        self._called.answer = answer
        self._end()
        if isinstance(answer, Reply) and answer.stream is not None:
            self._called.pipe = cast(Pipe, answer.stream)
            self._called.pipe.watch(self._streamed)
        self._deliver(answer)

    def _streamed(self, end: Ended) -> None:
        self._called.ended = end
        self._called.ended_s = self._now() - self._called.started_s

    def cancel(self) -> None:
        inner, self.inner = self.inner, None
        if inner is not None:
            self._called.cancelled = True
            self._end()
            inner.cancel()

    def _end(self) -> None:
        self._called.duration_s = self._now() - self._called.started_s
