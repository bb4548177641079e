"""Ensemble: branches that are nodes, as conversations."""

import json

import pytest

from tests.scripts import ensemble, plan, play, sequence, splitter, step, switch

IN = '{"x":1}'


def failed(cause: str) -> str:
    return json.dumps({"error": "Failed to process request", "cause": cause}, separators=(",", ":"))


NESTED = {
    "branches that are nodes run side by side": (
        ensemble(step("n", node="inner"), step("b")),
        sequence(step("i"), step("j", data="$response")),
        """
        > inner/i {"x":1}
        > root/b {"x":1}
        < inner/i 200 {"i":1}
        > inner/j {"i":1}
        < root/b 200 2
        < inner/j 500 {"j":1}
        = 200 {"n":{"j":1},"b":2}
        """,
    ),
    "an Ensemble in an Ensemble": (
        ensemble(step("n", node="inner"), step("b")),
        ensemble(step("i"), step("j")),
        """
        > inner/i {"x":1}
        > inner/j {"x":1}
        > root/b {"x":1}
        < inner/j 200 {}
        < root/b 200 {}
        < inner/i 200 {}
        = 200 {"n":{"i":{},"j":{}},"b":{}}
        """,
    ),
    "a soft branch whose node fails: its key holds the error": (
        ensemble(step("n", node="inner"), step("b")),
        sequence(step("i"), step("j")),
        f"""
        > inner/i {{"x":1}}
        > root/b {{"x":1}}
        < inner/i connect: refused
        < root/b 200 {{}}
        = 200 {{"n":{failed("refused")},"b":{{}}}}
        """,
    ),
    "a hard branch whose node fails": (
        ensemble(step("n", node="inner", dependency="Hard"), step("b")),
        splitter(step("i", weight=100)),
        """
        > inner/i {"x":1}
        > root/b {"x":1}
        < inner/i connect: refused
        x root/b
        = connect at inner/i: refused
        """,
    ),
    "a hard branch whose node answers other than 2xx": (
        ensemble(step("a"), step("n", node="inner", dependency="Hard"), step("b")),
        sequence(step("i"), step("j")),
        """
        > root/a {"x":1}
        > inner/i {"x":1}
        > root/b {"x":1}
        < inner/i 200 {}
        > inner/j {"x":1}
        < inner/j 400 {"no":1}
        x root/a
        x root/b
        = 400 {"no":1}
        """,
    ),
    "what a cancelled branch had open is cancelled too": (
        ensemble(step("n", node="inner"), step("b", dependency="Hard")),
        ensemble(step("i"), step("j")),
        """
        > inner/i {"x":1}
        > inner/j {"x":1}
        > root/b {"x":1}
        < inner/j 200 {}
        < root/b 500 {}
        x inner/i
        = 500 {}
        """,
    ),
    "the same node twice is two walks": (
        ensemble(step("n", node="inner"), step("m", node="inner")),
        sequence(step("i"), step("j", data="$response")),
        """
        > inner/i {"x":1}
        > inner/i {"x":1}
        < inner/i 200 1
        > inner/j 1
        < inner/i 200 2
        > inner/j 2
        < inner/j 200 {}
        < inner/j 201 []
        = 200 {"n":{},"m":[]}
        """,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested(name: str) -> None:
    root, inner, playbook = NESTED[name]
    play(plan(root, inner=inner), IN, playbook)


def test_three_levels_end_together() -> None:
    root = ensemble(step("n", node="inner"), step("b", dependency="Hard"))
    inner = ensemble(step("m", node="core"), step("w", node="way"))
    core = sequence(step("i"))
    way = switch(step("j", condition="x"))
    play(
        plan(root, inner=inner, core=core, way=way),
        IN,
        """
        > core/i {"x":1}
        > way/j {"x":1}
        > root/b {"x":1}
        < root/b timeout: late
        x core/i
        x way/j
        = timeout at root/b: late
        """,
    )
