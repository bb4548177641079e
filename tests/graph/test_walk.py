"""Walks of whole graphs: what holds for any graph, request and answers."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.caller import Caller
from graph.checks.chain import check
from graph.compiler import compile
from graph.document import Document
from graph.effects import Answer, Call, Decision, Failure, FailureKind, Input, Payload, Reply
from graph.plan import Plan, PlanNode
from graph.problems import Severity
from graph.spec import InferenceGraph, RouterType
from graph.walk import walk
from router.execute import Run
from router.upstream.script import JSON, ScriptedUpstream, reply
from tests.scripts import (
    Fields,
    ensemble,
    plan,
    play,
    run_through,
    sequence,
    splitter,
    step,
    still,
    switch,
)
from tests.strategies import ANSWERS, BODIES, Answered, flowing, graphs

ALL_KINDS = {
    "root": sequence(
        step("guard", condition="user"),
        step("route", node="by_kind"),
        step("report", data="$response"),
    ),
    "by_kind": switch(
        step("dog", node="try_out", condition='[@this].#(kind=="dog")'),
        step("cat", node="all", condition='[@this].#(kind=="cat")'),
    ),
    "try_out": splitter(step("old", weight=90), step("new", weight=10)),
    "all": ensemble(step("big", dependency="Hard"), step("small")),
}


def test_the_four_kinds_together() -> None:
    compiled = plan(ALL_KINDS["root"], ALL_KINDS)
    play(
        compiled,
        '{"user":"u","kind":"cat"}',
        """
        > root/guard {"user":"u","kind":"cat"}
        < root/guard 200 {"ok":true}
        > all/big {"user":"u","kind":"cat"}
        > all/small {"user":"u","kind":"cat"}
        < all/small timeout: late
        < all/big 200 [1]
        > root/report {"big":[1],"small":{"error":"Failed to process request","cause":"late"}}
        < root/report 201 {"id":7}
        = 201 {"id":7}
        """,
    )
    played = play(
        compiled,
        '{"user":"u","kind":"dog"}',
        """
        > root/guard {"user":"u","kind":"dog"}
        < root/guard 200 {"ok":true}
        > try_out/old {"user":"u","kind":"dog"}
        < try_out/old 200 {"dog":1}
        > root/report {"dog":1}
        < root/report 200 {"id":8}
        = 200 {"id":8}
        """,
    )
    assert [(made.node, made.step) for made in played.request.decisions] == [
        ("test/g/by_kind", "dog"),
        ("test/g/try_out", "old"),
    ]


# seeds and splits


def choices(compiled: Plan, seed: int) -> dict[str, str]:
    request = Input(Payload(Document(b"{}"), JSON), (), seed)
    upstream = ScriptedUpstream(lambda _: reply())
    Run(walk(compiled, request), upstream, lambda _: None).advance()
    upstream.answer_all()
    return {made.node: made.step for made in request.decisions}


HALVES = {"a": splitter(step("x", weight=50), step("y", weight=50)),
          "b": splitter(step("x", weight=50), step("y", weight=50))}  # fmt: skip
BEFORE = plan(sequence(step("1", node="a"), step("2", node="b")), HALVES)
AFTER = plan(
    sequence(step("0", node="c"), step("2", node="b"), step("1", node="a"), step("3")),
    HALVES,
    c=splitter(step("x", weight=10), step("y", weight=90)),
)
SEEDS = range(2000)


def test_a_new_node_moves_nobody() -> None:
    for seed in SEEDS:
        assert choices(BEFORE, seed).items() <= choices(AFTER, seed).items()


def test_the_same_seed_goes_the_same_way() -> None:
    again = plan(sequence(step("1", node="a"), step("2", node="b")), HALVES)
    assert all(choices(BEFORE, seed) == choices(again, seed) for seed in SEEDS)


def test_two_splitters_of_a_graph_draw_apart() -> None:
    ways = {tuple(choices(BEFORE, seed).values()) for seed in SEEDS}
    assert len(ways) == 4


def test_a_weight_that_grows_moves_only_those_that_must() -> None:
    """A canary that goes from 10 to 20 keeps everybody whom it had: shares are ranges of points."""
    small = plan(splitter(step("new", weight=10), step("old", weight=90)))
    large = plan(splitter(step("new", weight=20), step("old", weight=80)))
    for seed in SEEDS:
        before, after = choices(small, seed), choices(large, seed)
        assert before == after or after["test/g/root"] == "new"


# size


@pytest.mark.parametrize("kind", [sequence, ensemble], ids=["Sequence", "Ensemble"])
def test_a_graph_as_deep_as_the_check_allows(kind: Callable[..., Fields]) -> None:
    nodes = {f"n{index}": kind(step("s", node=f"n{index + 1}")) for index in range(254)}
    compiled = plan(kind(step("s", node="n0")), nodes, n254=kind(step("leaf")))
    outcome, upstream = run_through(compiled, b"{}", lambda _: reply(b"[1]"))
    assert len(upstream.calls) == 1
    assert isinstance(outcome, Reply)
    held = ScriptedUpstream(lambda _: None)
    outcomes: list[Answer] = []
    run = Run(walk(compiled, Input(Payload(Document(b"{}"), JSON))), held, outcomes.append)
    run.advance()
    run.cancel()
    assert held.cancelled == ["test/g/n254/leaf"]
    assert outcomes == []


# what holds for any graph


def most_calls(node: PlanNode) -> int:
    """How many calls a request can cost below this node."""
    costs = [1 if each.node is None else most_calls(each.node) for each in node.steps]
    one = node.kind in (RouterType.SWITCH, RouterType.SPLITTER)
    return max(costs) if one else sum(costs)


Answering = Callable[[Call], Answer]


def answering(answers: list[Answered]) -> Answering:
    """Answers in turn, over and over."""
    turn = count()
    return lambda call: answers[next(turn) % len(answers)].answer(call.address)


def journey(
    compiled: Plan, body: bytes, seed: int, script: Answering, order: list[int]
) -> tuple[Answer, list[Decision], list[tuple[str, bytes, str]]]:
    """The outcome, the decisions, and the calls with what became of them."""
    request = Input(Payload(Document(body), JSON), (), seed)
    if compiled.needs_caller:
        request.caller = Caller(headers=((b"x-a", b"1"), (b"x-b", b"2")))
    upstream = ScriptedUpstream(script)
    outcomes: list[Answer] = []
    turn = count()
    Run(walk(compiled, request), upstream, outcomes.append, still).advance()
    upstream.answer_all(lambda size: order[next(turn) % len(order)] % size)
    (outcome,) = outcomes
    calls = [(made.call.address, made.call.body, made.state.value) for made in upstream.calls]
    return outcome, request.decisions, calls


@settings(deadline=None, max_examples=300)
@given(
    manifest=graphs() | flowing(),
    body=BODIES,
    seed=st.integers(0, 2**64 - 1),
    answers=st.lists(ANSWERS, min_size=1, max_size=6),
    order=st.lists(st.integers(0, 9), min_size=1, max_size=6),
)
def test_any_graph_comes_to_an_outcome(
    manifest: InferenceGraph,
    body: bytes,
    seed: int,
    answers: list[Answered],
    order: list[int],
) -> None:
    errors = [each for each in check(manifest) if each.severity is Severity.ERROR]
    assert not errors
    compiled = compile(manifest)
    outcome, decisions, calls = journey(compiled, body, seed, answering(answers), order)
    assert isinstance(outcome, Reply | Failure)
    if isinstance(outcome, Failure):
        assert outcome.kind is not FailureKind.INTERNAL
        assert re.match(r"test/g/\w+", outcome.address)
    assert len(calls) <= most_calls(compiled.root)
    assert all(state in ("answered", "cancelled") for _, _, state in calls)
    for made in decisions:
        assert made.kind in ("Splitter", "Switch", "Respond", "Partial")
    again = journey(compiled, body, seed, answering(answers), order)
    assert again[1:] == (decisions, calls)
    assert described(again[0]) == described(outcome)


def described(outcome: Answer) -> tuple[object, ...]:
    if isinstance(outcome, Failure):
        return outcome.kind, outcome.cause, outcome.address
    return outcome.status, outcome.headers, outcome.document.body


@settings(deadline=None)
@given(manifest=graphs(), body=BODIES, answer=ANSWERS)
def test_equal_answers_give_one_outcome_whatever_their_order(
    manifest: InferenceGraph, body: bytes, answer: Answered
) -> None:
    """Except in KServe's mode, which is a race."""
    compiled = compile(manifest)
    if compiled.compat:
        return
    script = answering([answer])
    outcomes = {
        described(journey(compiled, body, 1, script, order)[0]) for order in ([0], [9], [0, 9, 4])
    }
    assert len(outcomes) == 1
