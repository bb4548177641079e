"""Ensemble: what may become part of its answer, and how it is put together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.effects import Reply
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
