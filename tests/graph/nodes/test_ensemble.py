"""Ensemble: every branch of its contract, as conversations."""

import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Reply
from router.upstream.script import reply
from tests.scripts import (
    Fields,
    ensemble,
    plan,
    play,
    run_through,
    sequence,
    splitter,
    step,
    switch,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.text()


def containers(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


IN = '{"x":1}'
ASKED_ABC = """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
"""


def failed(cause: str) -> str:
    return json.dumps({"error": "Failed to process request", "cause": cause}, separators=(",", ":"))


NOT_JSON = failed("the answer is not JSON")

PLAYBOOKS = {
    "all at once on the input, merged by name in the order of steps": (
        ensemble(step("a"), step("b"), step("c")),
        f"""{ASKED_ABC}
        < root/c 200 {{"c":3}}
        < root/a 200 {{"a":1}}
        < root/b 200 {{"b":2}}
        = 200 {{"a":{{"a":1}},"b":{{"b":2}},"c":{{"c":3}}}}
        """,
    ),
    "unnamed steps by index": (
        ensemble(step(), step("b"), step()),
        """
        > root/0 {"x":1}
        > root/b {"x":1}
        > root/2 {"x":1}
        < root/0 200 {}
        < root/b 200 {}
        < root/2 200 {}
        = 200 {"0":{},"b":{},"2":{}}
        """,
    ),
    "one step": (
        ensemble(step("a")),
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {"a":{}}
        """,
    ),
    # soft
    "soft, not 2xx: its body is the value, the status 200": (
        ensemble(step("a"), step("b")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 500 {"detail":"no"}
        < root/b 404 {"detail":"nor here"}
        = 200 {"a":{"detail":"no"},"b":{"detail":"nor here"}}
        """,
    ),
    "soft, no answer: its key holds the error": (
        ensemble(step("a"), step("b")),
        f"""
        > root/a {{"x":1}}
        > root/b {{"x":1}}
        < root/a timeout: a.test: no answer within 1 s
        < root/b 200 {{}}
        = 200 {{"a":{failed("a.test: no answer within 1 s")},"b":{{}}}}
        """,
    ),
    "all without an answer": (
        ensemble(step("a"), step("b")),
        f"""
        > root/a {{"x":1}}
        > root/b {{"x":1}}
        < root/b connect: no "b"
        < root/a connect: no a
        = 200 {{"a":{failed("no a")},"b":{failed('no "b"')}}}
        """,
    ),
    "soft, not JSON: its key holds the error, whatever the status": (
        ensemble(step("a"), step("b"), step("c")),
        f"""{ASKED_ABC}
        < root/a 200 (text/plain) hello
        < root/b 500 <html>
        < root/c 204 ()
        = 200 {{"a":{NOT_JSON},"b":{NOT_JSON},"c":{NOT_JSON}}}
        """,
    ),
    "any JSON value is kept": (
        ensemble(step("a"), step("b"), step("c"), step("d"), step("e"), step("f")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        > root/c {"x":1}
        > root/d {"x":1}
        > root/e {"x":1}
        > root/f {"x":1}
        < root/a 200 [1,2]
        < root/b 200 null
        < root/c 200 "text"
        < root/d 200 1e9
        < root/e 200 false
        < root/f 200 (text/plain) {}
        = 200 {"a":[1,2],"b":null,"c":"text","d":1e9,"e":false,"f":{}}
        """,
    ),
    "bytes stay as they are": (
        ensemble(step("a"), step("b")),
        r"""
        > root/a {"x":1}
        > root/b {"x":1}
        < root/a 200 {"n":9007199254740993,"b":1,"b":2}
        < root/b 200 [ "<&>", "\u00e9", "\/", -0.0, 0.10 ]
        = 200 {"a":{"n":9007199254740993,"b":1,"b":2},"b":[ "<&>", "\u00e9", "\/", -0.0, 0.10 ]}
        """,
    ),
    # hard
    "hard, 2xx: like soft": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard")),
        """
        > root/a {"x":1}
        > root/b {"x":1}
        < root/b 201 2
        < root/a 200 1
        = 200 {"a":1,"b":2}
        """,
    ),
    "hard, not 2xx: its answer ends it, the rest is cancelled": (
        ensemble(step("a", dependency="Hard"), step("b"), step("c", dependency="Hard")),
        f"""{ASKED_ABC}
        < root/a 429 (text/plain) slow down
        x root/b
        x root/c
        = 429 (text/plain) slow down
        """,
    ),
    "hard, no answer: the same": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b reset: gone
        x root/a
        x root/c
        = reset at root/b: gone
        """,
    ),
    "hard, not JSON": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 200 (text/plain) hello
        x root/a
        x root/c
        = invalid_answer at root/b: the answer is not JSON
        """,
    ),
    "hard, not 2xx and not JSON: the answer passes": (
        ensemble(step("a", dependency="Hard")),
        """
        > root/a {"x":1}
        < root/a 500 <html>
        = 500 <html>
        """,
    ),
    "a hard failure waits for hard steps before it, which may decide instead": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        < root/a 400 {{"a":1}}
        x root/c
        = 400 {{"a":1}}
        """,
    ),
    "and if they do not, it decides": (
        ensemble(step("a", dependency="Hard"), step("b", dependency="Hard"), step("c")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        < root/a 200 {{"a":1}}
        x root/c
        = 500 {{"b":1}}
        """,
    ),
    "soft steps before it are not waited for": (
        ensemble(step("a"), step("b", dependency="Hard"), step("c", dependency="Hard")),
        f"""{ASKED_ABC}
        < root/b 500 {{"b":1}}
        x root/a
        x root/c
        = 500 {{"b":1}}
        """,
    ),
    "data, condition, weight and mapping are not an Ensemble's": (
        ensemble(
            step(
                "a",
                data="$response",
                condition="none",
                weight=0,
                mapPredictionsToInstances=True,
            )
        ),
        """
        > root/a {"x":1}
        < root/a 200 {}
        = 200 {"a":{}}
        """,
    ),
}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbook(name: str) -> None:
    root, playbook = PLAYBOOKS[name]
    play(plan(root), IN, playbook)


def merged(root: Fields, bodies: list[bytes]) -> bytes:
    """The answer when the calls, in order, are answered with these bodies."""
    left = iter(bodies)
    outcome, _ = run_through(plan(root), b"{}", lambda _: reply(next(left)))
    assert isinstance(outcome, Reply)
    assert outcome.status == 200
    return outcome.document.body


def test_names_are_escaped() -> None:
    names = ['say "hi"', "tab\t", "back\\slash", "</script>", "\N{SNOWMAN}"]
    body = merged(
        ensemble(*(step(name, serviceUrl="http://s.test/") for name in names)),
        [b"%d" % i for i in range(5)],
    )
    assert json.loads(body) == {name: index for index, name in enumerate(names)}


def test_where_a_name_and_an_index_clash_the_later_step_wins() -> None:
    assert merged(ensemble(step("1"), step()), [b'"first"', b'"second"']) == b'{"1":"second"}'


JSON_FAULTS = {
    "no UTF-8": b'"\xff"',
    "two documents": b"{}{}",
    "a comment": b"{} // fine",
    "a trailing comma": b"[1,]",
    "NaN": b"NaN",
    "cut short": b'{"a":',
    "deeper than any reader goes": b"[" * 50_000 + b"]" * 50_000,
}


@pytest.mark.parametrize("fault", JSON_FAULTS)
def test_what_is_no_JSON_never_gets_into_the_answer(fault: str) -> None:
    body = merged(ensemble(step("a"), step("b")), [JSON_FAULTS[fault], b"1"])
    assert body == f'{{"a":{NOT_JSON},"b":1}}'.encode()


def test_half_a_surrogate_pair_is_JSON() -> None:
    assert merged(ensemble(step("a")), [rb'"\ud83d"']) == rb'{"a":"\ud83d"}'


def test_an_answer_deeper_than_python_recurses_is_kept() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    assert merged(ensemble(step("a")), [deep]) == b'{"a":' + deep + b"}"


@given(st.lists(st.recursive(SCALARS, containers, max_leaves=8), min_size=1, max_size=4))
def test_what_was_answered_is_what_is_read(values: list[object]) -> None:
    bodies = [json.dumps(value).encode() for value in values]
    body = merged(ensemble(*(step() for _ in values)), bodies)
    assert json.loads(body) == {str(index): value for index, value in enumerate(values)}


@pytest.mark.parametrize("order", list(permutations("abcd")), ids="".join)
def test_the_first_hard_failure_in_order_decides_whatever_the_order_of_arrival(
    order: tuple[str, ...],
) -> None:
    """a is soft and fails, b is hard and fine, c and d are hard and fail: c decides."""
    root = ensemble(
        step("a"),
        step("b", dependency="Hard"),
        step("c", dependency="Hard"),
        step("d", dependency="Hard"),
    )
    given = {"a": "500 {}", "b": "200 {}", "c": "501 {}", "d": "502 {}"}
    settled = max(order.index("b"), order.index("c"))  # nobody before c is open then
    lines = [f"> root/{name} {IN}" for name in "abcd"]
    lines += [f"< root/{name} {given[name]}" for name in order[: settled + 1]]
    lines += [f"x root/{name}" for name in "abcd" if order.index(name) > settled]
    play(plan(root), IN, "\n".join([*lines, "= 501 {}"]))


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
