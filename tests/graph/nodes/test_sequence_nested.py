"""Sequence: steps that are nodes, as conversations."""

import pytest

from tests.scripts import ensemble, plan, play, sequence, splitter, step, switch

IN = '{"x":1}'

NESTED = {
    "a nested node gets what a leaf would": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i"), step("j")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > inner/i {"y":2}
        < inner/i 200 {}
        > inner/j {"y":2}
        < inner/j 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "the answer of a nested node is an answer like others": (
        sequence(step("n", node="inner", dependency="Hard"), step("b", data="$response")),
        ensemble(step("i"), step("j")),
        """
        > inner/i {"x":1}
        > inner/j {"x":1}
        < inner/j 200 2
        < inner/i 200 1
        > root/b {"i":1,"j":2}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a hard nested node that answers other than 2xx": (
        sequence(step("n", node="inner", dependency="Hard"), step("b")),
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        < inner/i 500 {"no":1}
        = 500 {"no":1}
        """,
    ),
    "a soft nested node that answers other than 2xx": (
        sequence(step("n", node="inner"), step("b")),
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        < inner/i 500 {"no":1}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a nested failure ends the parent, soft or not": (
        sequence(step("n", node="inner"), step("b")),
        sequence(step("i")),
        """
        > inner/i {"x":1}
        < inner/i reset: gone
        = reset at inner/i: gone
        """,
    ),
    "a nested Switch without a match ends the parent with 404": (
        sequence(step("n", node="inner"), step("b")),
        switch(step("i", condition="y")),
        """
        = no_match at inner: None of the routes matched with the switch condition
        """,
    ),
    "the condition of a nested node's first step is tested on what it was fed": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i", condition="y")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > inner/i {"y":2}
        < inner/i 200 {}
        = 200 {}
        """,
    ),
    "the condition of a nested node's first step: unmet": (
        sequence(step("a"), step("n", node="inner", data="$response")),
        sequence(step("i", condition="x")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        = no_match at inner/i: the condition of the first step was not met
        """,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested(name: str) -> None:
    root, inner, playbook = NESTED[name]
    play(plan(root, inner=inner), IN, playbook)
