"""An Upstream that writes down its calls, for a request that asked to be explained.

What was sent, what came back, and when, by the clock that is given. One for each such request; the
others do not pass through here.
"""

from collections.abc import Callable
from typing import Any

from graph.effects import Answer, Call
from router.execute import Upstream
from router.messages import Cancellable


class Called:
    """A call: on its way, answered, or given up."""

    __slots__ = ("answer", "call", "cancelled", "duration_s", "started_s")

    def __init__(self, call: Call, started_s: float) -> None:
        self.call = call
        self.started_s = started_s  # since the request began, as is `duration_s` since then
        self.duration_s: float | None = None
        self.answer: Answer | None = None
        self.cancelled = False


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
        self._deliver(answer)

    def cancel(self) -> None:
        inner, self.inner = self.inner, None
        if inner is not None:
            self._called.cancelled = True
            self._end()
            inner.cancel()

    def _end(self) -> None:
        self._called.duration_s = self._now() - self._called.started_s
