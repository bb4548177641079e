"""Ensembles with `combine`, `quorum` or `deadlineSeconds`: every branch, as conversations."""

# ruff: noqa: E501  a failure says all that it has to say in one line

import json
from itertools import permutations
from typing import Any

import pytest

from graph.effects import Reply
from tests.scripts import Fields, ensemble, plan, play, sequence, step

IN = '{"x":1}'
ABC = """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
"""


def abc(hard: str = "", **fields: Any) -> Fields:
    return ensemble(
        *(step(name, dependency="Hard" if name in hard else "Soft", weight=weight)
          for name, weight in (("a", 1), ("b", 2), ("c", 0))),
        **fields,
    )  # fmt: skip


def failed(cause: str) -> str:
    return json.dumps({"error": "Failed to process request", "cause": cause}, separators=(",", ":"))


PLAYBOOKS = {
    "a mean of all": (
        abc(combine="mean"),
        """
        < root/b 200 {"predictions":[2, 5]}
        < root/a 200 {"predictions":[1, 4]}
        < root/c 200 {"predictions":[6, 0.5]}
        = 200 {"predictions":[3.0,3.1666666666666665]}
        """,
    ),
    "a mean of those that succeeded": (
        abc(combine="mean"),
        """
        < root/b 500 {"predictions":[2]}
        < root/a 200 {"predictions":[1]}
        < root/c timeout: late
        = 200 {"predictions":[1.0]}
        """,
    ),
    "weights of the steps": (
        abc(combine="weightedMean"),
        """
        < root/a 200 {"predictions":[1]}
        < root/b 200 {"predictions":[4]}
        < root/c 200 {"predictions":[99]}
        = 200 {"predictions":[3.0]}
        """,
    ),
    "only those of weight 0 succeeded": (
        abc(combine="weightedMean"),
        """
        < root/a reset: gone
        < root/b reset: gone
        < root/c 200 {"predictions":[99]}
        = invalid_answer at root: weightedMean: the weights of steps c are all 0
        """,
    ),
    "a vote, and a tie to the first in the order of steps": (
        abc(combine="vote"),
        """
        < root/c 200 {"predictions":["cat","dog","elk"]}
        < root/b 200 {"predictions":["cat","elk","dog"]}
        < root/a 200 {"predictions":["dog","ant","ape"]}
        = 200 {"predictions":["cat","ant","ape"]}
        """,
    ),
    "concatenated in the order of steps, byte for byte": (
        abc(combine="concat"),
        """
        < root/c 200 {"predictions":[{"box":[1.10]}]}
        < root/a 200 {"predictions":[ 1, "x" ]}
        < root/b 200 {"predictions":[]}
        = 200 {"predictions":[1, "x",{"box":[1.10]}]}
        """,
    ),
    "answers that do not fit": (
        abc(combine="mean"),
        """
        < root/a 200 {"predictions":[1]}
        < root/b 200 {"predictions":[[1]]}
        < root/c 200 {"predictions":[1]}
        = invalid_answer at root: mean: tensor 'output-0' has shape [1] in step a, and [1, 1] in step b
        """,
    ),
    "an answer that is no inference": (
        abc(combine="vote"),
        """
        < root/a 200 {"predictions":[1]}
        < root/b 200 {"scores":[1]}
        < root/c 200 {"predictions":[1]}
        = invalid_answer at root: vote: the answer of step b has neither V1's predictions nor V2's outputs
        """,
    ),
    "nobody succeeded: what the first step says": (
        abc(combine="mean"),
        """
        < root/b timeout: late
        < root/a 503 {"detail":"loading"}
        < root/c 500 {}
        = 503 {"detail":"loading"}
        """,
    ),
    "a Hard step that fails ends it": (
        abc("b", combine="mean"),
        """
        < root/a 200 {"predictions":[1]}
        < root/b 503 {"detail":"loading"}
        x root/c
        = 503 {"detail":"loading"}
        """,
    ),
    "first: the first success, the rest is cancelled": (
        abc(combine="first"),
        """
        < root/b 500 {}
        < root/c 200 (text/plain) here
        x root/a
        = 200 (text/plain) here
        """,
    ),
    "first: does not wait for Hard steps": (
        abc("a", combine="first"),
        """
        < root/c 200 {"c":1}
        x root/a
        x root/b
        = 200 {"c":1}
        """,
    ),
    "first: nobody succeeds": (
        abc(combine="first"),
        """
        < root/b 500 {}
        < root/c 200 {"c":1}
        x root/a
        = 200 {"c":1}
        """,
    ),
    "first: all fail": (
        abc(combine="first"),
        """
        < root/c 500 {}
        < root/b 404 {}
        < root/a connect: refused
        = connect at root/a: refused
        """,
    ),
    "first: none in time": (
        abc(combine="first", deadlineSeconds=0.5),
        """
        < root/c 500 {}
        ~ 0.5
        x root/a
        x root/b
        = no_quorum at root: 0 of 3 steps succeeded, and 1 must: a: no answer within 0.5 s; b: no answer within 0.5 s; c: answered 500
        """,
    ),
    "a quorum is enough": (
        abc(combine="mean", quorum=2),
        """
        < root/c 200 {"predictions":[1]}
        < root/a 200 {"predictions":[2]}
        x root/b
        = 200 {"predictions":[1.5]}
        """,
    ),
    "a quorum waits for Hard steps": (
        abc("b", combine="mean", quorum=1),
        """
        < root/c 200 {"predictions":[1]}
        < root/a 200 {"predictions":[2]}
        < root/b 200 {"predictions":[3]}
        = 200 {"predictions":[2.0]}
        """,
    ),
    "a quorum that nobody can meet any more": (
        abc(combine="mean", quorum=2),
        """
        < root/c 500 {}
        < root/a reset: the connection broke
        x root/b
        = no_quorum at root: 0 of 3 steps succeeded, and 2 must: a: the connection broke; b: no answer was waited for; c: answered 500
        """,
    ),
    "a quorum that is late": (
        abc(combine="mean", quorum=2, deadlineSeconds=2),
        """
        < root/c 200 {"predictions":[1]}
        ~ 2
        x root/a
        x root/b
        = timeout at root: 1 of 3 steps succeeded, and 2 must: a: no answer within 2 s; b: no answer within 2 s
        """,
    ),
    "a deadline: what is there": (
        abc(combine="mean", deadlineSeconds=0.5),
        """
        < root/b 200 {"predictions":[1]}
        ~ 0.5
        x root/a
        x root/c
        = 200 {"predictions":[1.0]}
        """,
    ),
    "a deadline that a Hard step misses": (
        abc("c", combine="mean", deadlineSeconds=0.5),
        """
        < root/b 200 {"predictions":[1]}
        ~ 0.5
        x root/a
        x root/c
        = timeout at root/c: no answer within 0.5 s
        """,
    ),
    "a deadline with nothing there": (
        abc(combine="vote", deadlineSeconds=0.5),
        """
        ~ 0.5
        x root/a
        x root/b
        x root/c
        = timeout at root: 0 of 3 steps succeeded, and 1 must: a: no answer within 0.5 s; b: no answer within 0.5 s; c: no answer within 0.5 s
        """,
    ),
    "an object with a deadline": (
        abc(deadlineSeconds=0.5),
        f"""
        < root/b 500 {{"detail":"b"}}
        < root/c 200 {{"c":1.0}}
        ~ 0.5
        x root/a
        = 200 {{"a":{failed("no answer within 0.5 s")},"b":{{"detail":"b"}},"c":{{"c":1.0}}}}
        """,
    ),
    "an object with a deadline, where all fail": (
        abc(deadlineSeconds=0.5),
        f"""
        < root/b reset: gone
        < root/c 500 {{}}
        < root/a 500 {{}}
        = 200 {{"a":{{}},"b":{failed("gone")},"c":{{}}}}
        """,
    ),
    "an object with a quorum": (
        abc(quorum=2),
        f"""
        < root/b 200 {{"b":1}}
        < root/c 200 {{"c":1}}
        x root/a
        = 200 {{"a":{failed("the others were enough")},"b":{{"b":1}},"c":{{"c":1}}}}
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLAYBOOKS)
def test_joined(case: str) -> None:
    root, talk = PLAYBOOKS[case]
    play(plan(root), IN, ABC + talk)


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_the_order_of_arrival_changes_nothing_when_all_are_waited_for(order: tuple[str]) -> None:
    answers = {"a": '["x"]', "b": '["y"]', "c": '["z"]'}
    given = "".join(f'< root/{name} 200 {{"predictions":{answers[name]}}}\n' for name in order)
    play(plan(abc(combine="vote")), IN, f'{ABC}{given}= 200 {{"predictions":["x"]}}')


def test_who_is_left_out_is_told() -> None:
    both = plan(
        sequence(step("inner", node="all"), step("next", data="$response")),
        all=abc(combine="mean", deadlineSeconds=1),
    )
    played = play(
        both,
        IN,
        """
        > all/a {"x":1}
        > all/b {"x":1}
        > all/c {"x":1}
        < all/b 200 {"predictions":[1]}
        < all/a 500 {}
        ~ 1
        x all/c
        > root/next {"predictions":[1.0]}
        < root/next 200 {}
        = 200 {}
        """,
    )
    (decision,) = played.request.decisions
    assert (decision.node, decision.step, decision.kind) == ("test/g/all", "a, c", "Partial")
    assert both.partial
    assert not plan(abc()).partial
    assert isinstance(played.outcome, Reply)
