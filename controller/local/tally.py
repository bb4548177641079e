"""The answers to one probe of one life, counted as the kubelet counts them. Pure.

A verdict changes after enough equal answers in a row. One thing is ours: until the first success,
readiness and startup probes are asked more often than their period, as somebody waits at a
terminal. Such early looks may succeed but never fail: failures count once a period.
"""

from dataclasses import dataclass, replace

from controller.local.replica import Probe

EAGER_S = 0.1
EAGER_SHARE = 0.1  # of the time it starts already: waiting longer than needed by a tenth at most


@dataclass(frozen=True, slots=True)
class Tally:
    probe: Probe
    started: float  # when the process did
    eager: bool  # it never succeeded so far, and somebody waits
    next_at: float
    counts_at: float  # failures before that are early looks
    asked_at: float | None = None  # None: no question is open
    streak: int = 0  # answers of one kind in a row
    good: bool | None = None  # the last answer that counted
    verdict: bool | None = None  # None: neither often enough so far

    def asked(self, now: float) -> "Tally":
        return replace(self, asked_at=now)

    def answered(self, good: bool, now: float) -> "Tally":
        asked_at = now if self.asked_at is None else self.asked_at
        eager = self.eager and not good
        if eager and asked_at < self.counts_at:
            next_at = self._next(eager, asked_at, now, self.counts_at)
            return replace(self, asked_at=None, next_at=next_at)
        counts_at = asked_at + self.probe.period_s
        streak = self.streak + 1 if good == self.good else 1
        needed = self.probe.successes if good else self.probe.failures
        return replace(
            self,
            eager=eager,
            asked_at=None,
            next_at=self._next(eager, asked_at, now, counts_at),
            counts_at=counts_at,
            streak=streak,
            good=good,
            verdict=good if streak >= needed else self.verdict,
        )

    def _next(self, eager: bool, asked_at: float, now: float, counts_at: float) -> float:
        if not eager:
            return max(now, counts_at)
        wait_s = max(EAGER_S, EAGER_SHARE * (now - self.started))
        return max(now, min(asked_at + wait_s, counts_at))


def tally(probe: Probe, started: float, now: float, *, eager: bool) -> Tally:
    first = max(now, started + probe.initial_delay_s)
    return Tally(probe, started, eager, next_at=first, counts_at=first)
