"""`graphway explain request` of any graph: what it tells, JSON and a terminal can hold."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cli.explain_request.answers import Answers, nodes
from cli.explain_request.text import lines
from cli.explain_request.walk import Walker
from graph.compiler import compile
from graph.packed import document_of
from graph.spec import InferenceGraph
from router.dry_run import Scripted
from router.messages import Head, Request
from router.propagate import Propagate
from tests.strategies import ANSWERS, BODIES, Answered, graphs

HEADERS = st.sampled_from(
    [(), ((b"cookie", b"s=1"),), ((b"x-a", b"\xff\x1b[31m"),), ((b"content-encoding", b"gzip"),)]
)


@given(graphs(), BODIES | st.binary(max_size=20), HEADERS, st.lists(ANSWERS, max_size=4), st.data())
def test_any_walk_is_told(
    graph: InferenceGraph,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    answers: list[Answered],
    data: st.DataObject,
) -> None:
    plan = compile(graph)
    steps = [step for node in nodes(plan) for step in node.steps if step.target is not None]
    given_to = {
        step.address: [
            Scripted(one.answer(step.address), data.draw(st.sampled_from([0.0, 1.5, 100.0])))
            for one in answers
        ]
        for step in steps
        if data.draw(st.booleans())
    }
    request = Request(Head(b"POST", b"/", b"", headers), document_of(body, headers))
    record = Walker(Answers(given_to), {}, {}, Propagate(())).record(plan, request, seed=7)
    assert json.loads(json.dumps(record)) == record
    kinds = {node.address: node.kind.value for node in nodes(plan)}
    for line in lines(record, kinds):
        assert all(words.printable.isprintable() for words in line)
    called = {event["step"] for event in record["events"] if event["event"] == "call"}
    assert called <= {step.address for step in steps}
    assert 200 <= record["outcome"]["status"] <= 599
