"""What CEL conditions see and say."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.caller import Caller
from graph.conditions import compile, compile_all
from graph.document import Document
from graph.effects import Input, Payload, Reply
from graph.packed import document_of

ROOT = Path(__file__).parents[3]

CALLER = Caller(
    b"POST",
    b"/v2/models/iris/infer",
    b"debug=1&lang=de",
    ((b"x-tier", b"gold"), (b"accept", b"a"), (b"accept", b"b")),
    "10.0.0.7",
)
BODY = {
    "model": "llama-3",
    "n": 9,
    "whole": 9.0,
    "score": 1,
    "half": 0.5,
    "huge": 2**63,
    "beyond": 2**70,
    "none": None,
    "yes": True,
    "empty": [],
    "user": {"tier": "gold", "x-y": 1, "roles": ["admin", "ops"]},
    "instances": [{"x": x, "tags": ["a", f"t{x}"]} for x in range(10)],
    "text": "Grüße",
}


def asked(
    text: str, body: Any = BODY, *, caller: Caller | None = CALLER, previous: Reply | None = None
) -> tuple[bool, list[str]]:
    """Whether it holds, and why it could not be evaluated."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Input(Payload(Document(raw), ()), caller=caller)
    holds = compile(text).holds(request.payload.document, request, previous)
    assert all(decision.kind == "ConditionError" for decision in request.decisions)
    assert all(decision.condition == text for decision in request.decisions)
    return holds, [decision.why for decision in request.decisions]


@pytest.mark.parametrize(
    "expression",
    [
        # the caller
        "headers['x-tier'] == 'gold'",
        "headers['X-Tier'] == 'gold'",
        "headers.accept == 'a, b'",
        "'x-tier' in headers",
        "'X-Tier' in headers",
        "!('x-other' in headers)",
        "has(headers.accept) && !has(headers.nope)",
        "headers.exists(name, name.startsWith('x-'))",
        "size(headers) == 2",
        "query.debug == '1' && query['lang'] in ['de', 'at']",
        "path.startsWith('/v2/') && path.endsWith('/infer')",
        "method == 'POST' && model == 'iris' && client.startsWith('10.')",
        # the body
        "body.model == 'llama-3'",
        "body.model.startsWith('llama-') && body.model.contains('ma-')",
        "body.model.matches('^llama-[0-9]+$')",
        "body.model.matches('(?i)LLAMA')",
        "body.user.tier == 'gold' && body.user['x-y'] == 1",
        "body.instances[3].x == 3 && body['instances'][0]['x'] == 0",
        "has(body.user.tier) && !has(body.user.nope)",
        "'admin' in body.user.roles && !('x' in body.user.roles)",
        "'tier' in body.user && 'user' in body",
        "size(body.instances) == 10 && body.instances.size() > 8",
        "size(body.text) == 5 && size(body.user) == 3 && size(body.empty) == 0",
        "body.instances.exists(i, i.x > 8)",
        "body.instances.all(i, size(i.tags) == 2)",
        "body.instances.exists_one(i, i.x == 3)",
        "body.instances.filter(i, i.x > 6).size() == 3",
        "body.instances.map(i, i.x * 2)[9] == 18",
        "body.instances.exists(i, i.tags.exists(t, t == 't7'))",
        "body.user == {'tier': 'gold', 'x-y': 1, 'roles': ['admin', 'ops']}",
        "body.none == null && body.yes",
        "body.text == 'Grüße'",
        "size(body) > 5 && body.exists(key, key == 'model')",
        "string(body.n) == '9' && int(body.whole) == 9 && double(body.n) == 9.0",
        "type(body.n) == int && type(body.whole) == double && type(body.model) == string",
        "body.n > 8 ? body.yes : false",
        # numbers compare whichever way JSON spells them
        "body.n > 8 && body.n > 8.5 && body.n == 9 && body.n == 9.0",
        "body.whole > 8 && body.whole == 9 && body.whole == 9.0",
        "body.score > 0.5 && body.half < 1 && body.n in [9, 10] && body.whole in [9]",
        "body.huge > 8 && body.huge == 9223372036854775808.0",
        "body.beyond > 1e20 && type(body.beyond) == double",
        # what is missing does not matter where it cannot change the outcome
        "body.nope == 1 || body.n == 9",
        "!(body.nope == 1 && body.n == 8)",
        "true",
    ],
)
def test_it_holds(expression: str) -> None:
    assert asked(f"cel: {expression}") == (True, [])


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("body.nope == 1", "body.nope is not there"),
        ("body.user.nope == 1", "body.user.nope is not there"),
        ("body.instances[10].x == 1", "body.instances[10].x is not there"),
        ("body.instances.x == 1", "body.instances.x is not there"),
        ("headers['x-other'] == 'a'", "headers['x-other'] is not there"),
        ("status == 200", "status is not there"),
        ("body.n", "the result is int, not true or false"),
        ("body.none", "the result is null, not true or false"),
        ("body.model > 5", "No matching overloads found : _>_(string, int64)"),
        ("body.whole + 1 > 5", "No matching overloads found : _+_(double, int64)"),
        ("body.n / 0 == 1", "divide by zero"),
        ("size(body.n) == 1", "size(body.n) has no value"),
        ("timestamp(body.model) < timestamp('2026-01-01T00:00:00Z')", "Timestamp"),
    ],
)
def test_what_cannot_be_evaluated_is_no_match_and_recorded(expression: str, why: str) -> None:
    holds, said = asked(f"cel: {expression}")
    assert not holds
    assert len(said) == 1
    assert why in said[0]


