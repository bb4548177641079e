"""Why a condition does not match, as explanations say it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.conditions import compile
from graph.conditions.reasons import missing
from graph.document import Document
from graph.effects import Input, Payload, Reply
from graph.packed import Packed

PATHS = st.text(alphabet="ab.|#()[]{}\"\\*?@!=<>%~,:$&' 01", max_size=25)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
).map(lambda value: json.dumps(value).encode())

BODY = (
    b'{"tier":"silver","n":3,"x":{"y":null},"instances":[[1,2]],'
    b'"rows":[{"kind":"a"},{"kind":"b"},{},{"kind":"c"}],"none":[],"a.b":1}'
)
KEYS = "`tier`, `n`, `x`, `instances`, `rows`, `none`, ..."


def why(text: str, body: bytes) -> str:
    document = Document(body)
    request = Input(Payload(document, ()))
    condition = compile(text)
    assert not condition.holds(document, request, None)
    return condition.why(document, request, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("inputs", f"the body has no `inputs`, only {KEYS}"),
        ("@this.inputs", f"the body has no `inputs`, only {KEYS}"),
        ("x.z", "`x` has no `z`, only `y`"),
        ("x.y.z", "`x.y` is null: there is no `z` in it"),
        ("n.a.b", "`n` is 3: there is no `a` in it"),
        (r"a\.c", rf"the body has no `a\.c`, only {KEYS}"),
        (r"a\.b.c", r"`a\.b` is 1: there is no `c` in it"),
        ("instances.0.63", "`instances.0` has 2 elements"),
        ("instances.9", "`instances` has 1 element"),
        ("none.0", "`none` has 0 elements"),
        ("instances.foo", "`foo` finds nothing in `instances`, a list of 1 element"),
        ('[@this].#(tier=="gold")', '`tier` is "silver"'),
        ('[@this].#(nope=="gold")', "there is no `nope`"),
        (
            'rows.#(kind=="z").x',
            'no element of `rows` fits: `kind` is "a", `kind` is "b", it has no `kind`, ...',
        ),
        ("instances.0.#(>5)", "no element of `instances.0` fits: it is 1, it is 2"),
        ("none.#(a>3)", "`none` is an empty list"),
        ("n.#(a>3)", "`n` is 3, no list"),
        (r'!{"\q":1}|z', r'`!{"\q":1}` has no `z`: it is empty'),
        ("{q}.c", "`{q}` has no `c`: it is empty"),
        ("@nothing", "the body has no `@nothing`, only " + KEYS),
        (".".join(["[@this]", *["@this"] * 40, "z"]), "it finds nothing"),
        ("#" * 65, "the path nests too deeply"),
    ],
)
def test_why_a_path_finds_nothing(text: str, reason: str) -> None:
    assert why(text, BODY) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("jmespath: length(rows) > `8`", "`length(rows)` is 4"),
        ("jmespath: n > `1` && tier == 'gold'", '`tier` is "silver"'),
        ("jmespath: tier == 'gold' && n > `1`", '`tier` is "silver"'),
        ("jmespath: tier == 'gold' || x.q", '`tier` is "silver"; `x.q` is null'),
        ("jmespath: !n", "`n` is 3"),
        ("jmespath: !(n > `1`)", "`n > `1`` is true"),
        ("jmespath: @.rows[0].z", "`@.rows[0].z` is null"),
        ("jmespath: contains(tier, 'q')", "`contains(tier, 'q')` is false"),
        ("jmespath: `1` > `2`", "the comparison is false"),
        ("jmespath: rows[?kind == 'z']", "the result is []"),
        ("jmespath: rows[*].z.deeper | [0].more", "the result is null"),
        (f"jmespath: {'x' * 70}", "the result is null"),
    ],
)
def test_why_an_expression_is_not_true(text: str, reason: str) -> None:
    assert why(text, BODY) == reason


def test_why_an_expression_fails() -> None:
    assert why("jmespath: length(nope) > `8`", BODY).startswith("it fails: In function length()")


@pytest.mark.parametrize("text", ["a", '[@this].#(a=="b")', "jmespath: a"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (Document(b""), "the body is empty"),
        (Document(b"not json"), "the body is no JSON"),
        (Packed(b"not gzip", b"gzip"), "the body cannot be opened"),
    ],
    ids=["empty", "no JSON", "no gzip"],
)
def test_why_no_condition_on_json_can_match(text: str, body: Document, reason: str) -> None:
    assert compile(text).why(body, Input(Payload(body, ())), None) == reason


def test_the_answer_before_is_what_a_later_step_looks_at() -> None:
    request = Input(Payload(Document(BODY), ()))
    previous = Reply(200, (), Document(b'{"predictions":[]}'))
    condition = compile("predictions.0")
    assert condition.why(Document(BODY), request, previous) == "`predictions` has 0 elements"


def test_what_nests_too_deeply_for_an_expression() -> None:
    assert why("jmespath: a", b"[" * 3000 + b"]" * 3000) == "the body nests too deeply"


def test_a_search_that_costs_too_much() -> None:
    body = b"[" + b'{"a":1},' * 300 + b"{}]"
    assert why("[@this,@this]|" * 30 + "#(x)", body) == "the search would take too long"


def test_a_path_that_finds_something() -> None:
    assert missing(b"a.b", b"{}", lambda text, path: b"1") == "it finds nothing"


def test_long_values_are_cut() -> None:
    reason = why("a.b", b'{"a":"' + b"x" * 500 + b'"}')
    assert reason == f'`a` is "{"x" * 56}...: there is no `b` in it'


@given(PATHS | PATHS.map("jmespath:{}".format), BODIES | st.binary(max_size=10))
def test_a_reason_is_found_for_any_path_and_body(path: str, body: bytes) -> None:
    document = Document(body)
    try:
        condition = compile(path)
    except ValueError:
        return
    reason = condition.why(document, Input(Payload(document, ())), None)
    assert reason
    assert "\n" not in reason
