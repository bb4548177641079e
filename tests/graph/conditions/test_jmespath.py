"""JMESPath conditions: truth, refusals with their place, bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.conditions import compile
from graph.conditions.jmespath import MAX_LENGTH, MAX_STEPS
from graph.document import Document

BODY = b"""{"null":null,"false":false,"true":true,"zero":0,"empty":"","text":"x","list":[],
"one":[0],"object":{},"full":{"a":1},"big":12345678901234567890123,"many":[{"x":1},{"x":20}]}"""


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        *(("null", False), ("false", False), ("true", True), ("zero", True), ("empty", False)),
        *(("text", True), ("list", False), ("one", True), ("object", False), ("full", True)),
        *(("missing", False), ("@", True), ("text == 'x'", True), ("zero == `0`", True)),
        *(("many[?x > `10`]", True), ("many[?x > `100`]", False), ("!missing && text", True)),
        *(("big == `12345678901234567890123`", True), ("length(many) > `1`", True)),
    ],
)
def test_truth(expression: str, matches: bool) -> None:
    assert compile(f"jmespath:{expression}")(BODY) is matches


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 5000 + b"]" * 5000],
    ids=["nothing", "half", "bytes", "deep"],
)
def test_no_match_without_a_value(body: bytes) -> None:
    assert not compile("jmespath:!missing")(body)


@pytest.mark.parametrize(
    "expression",
    ["abs(text)", "length(zero)", "sort(many)", "text < `1`", "max_by(many, &missing)"],
)
def test_a_fault_at_run_time_is_no_match(expression: str) -> None:
    assert not compile(f"jmespath:{expression}")(BODY)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a b", "unexpected 'b' at column 3 of 'a b'"),
        ("a ==", "ends too early at column"),
        ("a > 10", "at column 5 of 'a > 10'; a number is written in backticks: `10`"),
        ("'a", "Unclosed ' delimiter at column 1"),
        ("a.`x", "at column 3"),
        ("", "not valid.*empty"),
        ("lenght(a)", r"no function lenght\(\); it has abs, .* length"),
        ("a[?starts_with(b)]", "takes 2 arguments, not 1"),
        ("length(a, b)", "takes 1 arguments, not 2"),
        ("not_null()", "takes at least 1 arguments, not 0"),
        ("(" * 3000 + "a" + ")" * 3000, "longer than"),
        ("(" * 1500 + "a" + ")" * 1500, "nested too deeply"),
        ("a[?" * 80 + "a" + "]" * 80, "nested too deeply"),
        ("x" * (MAX_LENGTH + 1), "longer than"),
        ("|".join(["[@,@]"] * 12), "multiplies the body"),
        ("[*].[@,@][].{a: @, b: @}.*" * 1 + ".[@,@]" * 9, "multiplies the body"),
        ("[].map(&`[1,2,3,4,5,6,7,8,9,10]`, @)[].map(&`[{}]`, @)".replace("{}", "1," * 60 + "1"),
         "multiplies the body"),
    ],
)  # fmt: skip
def test_a_bad_expression_is_refused_with_its_place(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile(f"jmespath:{expression}")


@pytest.mark.parametrize(
    "expression",
    [
        "a.b[0].c[*].d[?e == 'f' && g > `1` || contains(h, 'x')] | [0]",
        'contains(`["a", "b", {"c": 1}]`, model)',
        "sort_by(many, &x)[-1].x == `20`",
        "merge(a, b, c).x",
        "join(', ', keys(@))",
        "{a: a, b: b, c: c}.a",
        "values(@)[].x[1:2]",
        "not_null(a, b, c)",
    ],
)
def test_ordinary_expressions_are_far_from_the_bounds(expression: str) -> None:
    assert compile(f"jmespath:{expression}")(BODY) in (True, False)


def test_a_long_body_ends_at_a_number_of_steps_and_says_so() -> None:
    condition = compile("jmespath:many[?x > `10`]")
    body = b'{"many":[{"x":20}' + b",{}" * MAX_STEPS + b"]}"
    assert compile("jmespath:many[0].x")(body)
    assert not condition(body)
    assert condition.reason(Document(body)).startswith("it fails: it takes more than 200000 steps")


@pytest.mark.parametrize(
    ("expression", "warnings"),
    [
        ("a == 'b'", 0), ('"a" == \'b\'', 0), ('a == "b"', 1), ('a != "b" || c < "d"', 2),
    ],
)  # fmt: skip
def test_text_in_double_quotes_is_a_field(expression: str, warnings: int) -> None:
    found = compile(f"jmespath:{expression}").warnings
    assert len(found) == warnings
    assert all("names a field" in warning and "single quotes" in warning for warning in found)


@given(st.text(alphabet="ab.[]*?@&|(){},:'\"`1 =<>!-", max_size=30))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        condition = compile(f"jmespath:{text}")
    except ValueError:
        return
    assert condition(BODY) in (True, False)


def test_backticks_hold_json() -> None:
    assert compile('jmespath:text == `"x"`').warnings == ()
    old = compile("jmespath:text == `x`")
    assert old(BODY)
    assert "write '...' for text" in old.warnings[0]


def test_conditions_of_one_body_share_a_number_of_steps() -> None:
    """Fifty branches on a long body would hold a worker for seconds."""
    body = Document(b'{"many":[{"x":20}' + b",{}" * (MAX_STEPS // 8) + b"]}")
    condition = compile("jmespath:many[?x > `10`]")
    matched = [condition.matches(body) for _ in range(50)]
    assert matched[0]
    assert not matched[-1]
    assert matched == sorted(matched, reverse=True)
    assert body.evaluated <= 4 * MAX_STEPS
    assert condition.matches(Document(b'{"many":[{"x":20}]}'))
