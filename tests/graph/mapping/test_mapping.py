"""`data: "jmespath: ..."`: what expressions build, what they may name, and that nothing raises."""

import json
from collections.abc import Callable
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.document import Document
from graph.effects import Failure, FailureKind, Taken
from graph.mapping import Scope, compile_mapping
from graph.tensors.convert import Protocol, encode
from graph.tensors.model import Inference, Side, Tensor

REQUEST = (
    b'{"ids":[12345678901234567890123,1.10],"s":"a","none":null,"o":{"x":[],"y":{}},"u":"\\u00e9"}'
)
ANSWER = b'{"predictions": [ 1.0, 2e3 ],"predictions ":0}'


def scope(request: bytes = REQUEST, response: bytes | None = ANSWER) -> Scope:
    return Scope(
        Document(request),
        None if response is None else Document(response),
        {
            "a": Taken(Document(b"[1]"), Document(b"<html>"), 502),
            "b": Taken(Document(b'{"q":1}'), Document(b'{"z":[0.10]}'), 200),
            "c": Taken(Document(b"1"), None, None),
        },
        {"x-tier": "gold", "accept": "é"},
    )


def built(expression: str, **given: Any) -> str:
    made = compile_mapping(f"jmespath:{expression}").document(scope(**given), "ns/g/root/s")
    assert isinstance(made, Document), made
    return made.body.decode()


def reason(expression: str, **given: Any) -> str:
    made = compile_mapping(f"jmespath:{expression}").document(scope(**given), "ns/g/root/s")
    assert isinstance(made, Failure)
    assert made.kind is FailureKind.MAPPING
    assert made.address == "ns/g/root/s"
    start, end = "data of step root/s: ", f", in `jmespath:{expression}`"
    assert made.cause.startswith(start)
    assert made.cause.endswith(end)
    return made.cause.removeprefix(start).removesuffix(end)


BUILT = {
    "all of the request, byte for byte": ("request", REQUEST.decode()),
    "the answer before": ("response.predictions", "[ 1.0, 2e3 ]"),
    "numbers that no float holds": ("request.ids", "[12345678901234567890123,1.10]"),
    "an element": ("request.ids[-1]", "1.10"),
    "escapes as they were": ("request.u", r'"\u00e9"'),
    "an object, in the order of its text": (
        "{z: response.predictions[1], a: request.s}",
        '{"z":2e3,"a":"a"}',
    ),
    "an object from within a body": ("response.{in: predictions}", '{"in":[ 1.0, 2e3 ]}'),
    "a list": ("[request.s, request.nothing, `1`, 'x']", '["a",null,1,"x"]'),
    "a list from within a body": ("request.[s, none]", '["a",null]'),
    "picked and computed members": (
        "{ids: request.ids, n: length(request.ids)}",
        '{"ids":[12345678901234567890123,1.10],"n":2}',
    ),
    "integers are exact when computed": ("request.ids[*]", "[12345678901234567890123,1.1]"),
    "a pipe": ("request | o | x", "[]"),
    "a request of an earlier step": ("steps.b.request.q", "1"),
    "an answer of an earlier step": ("{x: steps.b.response}", '{"x":{"z":[0.10]}}'),
    "members of an earlier step": ("steps.b.{c: status, q: request.q}", '{"c":200,"q":1}'),
    "a status": ("[steps.a.status]", "[502]"),
    "a step that failed, within more": ("[steps.c.response, steps.c.status]", "[null,null]"),
    "a step that has not run": ("[steps.d.response, steps.d.status]", "[null,null]"),
    "the same, computed": ("{n: not_null(steps.d.response, request.s)}", '{"n":"a"}'),
    "an earlier step, computed": ("keys(steps.b.response)", '["z"]'),
    "the first that is something": ("request.none || request.o.x || request.s", '"a"'),
    "the first, with white space in an empty one": ("request.w || request.s", '"a"'),
    "a header": ('headers."x-tier"', '"gold"'),
    "a header has no members": ('[headers."x-tier".x]', "[null]"),
    "all headers": ("sort(keys(headers))", '["accept","x-tier"]'),
    "no such header": ("[headers.nothing]", "[null]"),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), BUILT.values(), ids=BUILT)
def test_a_mapping_builds(expression: str, expected: str) -> None:
    request = (
        REQUEST.replace(b'"none"', b'"w":[ ],"none"') if "request.w" in expression else REQUEST
    )
    assert built(expression, request=request) == expected


FAILING = {
    "the result is null, and a body is needed": ("request.nothing", {}),
    "the request is not JSON": ("request.x", {"request": b"x="}),
    "the answer before is not JSON": ("{x: response}", {"response": b""}),
    "the answer of step a is not JSON": ("steps.a.response || request", {}),
    "the result cannot be written as JSON": ("to_number('1e999')", {}),
    "In function sum(), invalid type for value: a, expected one of: ['array-number'], "
    'received: "string"': ("sum(request.s)", {}),
}


@pytest.mark.parametrize("why", FAILING)
def test_a_mapping_fails_with_its_step_and_expression(why: str) -> None:
    expression, given = FAILING[why]
    assert reason(expression, **given) == why


def test_what_is_computed_says_what_is_not_json() -> None:
    assert reason("length(steps.a.response)") == "the answer of step a is not JSON"
    assert reason("length(request)", request=b"{") == "the request is not JSON"


def test_a_mapping_ends_after_so_many_steps_all_its_parts_together() -> None:
    long = b"[" + b"1," * 60_000 + b"1]"
    assert built("length(request[*].x)", request=long) == "0"
    assert reason("[length(request[*].x), length(request[*].[a][])]", request=long) == (
        "it takes more than 200000 steps for a body of this size"
    )


