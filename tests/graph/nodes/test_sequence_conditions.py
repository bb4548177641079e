"""Sequence: its conditions, on the answer before or on the request, as conversations."""

from typing import Any

import pytest

from tests.scripts import Fields, plan, play, sequence, step

IN = '{"x":1}'


def a_then(*rest: Fields, **first: Any) -> Fields:
    return sequence(step("a", **first), *rest)


PLAYBOOKS = {
    "a condition is tested on the answer before: met": (
        a_then(step("b", condition="y")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":null}
        > root/b {"x":1}
        < root/b 200 {"z":3}
        = 200 {"z":3}
        """,
    ),
    "unmet: the answer before is the outcome, later steps do not run": (
        a_then(step("b", condition="z"), step("c")),
        IN,
        """
        > root/a {"x":1}
        < root/a 201 {"y":2}
        = 201 {"y":2}
        """,
    ),
    "unmet after a soft step that failed: its own status, not 200": (
        a_then(step("b", condition="z")),
        IN,
        """
        > root/a {"x":1}
        < root/a 500 {"y":2}
        = 500 {"y":2}
        """,
    ),
    "a condition never looks at what the step is fed": (
        a_then(step("b", condition="x")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        = 200 {"y":2}
        """,
    ),
    "an empty condition is none": (
        a_then(step("b", condition="")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 not json
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a condition on an answer that is not JSON": (
        a_then(step("b", condition="y")),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 (text/plain) oops
        = invalid_answer at root/b: invalid response
        """,
    ),
    "a condition on an empty answer": (
        a_then(step("b", condition="@this")),
        IN,
        """
        > root/a {"x":1}
        < root/a 204 ()
        = invalid_answer at root/b: invalid response
        """,
    ),
    "a condition on the first step is tested on the request: met": (
        a_then(condition="x"),
        IN,
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "a condition on the first step: unmet, nothing ran": (
        a_then(step("b"), condition="y"),
        IN,
        """
        = no_match at root/a: the condition of the first step was not met
        """,
    ),
    "a condition on the first step, the request is not JSON": (
        a_then(condition="@this"),
        "not json",
        """
        = no_match at root/a: the condition of the first step was not met
        """,
    ),
}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook(name: str) -> None:
    root, body, playbook = PLAYBOOKS[name]
    play(plan(root), body, playbook)


COMPAT = {
    "unmet after a soft step that failed: 200": (
        a_then(step("b", condition="z")),
        """
        > root/a {"x":1}
        < root/a 500 (text/x-note) {"y":2}
        = 200 (text/x-note) {"y":2}
        """,
    ),
    "a condition on the first step is always an error, even if the request has the path": (
        a_then(condition="x"),
        """
        = invalid_answer at root/a: invalid response
        """,
    ),
    "met conditions go on as ever": (
        a_then(step("b", condition="y")),
        """
        > root/a {"x":1}
        < root/a 200 {"y":2}
        > root/b {"x":1}
        < root/b 200 {}
        = 200 {}
        """,
    ),
}


@pytest.mark.parametrize("name", COMPAT)
def test_compat(name: str) -> None:
    root, playbook = COMPAT[name]
    play(plan(root, compat=True), IN, playbook)
