"""Switch: every branch of its contract, as conversations."""

import pytest

from tests.scripts import ensemble, plan, play, sequence, splitter, step, switch

IN = '{"x":1,"kind":"dog"}'
NO_MATCH = "None of the routes matched with the switch condition"

PLAYBOOKS = {
    "the first step that matches is called": (
        switch(step("a", condition="y"), step("b", condition="x"), step("c", condition="kind")),
        IN,
        """
        > root/b {"x":1,"kind":"dog"}
        < root/b 200 {"b":1}
        = 200 {"b":1}
        """,
    ),
    "the order of steps decides": (
        switch(step("a", condition="kind"), step("b", condition="x")),
        IN,
        """
        > root/a {"x":1,"kind":"dog"}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "a query on the whole object": (
        switch(
            step("cat", condition='[@this].#(kind=="cat")'),
            step("dog", condition='[@this].#(kind=="dog")'),
        ),
        IN,
        """
        > root/dog {"x":1,"kind":"dog"}
        < root/dog 200 {}
        = 200 {}
        """,
    ),
    "a JMESPath condition": (
        switch(step("a", condition="jmespath:x > `1`"), step("b", condition="jmespath:x == `1`")),
        IN,
        """
        > root/b {"x":1,"kind":"dog"}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "a path to null, false or nothing much exists": (
        switch(step("a", condition="x")),
        '{"x":null}',
        """
        > root/a {"x":null}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "no match": (
        switch(step("a", condition="y"), step("b", condition="z")),
        IN,
        f"""
        = no_match at root: {NO_MATCH}
        """,
    ),
    "an empty condition and an absent one never match": (
        switch(step("a", condition=""), step("b")),
        IN,
        f"""
        = no_match at root: {NO_MATCH}
        """,
    ),
    "steps without a condition are passed over": (
        switch(step("a"), step("b", condition="x")),
        IN,
        """
        > root/b {"x":1,"kind":"dog"}
        < root/b 200 {}
        = 200 {}
        """,
    ),
    "an idiom for the rest: a path that always exists": (
        switch(step("a", condition="y"), step("rest", condition="@this")),
        IN,
        """
        > root/rest {"x":1,"kind":"dog"}
        < root/rest 200 {}
        = 200 {}
        """,
    ),
    "a scalar is JSON": (
        switch(step("a", condition="x"), step("rest", condition="@this")),
        "7",
        """
        > root/rest 7
        < root/rest 200 {}
        = 200 {}
        """,
    ),
    "what is not JSON matches nothing": (
        switch(step("rest", condition="@this"), step("j", condition="jmespath:@")),
        "{x:1}",
        f"""
        = no_match at root: {NO_MATCH}
        """,
    ),
    "nor does an empty body": (
        switch(step("rest", condition="@this")),
        "",
        f"""
        = no_match at root: {NO_MATCH}
        """,
    ),
    "soft, not 2xx: the answer passes": (
        switch(step("a", condition="x", dependency="Soft"), step("b", condition="x")),
        IN,
        """
        > root/a {"x":1,"kind":"dog"}
        < root/a 500 (text/plain) no
        = 500 (text/plain) no
        """,
    ),
    "hard, not 2xx: the same": (
        switch(step("a", condition="x", dependency="Hard"), step("b", condition="x")),
        IN,
        """
        > root/a {"x":1,"kind":"dog"}
        < root/a 500 (text/plain) no
        = 500 (text/plain) no
        """,
    ),
    "no answer: no other branch is tried": (
        switch(step("a", condition="x"), step("b", condition="kind")),
        IN,
        """
        > root/a {"x":1,"kind":"dog"}
        < root/a overload: too many calls
        = overload at root/a: too many calls
        """,
    ),
    "data and mapping are a Sequence's alone": (
        switch(step("a", condition="x", data="$response", mapPredictionsToInstances=True)),
        '{"x":1,"predictions":[1]}',
        """
        > root/a {"x":1,"predictions":[1]}
        < root/a 200 {}
        = 200 {}
        """,
    ),
    "unnamed steps are called by index": (
        switch(step(condition="y"), step(condition="x")),
        IN,
        """
        > root/1 {"x":1,"kind":"dog"}
        < root/1 200 {}
        = 200 {}
        """,
    ),
}


@pytest.mark.parametrize("compat", [False, True], ids=["", "compat"])
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook(name: str, compat: bool) -> None:
    """KServe's mode changes nothing here but the status of failures."""
    root, body, playbook = PLAYBOOKS[name]
    play(plan(root, compat=compat), body, playbook)


INNER = switch(step("i", condition="y"))

NESTED = {
    "a branch that is a node gets the request": (
        switch(step("a", condition="y"), step("n", node="inner", condition="x")),
        sequence(step("i"), step("j", data="$response")),
        """
        > inner/i {"x":1,"kind":"dog"}
        < inner/i 200 {"i":1}
        > inner/j {"i":1}
        < inner/j 201 {"j":1}
        = 201 {"j":1}
        """,
    ),
    "no match below a Switch": (
        switch(step("n", node="inner", condition="x"), step("b", condition="x")),
        INNER,
        f"""
        = no_match at inner: {NO_MATCH}
        """,
    ),
    "no match below a Sequence": (
        sequence(step("n", node="inner"), step("b")),
        INNER,
        f"""
        = no_match at inner: {NO_MATCH}
        """,
    ),
    "no match below a Splitter": (
        splitter(step("n", node="inner", weight=100)),
        INNER,
        f"""
        = no_match at inner: {NO_MATCH}
        """,
    ),
    "no match below an Ensemble, soft: its key holds the error": (
        ensemble(step("n", node="inner"), step("b")),
        INNER,
        f"""
        > root/b {{"x":1,"kind":"dog"}}
        < root/b 200 {{}}
        = 200 {{"n":{{"error":"Failed to process request","cause":"{NO_MATCH}"}},"b":{{}}}}
        """,
    ),
    "no match below an Ensemble, hard: it ends before the others are asked": (
        ensemble(step("n", node="inner", dependency="Hard"), step("b")),
        INNER,
        f"""
        = no_match at inner: {NO_MATCH}
        """,
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested(name: str) -> None:
    root, inner, playbook = NESTED[name]
    play(plan(root, inner=inner), IN, playbook)


def test_the_decision_names_the_condition_that_matched() -> None:
    root = switch(step("a", condition="y"), step("n", node="inner", condition="x"))
    inner = switch(step(condition="kind"))
    played = play(
        plan(root, inner=inner),
        IN,
        """
        > inner/0 {"x":1,"kind":"dog"}
        < inner/0 200 {}
        = 200 {}
        """,
    )
    said = [(made.node, made.step, made.kind, made.condition) for made in played.request.decisions]
    assert said == [
        ("test/g/root", "n", "Switch", "x"),
        ("test/g/inner", "0", "Switch", "kind"),
    ]


def test_without_a_match_nothing_was_decided() -> None:
    played = play(plan(INNER), IN, f"= no_match at root: {NO_MATCH}")
    assert played.request.decisions == []
