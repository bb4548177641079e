"""The one place that waits: drives a walk against an upstream. Knows no node kinds and no HTTP.

It is built on callbacks instead of tasks: one request costs no task, no future and no trip through
the event loop beyond those of its sockets (docs/decisions/2026-11-21-callbacks.md). The structure
is a tree all the same: a run owns what it waits for, and cancelling it cancels everything below
before it returns. Time is a function that is given, asked only where an `All` has a limit.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from graph.effects import All, Answer, Call, Failure, FailureKind, Outcome, Walk
from router.messages import Cancellable

log = logging.getLogger("graphway.execute")


class Upstream(Protocol):
    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        """Begin a call. `deliver` is called exactly once, later and never from within `start`,
        unless the call is cancelled first: then it is not called at all."""


class Alarm(Protocol):
    def met(self) -> None:
        """It is no longer needed."""


Clock = Callable[[float, Callable[[], None]], Alarm]
"""Calls back after so many seconds, later and never from within, unless the alarm is met before."""


class Run:
    """One walk on its way. `done` gets the outcome once, unless the run is cancelled."""

    __slots__ = ("_clock", "_done", "_upstream", "_waiting", "_walk")

    def __init__(
        self,
        walk: Walk,
        upstream: Upstream,
        done: Callable[[Outcome], None],
        clock: Clock | None = None,
    ) -> None:
        """Without a clock an `All` may have no limit."""
        self._walk = walk
        self._upstream = upstream
        self._done = done
        self._clock = clock
        self._waiting: Cancellable | None = None

    def advance(self, answer: Any = None) -> None:
        """Resume the walk with what it waited for (nothing, to begin with)."""
        self._waiting = None
        while True:
            try:
                effect = self._walk.send(answer)
            except StopIteration as end:
                self._done(end.value)
                return
            except Exception:
                log.exception("a walk failed")
                self._done(Failure(FailureKind.INTERNAL, "internal error"))
                return
            if isinstance(effect, Call):
                self._waiting = self._upstream.start(effect, self.advance)
                return
            fork = Fork(effect, self._upstream, self.advance, self._clock)
            if not fork.settled:
                self._waiting = fork
                return
            answer = fork.answers

    def cancel(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._walk.close()


class Fork:
    """The branches of one `All`. A leaf call costs no run of its own."""

    __slots__ = (
        "_alarm", "_branches", "_deliver", "_missing", "_starting", "_stop", "answers", "settled",
    )  # fmt: skip

    def __init__(
        self,
        effect: All,
        upstream: Upstream,
        deliver: Callable[[list[Answer | None]], None],
        clock: Clock | None,
    ) -> None:
        self._alarm: Alarm | None = None
        self._deliver = deliver
        self._stop = effect.stop
        self._missing = len(effect.branches)
        self.answers: list[Answer | None] = [None] * self._missing
        self._branches: list[Cancellable | None] = [None] * self._missing
        self.settled = self._missing == 0
        self._starting = True
        for index, branch in enumerate(effect.branches):
            if isinstance(branch, Call):
                self._branches[index] = upstream.start(branch, partial(self._answered, index))
            else:
                run = Run(branch, upstream, partial(self._answered, index), clock)
                self._branches[index] = run
                run.advance()
                if self.settled:
                    break
        self._starting = False
        if effect.deadline_s is not None and not self.settled:
            assert clock is not None
            self._alarm = clock(effect.deadline_s, self._late)

    def cancel(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.met()
        branches, self._branches = self._branches, []  # they lead back here: leave no cycle
        for branch in branches:
            if branch is not None:
                branch.cancel()

    def _answered(self, index: int, answer: Answer) -> None:
        self.answers[index] = answer
        self._branches[index] = None
        self._missing -= 1
        if self._missing == 0 or self._stop(index, self.answers):
            self._settle()

    def _late(self) -> None:
        self._alarm = None
        self._settle()

    def _settle(self) -> None:
        self.settled = True
        self.cancel()
        if not self._starting:
            self._deliver(self.answers)
