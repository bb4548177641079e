"""A walk without a server: calls are answered by script, and time passes only in the script.

The driver is the one that serves (`router.execute`); so are its outcomes. The same plan, input and
script give the same walk.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from graph.effects import Answer, Call, Failure, FailureKind, Input, Outcome
from graph.plan import Plan
from graph.trace import Trace
from graph.walk import walk
from router.execute import Run
from router.traced import TracedUpstream


class Scripted(NamedTuple):
    answer: Answer
    after_s: float = 0.0


Script = Callable[[Call], Scripted]


class Timeline:
    """What is to happen when; what is due at one time happens in the order in which it was said."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, _Due]] = []
        self._said = 0

    def after(self, seconds: float, happen: Callable[[], None]) -> "_Due":
        due = _Due(happen)
        self._said += 1
        heappush(self._due, (self.now_s + seconds, self._said, due))
        return due

    def step(self) -> None:
        """On to the next thing that is due."""
        at_s, _, due = heappop(self._due)
        if due.happen is not None:
            self.now_s = at_s
            due.happen()


class _Due:
    """Also a call on its way."""

    __slots__ = ("happen",)

    def __init__(self, happen: Callable[[], None]) -> None:
        self.happen: Callable[[], None] | None = happen

    def met(self) -> None:
        self.happen = None

    def cancel(self) -> None:
        self.happen = None


class _Upstream:
    def __init__(self, script: Script, timeline: Timeline) -> None:
        self._script = script
        self._timeline = timeline

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> _Due:
        answer, after_s = self._script(call)
        if call.timeout_s is not None and after_s > call.timeout_s:
            cause = f"no answer within {call.timeout_s:g} s"
            answer, after_s = Failure(FailureKind.TIMEOUT, cause, call.address), call.timeout_s
        return self._timeline.after(after_s, lambda: deliver(answer))


def dry_run(plan: Plan, request: Input, script: Script) -> tuple[Outcome, float]:
    """What the request would come to, and after how many seconds of the script."""
    timeline = Timeline()
    outcomes: list[Outcome] = []
    trace = request.trace = request.trace or Trace()
    upstream = TracedUpstream(_Upstream(script, timeline), trace.events, lambda: timeline.now_s)
    run = Run(walk(plan, request), upstream, outcomes.append, timeline.after)

    limit_s = plan.timeouts.begin_s

    def too_late() -> None:
        run.cancel()
        outcomes.append(Failure(FailureKind.DEADLINE, f"no answer within {limit_s:g} s"))

    if limit_s is not None:
        timeline.after(limit_s, too_late)
    run.advance()
    while not outcomes:
        timeline.step()
    return outcomes[0], timeline.now_s