def test_a_mapping_shows_its_text() -> None:
    assert repr(compile_mapping("jmespath:request")) == "<mapping 'jmespath:request'>"


def test_no_answer_before_is_null() -> None:
    assert built("[response, response.x]", response=None) == "[null,null]"


def test_bodies_that_no_parser_takes_whole() -> None:
    deep = b'{"x":' + b"[" * 3000 + b"]" * 3000 + b',"y":1}'
    assert built("request", request=deep) == deep.decode()
    assert reason("length(request)", request=deep) == "the request is nested too deeply"
    surrogate = rb'{"x":"\ud83d","y":2}'
    assert built("request.y", request=surrogate) == "2"
    assert built("request.x", request=surrogate) == r'"\ud83d"'
    key = rb'{"\ud83d":1,"y":[2]}'
    assert built("[request.y[0], request.y[1], request.y.z]", request=key) == "[2,null,null]"


REFUSED = {
    "@": "`@` would be all that there is",
    "{x: @}": "`@` would be all that there is",
    "instances": "nothing is called `instances` here; there are request, response, steps, headers,",
    "reqest.x": "did you mean `request`?",
    "*.x": "`@` would be all",
    "steps": "`steps` alone",
    "values(steps)": "`steps` alone",
    "steps.a": "a step is not a body",
    "steps.a.predictions": "write .response.predictions",
    "steps[0]": "has no index",
    "request.[": "ends too early",
    "nope(request)": "no function nope()",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_a_mapping_that_cannot_be_meant_is_refused(expression: str) -> None:
    with pytest.raises(ValueError) as refused:
        compile_mapping(f"jmespath:{expression}")
    assert REFUSED[expression] in str(refused.value)


def test_names_are_found_in_every_corner() -> None:
    mapping = compile_mapping(
        "jmespath: {a: request.x[?y > `1`].z, b: map(&q, steps.one.response), c: [headers.h]}"
    )
    assert mapping.names.roots == {"request", "steps", "headers"}
    assert mapping.names.steps == {"one"}
    assert mapping.names.headers == {"h"}
    assert not mapping.warnings
    (warning,) = compile_mapping("jmespath:headers.Host").warnings
    assert 'headers."host"' in warning


# any expression, any bodies

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=12,
)
_BEHIND = st.sampled_from([".a", ".b", "[0]", "[-2]", ".{x: a, y: b}", ".[a, b]"])
_PATHS = st.recursive(
    st.sampled_from(["request", "request.a", "response", "response.b[0]", "request.a.b[-1]"]),
    lambda inner: st.one_of(
        st.tuples(inner, _BEHIND).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"{{p: {pair[0]}, q: {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} || {pair[1]})"),
        st.tuples(inner, st.sampled_from(["a", "[a, b]", "b[0]", "`1`"])).map(" | ".join),
        inner.map(lambda one: f"not_null({one}, `[1]`)"),
        inner.map(lambda one: f"{one}[*].a"),
    ),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_PATHS, _VALUES, _VALUES)
def test_bytes_and_values_give_the_same(expression: str, request: Any, response: Any) -> None:
    try:
        expected = jmespath.search(expression, {"request": request, "response": response})
    except jmespath.exceptions.ParseError:
        return
    sent, answered = json.dumps(request).encode(), json.dumps(response).encode()
    made = compile_mapping(f"jmespath:{expression}").document(
        Scope(Document(sent), Document(answered)), "ns/g/root/s"
    )
    if expected is None:
        assert isinstance(made, Failure)
    else:
        assert isinstance(made, Document)
        assert json.loads(made.body) == expected


@settings(max_examples=300, deadline=None)
@given(_PATHS, st.binary(max_size=20) | st.sampled_from([b"", b"{}", b"[" * 5000, b'"\\ud800"']))
def test_no_body_raises(expression: str, body: bytes) -> None:
    try:
        mapping = compile_mapping(f"jmespath:{expression}")
    except ValueError:
        return
    made = mapping.document(Scope(Document(body), Document(body)), "ns/g/root/s")
    assert isinstance(made, Failure) or made.valid


TENSORS = Inference([Tensor("x", "UINT8", (2,), {}, b"\x01\x02")], id="7")


@pytest.mark.parametrize(
    ("protocol", "in_binary"),
    [
        pytest.param(Protocol.V2, lambda name: True, id="binary tensors"),
        pytest.param(Protocol.GRPC, None, id="gRPC"),
    ],
)
def test_tensors_are_seen_with_their_data(
    protocol: Protocol, in_binary: Callable[[str], bool] | None
) -> None:
    pytest.importorskip("google.protobuf", reason="the extra grpc is not installed")
    request, _ = encode(TENSORS, protocol, Side.REQUEST, in_binary)
    answer, _ = encode(TENSORS, protocol, Side.ANSWER, in_binary)
    steps = {"a": Taken(request, answer, 200), "c": Taken(request, None, None)}
    for expression, body in (
        ("{instances: request.inputs[0].data}", '{"instances":[1,2]}'),
        ("request.inputs[?name=='x'].data | [0]", "[1,2]"),
        ("{y: response.outputs[0].data, id: steps.a.request.id}", '{"y":[1,2],"id":"7"}'),
        ("steps.a.response.outputs[*].shape", "[[2]]"),
        ("{none: steps.c.response}", '{"none":null}'),
    ):
        seen = Scope(request, answer, steps)
        made = compile_mapping(f"jmespath:{expression}").document(seen, "ns/g/root/s")
        assert isinstance(made, Document), made
        assert made.body.decode() == body
