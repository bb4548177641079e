"""No expression, and no body, stalls a worker: the cost is bounded before anything runs."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.conditions import compile
from graph.conditions.cel_faults import Fault
from graph.document import Document
from graph.effects import Input, Payload

LARGE = "it is too large for this expression"


def said(text: str, body: Any) -> tuple[bool, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Input(Payload(Document(raw), ()))
    holds = compile(text).holds(request.payload.document, request, None)
    return holds, request.decisions[0].why if request.decisions else ""


@pytest.mark.parametrize(
    "expression",
    [
        # each round doubles a text or a list; what compares them would see all of it
        "['a'].map(x, x + x).map(x, x + x).map(x, x + x)" + ".map(x, x + x)" * 24 + " == ['b']",
        "[body.s]" + ".map(x, [x, x])" * 20 + " == body.t",
        "[body.s]" + ".map(x, x + x)" * 20 + " == ['b']",
        # map and filter copy the list so far in each round
        "body.a.map(i, body.a.map(j, i + j)).size() > 1",
        "body.a.exists(i, body.a.filter(j, j == i).size() > 1)",
        # the whole body, in each round
        "body.a.exists(i, body.a.exists(j, body.a.exists(k, string(body) == k)))",
        "body.a.exists(i, body.a.exists(j, body.b + body.c == body.b + i + j))",
        # loops in loops in loops
        "body.a.exists(a, a.exists(b, b.exists(c, c.exists(d, d.exists(e, e == 1)))))",
        # a regular expression is compiled in each round
        "body.a.exists(i, i.matches('(a|b|[x-z]){1,50}(x?){50}x{50}y'))",
    ],
)
def test_what_could_cost_too_much_for_a_small_body_is_refused(expression: str) -> None:
    with pytest.raises(Fault, match=r"could stall|nested more than"):
        compile(f"cel: {expression}")


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("body.filter(i, i > 1).size() > 2", list(range(5_000))),
        ("body.map(i, i + 1)[0] == 1", list(range(5_000))),
        ("body.exists(i, i.matches('^z'))", ["a"] * 9_000),
        ("body.a.exists(i, body.b.contains(i))", {"a": ["x"] * 9_000, "b": "y" * 100_000}),
        ("body.a.exists(i, body.b == i)", {"a": [[1]] * 900, "b": list(range(90_000))}),
        ("body.a == body.b", {"a": [[1]] * 300_000, "b": [[1]] * 300_000}),
        ("string(body.a) == ''", {"a": "x" * 2_000_000}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_costs_too_much_for_this_body_is_no_match(expression: str, body: Any) -> None:
    assert said(f"cel: {expression}", body) == (False, LARGE)


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("body.exists(i, i == -1)", list(range(20_000))),
        ("body.a.exists(i, body.a.exists(j, i + j == -1))", {"a": list(range(150))}),
    ],
    ids=["once", "nested"],
)
def test_loops_go_round_so_often_and_no_more(expression: str, body: Any) -> None:
    assert said(f"cel: {expression}", body) == (False, "its loops go round more than 10,000 times")


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("body.filter(i, i > 1).size() > 2", list(range(500))),
        ("body.instances.filter(i, i.x > 3).size() == 0", {"instances": [{"x": 1}] * 500}),
        ("body.exists(i, i.startsWith('z')) || true", ["a"] * 9_000),
        ("body.exists(i, i.exists(j, j == 3))", [[1, 2, 3]] * 3_000),
        ("body.s.matches('(x+x+)+y') || size(body.s) == 400000", {"s": "x" * 400_000}),
        ("body.s.contains('xy') || true", {"s": "x" * 1_000_000}),
        ("size(body.a) == 400000", {"a": [1] * 400_000}),
        (r"body[0] == '\\u0000'", ["\\u0000"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_people_write_has_room(expression: str, body: Any) -> None:
    assert said(f"cel: {expression}", body) == (True, "")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 256 + b"]" * 256, "nested more than 250 deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested more than 250 deep"),
        (b"[" * 100_000 + b"]" * 100_000, "body is not there"),
        (b'["\\ud800"]', "half a surrogate pair"),
        (b'{"\\ud800": 1}', "half a surrogate pair"),
        (b'"\\ud800"', "half a surrogate pair"),
        (b'["\\ud800", 18446744073709551616]', "surrogate pair|no strict JSON"),
        (b'["a\\u0000b"]', "a NUL character"),
        (b'{"a\\u0000": 1}', "a NUL character"),
        (b'"admin\\u0000"', "a NUL character"),
        (b"\xff", "body is not there"),
        (b"", "body is not there"),
    ],
)
def test_a_body_that_the_library_cannot_take_is_no_match(body: bytes, why: str) -> None:
    import re

    holds, reason = said("cel: body == 1", body)
    assert not holds
    assert re.search(why, reason)


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("body[0] == 18446744073709551616.0", b"[18446744073709551616, -99999999999999999999]"),
        ("body.exists(i, i > 1e19)", b"[1, 18446744073709551616]"),
        ("body.a[1] < -1e19 && body.a.exists(i, i == 2)", b'{"a": [2, -99999999999999999999]}'),
        ("body > 1e300", b"9" * 400),
        ("body == 18446744073709551615u", b"18446744073709551615"),
    ],
)
def test_integers_beyond_64_bits_are_doubles(expression: str, body: bytes) -> None:
    assert said(f"cel: {expression}", body) == (True, "")


def test_null_as_a_result_does_no_harm() -> None:
    """The library gives a reference away that it does not own; enough of them end the process."""
    import sys

    condition = compile("cel: body.a")
    request = Input(Payload(Document(b'{"a": null}'), ()))
    before = sys.getrefcount(None)
    for _ in range(2_000):
        condition.holds(request.payload.document, request, None)
        request.decisions.clear()
    assert sys.getrefcount(None) > before - 1_000


NAMES = st.sampled_from(("body", "body.a", "body.b", "x", "y", "'t'", "1", "2.5", "headers"))
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("==", "+", "<", "&&", "||", "in")), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(inner, st.sampled_from(("exists", "all", "map", "filter")), inner).map(
            lambda parts: f"{parts[0]}.{parts[1]}(x, {parts[2]})"
        ),
        st.tuples(inner, inner).map(lambda parts: f"[{', '.join(parts)}]"),
        inner.map(lambda part: f"size({part})"),
        inner.map(lambda part: f"string({part})"),
        inner.map(lambda part: f"{part}.matches('a+')"),
        inner.map(lambda part: f"{part}.a"),
    ),
    max_leaves=8,
)
BODIES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(("a", "b")), inner, max_size=2)
    ),
    max_leaves=10,
)


@settings(deadline=None)  # the first one loads the library
@given(EXPRESSIONS, BODIES)
def test_any_expression_on_any_body_says_yes_or_no(expression: str, body: Any) -> None:
    try:
        condition = compile(f"cel: {expression} == true")
    except Fault:
        return
    request = Input(Payload(Document(json.dumps(body).encode()), ()))
    assert condition.holds(request.payload.document, request, None) in (True, False)
