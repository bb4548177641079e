"""An Upstream that counts: calls by step and result, and how long they took.

A call that is given up counts too: a step that always runs into the request's limit must not be
missing from the figures. One whose answer is a stream counts when that ends.
"""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import cast

from graph.effects import Answer, Call, Reply
from router.counters import Counters
from router.execute import Upstream
from router.messages import Cancellable
from router.streams import End, Ended, Pipe, code_of


class MeteredUpstream:
    def __init__(self, inner: Upstream, counters: Counters) -> None:
        self._inner = inner
        self._counters = counters
        self._steps: dict[str, _Step] = {}

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        step = self._steps.get(call.address)
        if step is None:
            step = self._steps[call.address] = _Step(call.address, self._counters)
        metered = _Metered(step, deliver)
        metered.inner = self._inner.start(call, metered.delivered)
        return metered


class _Metered:
    """A call on its way."""

    __slots__ = ("_deliver", "_started", "_step", "inner")

    def __init__(self, step: "_Step", deliver: Callable[[Answer], None]) -> None:
        self._step = step
        self._deliver = deliver
        self._started = monotonic()
        self.inner: Cancellable | None = None

    def delivered(self, answer: Answer) -> None:
        self.inner = None  # the two lead to each other
        if isinstance(answer, Reply) and answer.stream is not None:
            cast(Pipe, answer.stream).watch(partial(self._ended, answer.status))
            self._deliver(answer)
            return
        code = answer.status if isinstance(answer, Reply) else answer.kind.value
        self._step.count(code, monotonic() - self._started)
        self._deliver(answer)

    def _ended(self, status: int, end: Ended) -> None:
        self._step.count(code_of(status, end), monotonic() - self._started)

    def cancel(self) -> None:
        inner, self.inner = self.inner, None
        if inner is not None:
            self._step.count(End.LEFT.value, monotonic() - self._started)
            inner.cancel()


class _Step:
    """The series of one step."""

    __slots__ = ("_address", "_codes", "_counters", "_duration", "_values")

    def __init__(self, address: str, counters: Counters) -> None:
        self._address = address
        self._counters = counters
        self._values = counters.values
        self._duration = counters.histogram("graphway_step_duration_seconds", _labels(address))
        self._codes: dict[int | str, int] = {}

    def count(self, code: int | str, seconds: float) -> None:
        self._duration.observe(seconds)
        index = self._codes.get(code)
        if index is None:
            labels = (("code", str(code)), *_labels(self._address))
            index = self._counters.counter("graphway_step_calls_total", labels)
            self._codes[code] = index
        self._values[index] += 1


def _labels(address: str) -> tuple[tuple[str, str], ...]:
    namespace, graph, node, step = address.split("/", 3)
    return (("graph", f"{namespace}/{graph}"), ("node", node), ("step", step))
