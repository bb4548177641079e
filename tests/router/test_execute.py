"""The driver of walks: runs, forks, and a cancellation wherever a request can wait.

The points of cancellation are found by counting, not by hand: a conversation is held once to see
how many answers it takes, then again for each number of answers, with the caller leaving there.
"""

import asyncio
import gc
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.caller import Caller
from graph.compiler import compile
from graph.document import Document
from graph.effects import All, Answer, Call, Failure, FailureKind, Input, Payload, Reply, Walk
from graph.plan import Plan, Target
from graph.spec import InferenceGraph
from graph.walk import walk
from router.deadlines import Deadlines
from router.execute import Alarm, Clock, Run
from router.upstream.script import JSON, ScriptedUpstream, State, reply
from tests.scripts import ensemble, plan, sequence, step, still, switch
from tests.strategies import ANSWERS, BODIES, Answered, flowing, graphs


def call(name: str) -> Call:
    return Call(name, Target(name, None), JSON, b"{}", None)


def never(index: int, answers: list[Answer | None]) -> bool:
    return False


def first(index: int, answers: list[Answer | None]) -> bool:
    return True


def at_once(status: int = 200) -> Walk:
    """A walk that ends without waiting."""
    yield from ()
    return reply(status=status)


def leaf(name: str) -> Walk:
    answer: Answer = yield call(name)
    return answer


def two(name: str) -> Walk:
    yield call(f"{name}1")
    answer: Answer = yield call(f"{name}2")
    return answer


def together(*branches: Call | Walk, stop: Any = never, deadline_s: float | None = None) -> Walk:
    """Its status tells how many answers it got."""
    answers: list[Answer | None] = yield All(list(branches), stop, deadline_s)
    return reply(status=sum(answer is not None for answer in answers))


class Driven:
    """One walk on its way, with what can be seen from outside."""

    def __init__(self, walk: Walk, clock: Clock | None = None) -> None:
        self.upstream = ScriptedUpstream(lambda _: None)
        self.outcomes: list[Answer] = []
        self.run = Run(walk, self.upstream, self.outcomes.append, clock)
        self.run.advance()

    def answer(self, *names: str) -> None:
        for name in names:
            (waiting,) = [made for made in self.upstream.open if made.call.address == name]
            waiting.answer(reply())

    @property
    def asked(self) -> list[str]:
        return [made.call.address for made in self.upstream.open]

    @property
    def status(self) -> int | None:
        assert len(self.outcomes) < 2
        outcome = self.outcomes[0] if self.outcomes else None
        return outcome.status if isinstance(outcome, Reply) else None


def test_a_walk_that_asks_nobody_ends_at_once() -> None:
    assert Driven(at_once(204)).status == 204


def test_a_call_at_a_time() -> None:
    driven = Driven(two("a"))
    assert driven.asked == ["a1"]
    driven.answer("a1")
    assert driven.asked == ["a2"]
    assert driven.status is None
    driven.answer("a2")
    assert driven.status == 200


def test_branches_start_together_and_all_are_waited_for() -> None:
    driven = Driven(together(call("a"), two("b"), call("c")))
    assert driven.asked == ["a", "b1", "c"]
    driven.answer("c", "b1", "a")
    assert driven.asked == ["b2"]
    driven.answer("b2")
    assert driven.status == 3


def test_branches_that_end_at_once() -> None:
    assert Driven(together(at_once(), at_once())).status == 2
    driven = Driven(together(at_once(), call("a"), at_once()))
    driven.answer("a")
    assert driven.status == 3


def test_no_branches_at_all() -> None:
    """The compiler refuses such a node; the driver has an end for it all the same."""
    driven = Driven(together())
    assert driven.status == 0


def test_stop_cancels_the_rest() -> None:
    driven = Driven(together(call("a"), two("b"), call("c"), stop=first))
    driven.answer("c")
    assert driven.status == 1
    assert driven.upstream.cancelled == ["a", "b1"]


def test_stop_by_a_branch_that_ends_at_once_starts_no_more() -> None:
    driven = Driven(together(call("a"), two("b"), at_once(), call("c"), stop=first))
    assert driven.status == 1
    assert driven.upstream.cancelled == ["a", "b1"]
    assert len(driven.upstream.calls) == 2


def test_stop_is_told_who_has_answered() -> None:
    seen: list[tuple[int, list[bool]]] = []

    def watching(index: int, answers: list[Answer | None]) -> bool:
        seen.append((index, [answer is not None for answer in answers]))
        return False

    driven = Driven(together(call("a"), call("b"), call("c"), stop=watching))
    driven.answer("b", "c", "a")
    assert seen == [(1, [False, True, False]), (2, [False, True, True])]


def test_forks_in_forks() -> None:
    driven = Driven(
        together(
            together(call("a"), together(call("b"), at_once(), two("c"))), call("d"), at_once()
        )
    )
    assert driven.asked == ["a", "b", "c1", "d"]
    driven.answer("d", "c1", "b", "c2")
    assert driven.status is None
    driven.answer("a")
    assert driven.status == 3