def test_why_not_says_what_there_is_instead() -> None:
    request = Input(Payload(Document(json.dumps(BODY).encode()), ()), caller=CALLER)
    condition = compile("cel: headers['x-tier'] == 'silver' || body.user.tier in [body.text, 'x']")
    assert not condition.holds(request.payload.document, request, None)
    assert condition.why(request.payload.document, request, None) == (
        'headers[\'x-tier\'] is "gold"; body.user.tier is "gold"; body.text is "Grüße"'
    )
    condition = compile("cel: has(body.nope) || 'nope' in body || size(body.empty) > 0")
    assert condition.why(request.payload.document, request, None) == (
        "has(body.nope) is false; 'nope' in body is false; size(body.empty) is 0"
    )
    condition = compile("cel: body.nope > 1")
    assert condition.why(request.payload.document, request, None) == "body.nope is not there"


def test_an_answer_is_seen_with_its_status() -> None:
    previous = Reply(503, (), Document(b'{"retry": true}'))
    assert asked("cel: status >= 500 && response.retry && body.n == 9", previous=previous)[0]
    assert asked("cel: has(response.retry)", previous=previous)[0]


def test_a_body_that_is_no_json_matters_only_to_who_names_it() -> None:
    assert asked("cel: headers['x-tier'] == 'gold'", b"\x00\xff") == (True, [])
    assert asked("cel: true", b"") == (True, [])
    assert asked("cel: body.n == 1", b"\x00\xff") == (False, ["body.n is not there"])
    previous = Reply(500, (), Document(b"oops"))
    assert asked("cel: status == 500", previous=previous) == (True, [])


@pytest.mark.parametrize(
    ("text", "body", "caller"),
    [
        ("cel: headers['a'] == 'b'", False, True),
        ("cel: model == 'a' || query.a == 'b' || client == '' || path == method", False, True),
        ("cel: body.a == 1", True, False),
        ("cel: has(body.a) && size(headers) > 1", True, True),
        ("cel: status == 200 && response.a == 1", False, False),
        ("cel: true", False, False),
        ("cel: [1].exists(x, x == 1)", False, False),
    ],
)
def test_what_it_needs_is_known_from_the_text(text: str, body: bool, caller: bool) -> None:
    condition = compile(text)
    assert (condition.reads_body, condition.needs_caller) == (body, caller)


def test_a_condition_on_headers_does_not_look_at_the_body() -> None:
    class Unread(Document):
        __slots__ = ()

        @property
        def parsed(self) -> bool:
            raise AssertionError("it was read")

    document = Unread(b"{}")
    request = Input(Payload(document, ()), caller=CALLER)
    assert compile("cel: headers['x-tier'] == 'gold'").holds(document, request, None)


