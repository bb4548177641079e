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
from router.execute import Run, Upstream
from router.messages import Cancellable
from router.traced import TracedUpstream


class Scripted(NamedTuple):
    answer: Answer
    after_s: float = 0.0


class Inner(NamedTuple):
    """The answer of another graph, which is walked too."""

    plan: Plan
    request: Input
    answered: Callable[[Outcome], Answer]  # what its outcome is to its caller


Script = Callable[[Call], Scripted | Inner]


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


class _Walk:
    """One request of a graph, within its time limit."""

    def __init__(
        self,
        plan: Plan,
        request: Input,
        upstream: Upstream,
        timeline: Timeline,
        done: Callable[[Outcome], None],
    ) -> None:
        self._done = done
        self._run = Run(walk(plan, request), upstream, self._ended, timeline.after)
        self._limit_s = plan.timeouts.begin_s
        self._alarm: _Due | None = None
        if self._limit_s is not None:
            self._alarm = timeline.after(self._limit_s, self._late)

    def begin(self) -> None:
        self._run.advance()

    def cancel(self) -> None:
        if self._alarm is not None:
            self._alarm.met()
        self._run.cancel()

    def _ended(self, outcome: Outcome) -> None:
        if self._alarm is not None:
            self._alarm.met()
        self._done(outcome)

    def _late(self) -> None:
        self._run.cancel()
        self._done(Failure(FailureKind.DEADLINE, f"no answer within {self._limit_s:g} s"))


class _Upstream:
    """Answers by script, or by a walk through the graph that is called."""

    traced: Upstream  # the same, with its calls written down

    def __init__(self, script: Script, timeline: Timeline, trace: Trace) -> None:
        self._script = script
        self._timeline = timeline
        self._trace = trace

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        made = self._script(call)
        if isinstance(made, Inner):
            return self._walk(made, call, deliver)
        answer, after_s = made
        if call.timeout_s is not None and after_s > call.timeout_s:
            answer, after_s = _timeout(call), call.timeout_s
        return self._timeline.after(after_s, lambda: deliver(answer))

    def _walk(self, inner: Inner, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        inner.request.trace = self._trace
        alarm: _Due | None = None

        def done(outcome: Outcome) -> None:
            if alarm is not None:
                alarm.met()
            deliver(inner.answered(outcome))

        def late() -> None:
            inside.cancel()
            deliver(_timeout(call))

        inside = _Walk(inner.plan, inner.request, self.traced, self._timeline, done)
        if call.timeout_s is not None:
            alarm = self._timeline.after(call.timeout_s, late)
        begin = self._timeline.after(0.0, inside.begin)
        return _Hop(tuple(due for due in (begin, alarm) if due is not None), inside)


class _Hop:
    """A walk through another graph, as a call."""

    def __init__(self, due: tuple[_Due, ...], inside: _Walk) -> None:
        self._due = due
        self._inside = inside

    def cancel(self) -> None:
        for due in self._due:
            due.met()
        self._inside.cancel()


def _timeout(call: Call) -> Failure:
    cause = f"no answer within {call.timeout_s:g} s"
    return Failure(FailureKind.TIMEOUT, cause, call.address)


def dry_run(plan: Plan, request: Input, script: Script) -> tuple[Outcome, float]:
    """What the request would come to, and after how many seconds of the script."""
    timeline = Timeline()
    outcomes: list[Outcome] = []
    trace = request.trace = request.trace or Trace()
    upstream = _Upstream(script, timeline, trace)
    upstream.traced = TracedUpstream(upstream, trace.events, lambda: timeline.now_s)
    _Walk(plan, request, upstream.traced, timeline, outcomes.append).begin()
    while not outcomes:
        timeline.step()
    return outcomes[0], timeline.now_s
