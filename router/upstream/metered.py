"""An Upstream that counts: calls by step and result, and how long they took."""

from collections.abc import Callable
from time import monotonic

from graph.effects import Answer, Call, Reply
from router.counters import Counters, Histogram
from router.execute import Upstream
from router.messages import Cancellable


class MeteredUpstream:
    def __init__(self, inner: Upstream, counters: Counters) -> None:
        self._inner = inner
        self._counters = counters
        self._values = counters.values
        self._durations: dict[str, Histogram] = {}
        self._codes: dict[tuple[str, int | str], int] = {}

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        started = monotonic()
        address = call.address

        def delivered(answer: Answer) -> None:
            duration = self._durations.get(address) or self._duration(address)
            duration.observe(monotonic() - started)
            code = answer.status if isinstance(answer, Reply) else answer.kind.value
            index = self._codes.get((address, code))
            if index is None:
                index = self._code(address, code)
            self._values[index] += 1
            deliver(answer)

        return self._inner.start(call, delivered)

    def _duration(self, address: str) -> Histogram:
        duration = self._counters.histogram("graphway_step_duration_seconds", _labels(address))
        self._durations[address] = duration
        return duration

    def _code(self, address: str, code: int | str) -> int:
        labels = (("code", str(code)), *_labels(address))
        index = self._counters.counter("graphway_step_calls_total", labels)
        self._codes[address, code] = index
        return index


def _labels(address: str) -> tuple[tuple[str, str], ...]:
    namespace, graph, node, step = address.split("/", 3)
    return (("graph", f"{namespace}/{graph}"), ("node", node), ("step", step))