def test_conditions_of_a_node_parse_a_body_once() -> None:
    class Counting(Document):
        __slots__ = ("times",)

        @property
        def value(self) -> Any:
            self.times = getattr(self, "times", 0) + 1
            return super().value

    document = Counting(json.dumps(BODY).encode())
    request = Input(Payload(document, ()), caller=CALLER)
    texts = [f"cel: body.n == {n} && body.instances.exists(i, i.x == {n})" for n in range(9)]
    conditions = compile_all([*texts, None, "cel: body.n == 9", "n"])
    held = [c is not None and c.holds(document, request, None) for c in conditions]
    assert held == [*(False,) * 10, True, True]
    assert document.times == 1


def test_what_was_found_out_belongs_to_one_answer() -> None:
    document = Document(b"{}")
    request = Input(Payload(document, ()))
    condition = compile("cel: response.a == 1")
    said = [
        condition.holds(document, request, Reply(200, (), Document(b'{"a": %d}' % a)))
        for a in (1, 2, 1)
    ]
    assert said == [True, False, True]


def test_a_compressed_body_is_opened() -> None:
    import gzip

    headers = ((b"content-encoding", b"gzip"),)
    document = document_of(gzip.compress(json.dumps(BODY).encode()), headers)
    assert compile("cel: body.n == 9")(document)
    assert not compile("cel: body.n == 9")(document_of(b"not gzip", headers))


@pytest.mark.parametrize(
    "expression", ["true", "1 == 1", "'a' in ['a']", "[1, 2].all(x, x > 0)", "!false || 1 > 2"]
)
def test_what_never_depends_on_anything_matches_always(expression: str) -> None:
    assert compile(f"cel:{expression}").always_matches_json


def test_what_can_never_match_has_a_warning() -> None:
    condition = compile("cel: 1 > 2")
    assert not condition.always_matches_json
    assert "never matches" in condition.warnings[0]


def test_a_header_that_is_spelt_as_a_variable_has_a_warning() -> None:
    assert "headers['x-tier']" in compile("cel: headers.x_tier == 'gold'").warnings[0]
    assert compile("cel: headers['x-tier'] == 'gold' && query.x_y == 'a'").warnings == ()


def test_the_library_loads_with_the_first_text_of_the_language() -> None:
    code = (
        "import sys, graph.conditions as c, graph, router.worker\n"
        "c.compile('a'); c.compile('jmespath:a')\n"
        "assert not {'cel_expr_python', 'graph.conditions.cel'} & {*sys.modules}\n"
        "c.compile('cel: true')\n"
        "assert 'cel_expr_python' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")


@settings(deadline=None)  # the first one loads the library
@given(NUMBERS, st.sampled_from(OPERATORS), NUMBERS)
def test_numbers_compare_as_numbers(left: float, operator: str, right: float) -> None:
    expected = eval(f"{left!r} {operator} {right!r}")  # noqa: S307 - numbers and an operator
    assert asked(f"cel: body.n {operator} {right!r}", {"n": left}) == (expected, [])


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(deadline=None)  # the first one loads the library
@given(TEXTS, st.sampled_from(OPERATORS), TEXTS)
def test_texts_compare_by_code_points(left: str, operator: str, right: str) -> None:
    expected = eval(f"left {operator} right", {"left": left, "right": right})  # noqa: S307
    quoted = "".join(f"\\U{ord(character):08x}" for character in right)
    assert asked(f"cel: body.n {operator} '{quoted}'", {"n": left}) == (expected, [])


JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("a", "b", "x-y", "é")), inner, max_size=4)
    ),
    max_leaves=12,
)
PATHS = ("body", "body.a", "body.a.b", "body['x-y']", "body.a[0]", "body[1].b", "body['é'].a")


def walked(value: Any, path: str) -> Iterator[Any]:
    """What is at a path, if anything."""
    import re

    for key in re.findall(r"\.(\w+)|\['([^']+)'\]|\[(\d+)\]", path):
        name, index = key[0] or key[1], key[2]
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return
            value = value[int(index)]
        elif not isinstance(value, dict) or name not in value:
            return
        else:
            value = value[name]
    yield value


@settings(deadline=None)  # the first one loads the library
@given(JSON, st.sampled_from(PATHS))
def test_a_path_finds_what_is_there(body: Any, path: str) -> None:
    found = list(walked(body, path))
    holds, why = asked(f"cel: {path} == {path}", body)
    assert holds == bool(found)
    assert bool(why) == (not found)
    if found and isinstance(found[0], str | list | dict):
        assert asked(f"cel: size({path}) == {len(found[0])}", body) == (True, [])
