"""Ensemble with KServe's outcomes (`compat`), as conversations."""

import pytest

from tests.scripts import ensemble, plan, play, step, switch

IN = '{"x":1}'
ASKED_ABC = """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
"""
NOT_OBJECT = "the answer is not a JSON object"

COMPAT = {
    "objects are merged, soft failures included": (
        ensemble(step("a"), step("b")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/b 500 {"detail":"no"}
        < root/a 200 {}
        = 200 {"a":{},"b":{"detail":"no"}}
        """,
    ),
    "null counts as an object": (
        ensemble(step("a")),
        """
        > root/a {"x":1}
        < root/a 200 null
        = 200 {"a":null}
        """,
    ),
    "soft, no answer: it ends, without waiting for anybody": (
        ensemble(step("a"), step("b"), step("c")),
        f"""{ASKED_ABC}
        < root/b reset: gone
        x root/a
        x root/c
        = reset at root/b: gone
        """,
    ),
    "soft, an array": (
        ensemble(step("a"), step("b")),
        f"""
        > root/a {{"x":1}}
        > root/b {{"x":1}}
        < root/b 200 []
        x root/a
        = invalid_answer at root/b: {NOT_OBJECT}
        """,
    ),
    "soft, a number": (
        ensemble(step("a")),
        f"""
        > root/a {{"x":1}}
        < root/a 200 7
        = invalid_answer at root/a: {NOT_OBJECT}
        """,
    ),
    "soft, nothing at all": (
        ensemble(step("a")),
        f"""
        > root/a {{"x":1}}
        < root/a 204 ()
        = invalid_answer at root/a: {NOT_OBJECT}
        """,
    ),
    "soft, not JSON": (
        ensemble(step("a")),
        f"""
        > root/a {{"x":1}}
        < root/a 200 (text/plain) {{oops
        = invalid_answer at root/a: {NOT_OBJECT}
        """,
    ),
    "white space before an object": (
        ensemble(step("a"), step("b")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 200   {}
        < root/b 200   []
        = invalid_answer at root/b: the answer is not a JSON object
        """,
    ),
    "hard, not 2xx: its answer ends it": (
        ensemble(step("a", dependency="Hard"), step("b")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 400 {"no":1}
        x root/b
        = 400 {"no":1}
        """,
    ),
    "hard, not 2xx and no object: an error whatever the status": (
        ensemble(step("a", dependency="Hard")),
        f"""
        > root/a {{"x":1}}
        < root/a 400 "no"
        = invalid_answer at root/a: {NOT_OBJECT}
        """,
    ),
    "a hard failure waits for everybody before it: soft ones may fail too": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 400 {{"no":1}}
        < root/a 500 {{}}
        x root/c
        = 400 {{"no":1}}
        """,
    ),
    "meanwhile the first error to come wins": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 400 {{"no":1}}
        < root/c connect: refused
        x root/a
        = connect at root/c: refused
        """,
    ),
    "of two hard failures the first in order": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 400 {{"b":1}}
        < root/a 401 {{"a":1}}
        x root/c
        = 401 {{"a":1}}
        """,
    ),
}


@pytest.mark.parametrize("name", COMPAT)
def test_compat(name: str) -> None:
    root, playbook = COMPAT[name]
    play(plan(root, compat=True), IN, playbook)


def test_compat_a_nested_switch_without_a_match_ends_it() -> None:
    root = ensemble(step("n", node="inner"), step("b"))
    inner = switch(step("i", condition="y"))
    play(
        plan(root, inner=inner, compat=True),
        IN,
        "= no_match at inner: None of the routes matched with the switch condition",
    )
