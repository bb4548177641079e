"""Ensemble: what may become part of its answer, and how it is put together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Reply, error_body
from graph.packed import Packed
from router.upstream.script import reply
from tests.scripts import Fields, ensemble, plan, run_through, step

SCALARS = st.none() | st.booleans() | st.integers() | st.text()


def containers(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


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


NOT_JSON = '{"error":"Failed to process request","cause":"the answer is not JSON"}'
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


def test_a_binary_answer_that_is_cut_does_not_shift_the_others() -> None:
    cut = b'{"outputs":[{"name":"p","parameters":{"binary_data_size":8}},{"name":"q"}]}'
    good = cut.replace(b"8", b"2")
    answers = {
        "test/g/root/a": Reply(200, (), Packed(cut + b"1234", b"", b"%d" % len(cut))),
        "test/g/root/b": Reply(200, (), Packed(good + b"12", b"", b"%d" % len(good))),
    }
    steps = [step(name) for name in "ab"]
    outcome, _ = run_through(plan(ensemble(*steps)), b"{}", lambda call: answers[call.address])
    assert isinstance(outcome, Reply)
    error = error_body("the answer's tensors are longer or shorter than it says")
    json = b'{"a":' + error + b',"b":' + good + b"}"
    assert outcome.document.body == json + b"12"


def test_binary_tensors_stand_behind_the_object() -> None:
    def packed(name: str, tail: bytes) -> Reply:
        json = b'{"outputs":[{"name":"%b","parameters":{"binary_data_size":%d}}]}' % (
            name.encode(),
            len(tail),
        )
        return Reply(200, (), Packed(json + tail, b"", b"%d" % len(json)))

    answers = {
        "test/g/root/a": packed("p", b"\x01\x02"),
        "test/g/root/b": reply(b'{"outputs":[]}'),
        "test/g/root/c": packed("q", b"\xff"),
        "test/g/root/d": Reply(200, (), Packed(b"{}\x00", b"", b"99")),
    }
    steps = [step(name) for name in "abcd"]
    outcome, _ = run_through(plan(ensemble(*steps)), b"{}", lambda call: answers[call.address])
    assert isinstance(outcome, Reply)
    json = outcome.document.json
    assert outcome.headers == (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", b"%d" % len(json)),
    )
    assert outcome.document.body == json + b"\x01\x02\xff"
    assert json.startswith(b'{"a":{"outputs":[{"name":"p"')
    assert b'"b":{"outputs":[]},"c":' in json
    assert json.endswith(b'"cause":"the answer is not JSON"}}')