def test_a_fork_after_a_fork() -> None:
    def twice() -> Walk:
        yield All([call("a"), call("b")], never)
        answers: list[Answer | None] = yield All([call("c"), leaf("d")], never)
        return reply(status=len(answers))

    driven = Driven(twice())
    driven.answer("b", "a", "d", "c")
    assert driven.status == 2


def test_many_forks_that_end_at_once_take_no_depth() -> None:
    def often() -> Walk:
        for _ in range(5000):
            yield All([at_once()], never)
        return reply(status=202)

    assert Driven(often()).status == 202


def broken(after: str | None = None) -> Walk:
    if after:
        yield call(after)
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("after", [None, "a"], ids=["at once", "later"])
def test_a_bug_in_a_walk_is_a_failure_of_that_request(
    after: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    driven = Driven(broken(after))
    if after:
        driven.answer(after)
    assert driven.outcomes == [Failure(FailureKind.INTERNAL, "internal error")]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("after", [None, "x"], ids=["at once", "later"])
def test_a_bug_in_a_branch_is_the_answer_of_that_branch(
    after: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Answer | None] = []

    def parent() -> Walk:
        answers.extend((yield All([call("a"), broken(after), call("b")], never)))
        return reply(status=201)

    driven = Driven(parent())
    if after:
        driven.answer(after)
    driven.answer("a", "b")
    assert driven.status == 201
    assert [type(answer) for answer in answers] == [Reply, Failure, Reply]
    assert answers[1] == Failure(FailureKind.INTERNAL, "internal error")
    assert "a bug" in caplog.text


def test_cancelling_what_is_over_is_harmless() -> None:
    driven = Driven(leaf("a"))
    driven.answer("a")
    driven.run.cancel()
    assert driven.status == 200


def test_cancelling_twice_is_harmless() -> None:
    driven = Driven(together(call("a"), leaf("b")))
    driven.run.cancel()
    driven.run.cancel()
    assert driven.upstream.cancelled == ["a", "b"]
    assert driven.outcomes == []


def test_a_cancelled_walk_gives_back_what_it_holds() -> None:
    given_back: list[str] = []

    def holding(name: str) -> Walk:
        try:
            answer: Answer = yield call(name)
        finally:
            given_back.append(name)
        return answer

    driven = Driven(together(holding("a"), together(holding("b"), call("c"))))
    driven.run.cancel()
    assert given_back == ["a", "b"]


# limits


class Time:
    """The virtual time of the loop that runs, and how many limits are waited for."""

    def __init__(self) -> None:
        self._deadlines = Deadlines(asyncio.get_running_loop())

    def clock(self, limit_s: float, expired: Callable[[], None]) -> Alarm:
        return self._deadlines.start(limit_s, expired)

    def waiting(self, limit_s: float) -> int:
        return len(self._deadlines.queue(limit_s).waiting)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_fork_goes_on_with_what_it_has_when_its_time_is_up() -> None:
    time = Time()
    driven = Driven(together(call("a"), two("b"), call("c"), deadline_s=3), time.clock)
    await asyncio.sleep(1)
    driven.answer("c", "b1")
    await asyncio.sleep(1.9)
    assert driven.outcomes == []
    await asyncio.sleep(0.2)
    assert driven.status == 1
    assert driven.upstream.cancelled == ["a", "b2"]


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_fork_that_is_done_in_time_leaves_no_limit_behind() -> None:
    time = Time()
    driven = Driven(together(call("a"), call("b"), deadline_s=3), time.clock)
    assert time.waiting(3) == 1
    driven.answer("b", "a")
    assert driven.status == 2
    assert time.waiting(3) == 0
    Driven(together(at_once(), at_once(), deadline_s=3), time.clock)
    assert time.waiting(3) == 0
    stopped = Driven(together(call("a"), call("b"), stop=first, deadline_s=3), time.clock)
    stopped.answer("a")
    assert time.waiting(3) == 0
    await asyncio.sleep(4)
    assert driven.status == 2


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_fork_that_is_cancelled_leaves_no_limit_behind() -> None:
    time = Time()
    driven = Driven(
        together(call("a"), together(call("b"), deadline_s=2), deadline_s=3), time.clock
    )
    assert (time.waiting(3), time.waiting(2)) == (1, 1)
    driven.run.cancel()
    assert (time.waiting(3), time.waiting(2)) == (0, 0)
    await asyncio.sleep(4)
    assert driven.outcomes == []


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_limit_within_a_limit_ends_its_own_fork_alone() -> None:
    time = Time()
    inner = together(call("b"), call("c"), deadline_s=2)
    driven = Driven(together(call("a"), inner, deadline_s=3), time.clock)
    await asyncio.sleep(2.1)
    assert driven.upstream.cancelled == ["b", "c"]
    assert driven.outcomes == []
    driven.answer("a")
    assert driven.status == 2


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_nobody_has_answered_when_the_time_is_up() -> None:
    time = Time()
    driven = Driven(together(call("a"), call("b"), deadline_s=3), time.clock)
    await asyncio.sleep(3.1)
    assert driven.status == 0


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_limits_leave_no_garbage() -> None:
    time = Time()
    with no_garbage():
        late = Driven(together(call("a"), two("b"), deadline_s=1), time.clock)
        left = Driven(together(call("a"), leaf("b"), deadline_s=2), time.clock)
        left.run.cancel()
        await asyncio.sleep(1.5)
        assert late.status == 0
        del late, left


# at every point


@pytest.fixture(autouse=True, scope="module")
def quick_collector() -> Iterator[None]:
    """What was there before need not be looked at again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@contextmanager
def no_garbage() -> Iterator[None]:
    """Whatever was made within must have gone by counting references alone: a request that leaves
    cycles makes the collector run, in the middle of other requests.
    """
    gc.collect()
    gc.disable()
    try:
        yield
        assert gc.collect() == 0
    finally:
        gc.enable()


class Conversation:
    """A plan walked with scripted answers in a given order, as far as one likes."""

    def __init__(self, plan: Plan, body: bytes, answers: list[Answered], order: list[int]) -> None:
        turn = iter(range(10**9))
        self._order = order
        self._steps = 0
        self.upstream = ScriptedUpstream(
            lambda made: answers[next(turn) % len(answers)].answer(made.address)
        )
        self.outcomes: list[Answer] = []
        request = Input(Payload(Document(body), JSON), (), 7, caller=Caller())
        self.walk = walk(plan, request)
        self.run = Run(self.walk, self.upstream, self.outcomes.append, still)
        self.run.advance()

    def step(self) -> bool:
        """Deliver one answer; False if nobody waits for one."""
        waiting = self.upstream.open
        if not waiting:
            return False
        waiting[self._order[self._steps % len(self._order)] % len(waiting)].answer()
        self._steps += 1
        return True

    def leave(self) -> None:
        self.run.cancel()
        assert self.upstream.open == []
        assert inspect.getgeneratorstate(self.walk) == inspect.GEN_CLOSED
        before = len(self.upstream.calls)
        for made in self.upstream.calls:
            made.answer(reply())  # a late answer goes nowhere
        assert len(self.upstream.calls) == before


def cancel_everywhere(
    compiled: Plan, body: bytes, answers: list[Answered], order: list[int]
) -> int:
    """How many points there were."""
    whole = Conversation(compiled, body, answers, order)
    points = 0
    while whole.step():
        points += 1
    assert len(whole.outcomes) == 1
    assert all(made.state is not State.OPEN for made in whole.upstream.calls)
    del whole
    with no_garbage():
        for point in range(points + 1):
            conversation = Conversation(compiled, body, answers, order)
            for _ in range(point):
                conversation.step()
            over = bool(conversation.outcomes)
            assert over == (point == points)
            conversation.leave()
            assert len(conversation.outcomes) == over
    return points


@settings(deadline=None, max_examples=150)
@given(
    # that library makes cycles of its own
    manifest=graphs(jmespath=False) | flowing(jmespath=False),
    body=BODIES,
    answers=st.lists(ANSWERS, min_size=1, max_size=6),
    order=st.lists(st.integers(0, 9), min_size=1, max_size=6),
)
def test_cancellation_at_every_point_of_any_graph(
    manifest: InferenceGraph, body: bytes, answers: list[Answered], order: list[int]
) -> None:
    cancel_everywhere(compile(manifest), body, answers, order)


FAN = plan(
    ensemble(
        step("a"),
        step("n", node="inner", dependency="Hard"),
        step("m", node="deep"),
        step("w", node="way"),
    ),
    inner=sequence(step("i"), step("j", data="$response")),
    deep=ensemble(step("k", node="inner"), step("l", dependency="Hard")),
    way=switch(step("x", condition="none"), step("y", condition="z")),
)
FINE = Answered(200, b"{}", True)
BAD = Answered(500, b"{}", True)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("answers", [[FINE], [FINE, FINE, BAD]], ids=["all fine", "some bad"])
def test_cancellation_at_every_point_in_many_orders(seed: int, answers: list[Answered]) -> None:
    order = [(seed * 7919 + index * index * 31) % 11 for index in range(12)]
    points = cancel_everywhere(FAN, b"{}", answers, order)
    assert points == 6 if answers == [FINE] else 1 <= points <= 6


def test_a_fork_that_settles_while_it_starts_leaves_no_garbage() -> None:
    with no_garbage():
        driven = Driven(together(together(call("a")), two("b"), at_once(), stop=first))
        assert driven.status == 1
        del driven


def test_a_bug_leaves_no_garbage() -> None:
    logging.getLogger("graphway.execute").disabled = True  # records hold tracebacks
    try:
        with no_garbage():
            driven = Driven(together(call("a"), broken("x")))
            driven.answer("x", "a")
            del driven
    finally:
        logging.getLogger("graphway.execute").disabled = False
