"""What was sampled of a revision's calls, by the second, and the averages that decisions need.

Knows no clock: whoever samples says when. Only whole seconds count, so that a rate is not taken
from a part of one; a second without a sample (the sampler was held up) is no second without load.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from controller.scaling.policy import Metric


@dataclass(frozen=True, slots=True)
class Load:
    """Of the whole revision, over both windows. `active`: somebody called at all."""

    stable: float
    panic: float
    active: bool


@dataclass(slots=True)
class _Second:
    at: int
    calls: int = 0  # in flight or held, summed over the samples
    samples: int = 0
    requests: int = 0

    def value(self, metric: Metric) -> float:
        return self.requests if metric is Metric.RPS else self.calls / self.samples

    @property
    def active(self) -> bool:
        return self.calls > 0 or self.requests > 0


class Window:
    """Keeps so many seconds as the longest average needs."""

    def __init__(self, seconds: int) -> None:
        self._seconds: deque[_Second] = deque(maxlen=seconds + 1)  # the last one is not over yet
        self._requests: int | None = None  # so far
        self._last_active: int | None = None

    def sample(self, now: float, calls: int, requests: int) -> None:
        """`calls`: in flight and held; `requests`: all so far (less than before: counted anew)."""
        if not self._seconds or self._seconds[-1].at != int(now):
            self._seconds.append(_Second(int(now)))
        last = self._seconds[-1]
        last.calls += calls
        last.samples += 1
        known = requests if self._requests is None else self._requests
        last.requests += requests - known if requests >= known else requests
        self._requests = requests
        if last.active:
            self._last_active = last.at

    def load(self, metric: Metric, stable_s: int, panic_s: int, now: float) -> Load | None:
        """None before a first second is over."""
        end = int(now)
        if self._last_active is None or self._last_active < end - stable_s:
            # Most services are idle most of the time: nothing to add up.
            return Load(0.0, 0.0, False) if self._seconds and self._seconds[0].at < end else None
        closed = [second for second in self._seconds if end - stable_s <= second.at < end]
        if not closed:
            return None
        recent = (second for second in closed if second.at >= end - panic_s)
        return Load(
            _average(second.value(metric) for second in closed),
            _average(second.value(metric) for second in recent),
            active=True,
        )


def _average(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
