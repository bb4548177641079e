"""What a walk tells when somebody asked why."""

from hypothesis import given
from hypothesis import strategies as st

from graph.caller import Caller
from graph.compiler import compile
from graph.document import Document
from graph.effects import Answer, Call, Failure, Input, Payload
from graph.plan import Plan
from graph.spec import InferenceGraph
from graph.trace import UNTOLD, Answered, Checked, Drawn, Partial, Trace
from graph.walk import walk
from router.execute import Run
from router.upstream.script import JSON, ScriptedUpstream, reply
from tests import strategies
from tests.scripts import ensemble, plan, sequence, splitter, step, still, switch
from tests.strategies import ANSWERS, BODIES, flowing, graphs


def told(of: Plan, body: bytes, *, trace: Trace | None) -> tuple[list[object], list[str]]:
    upstream = ScriptedUpstream(lambda _: reply(b'{"predictions":[]}'))
    request = Input(Payload(Document(body), JSON), trace=trace)
    Run(walk(of, request), upstream, lambda _: None).advance()
    upstream.answer_all()
    events = [] if trace is None else trace.events
    return events, [call.call.address for call in upstream.calls]


def test_a_switch_tells_each_condition_up_to_the_first_that_matches() -> None:
    of = plan(
        switch(
            step("a", condition="y"),
            step("none"),
            step("b", condition="x"),
            step("c", condition="@this"),
        )
    )
    events, calls = told(of, b'{"x":1}', trace=Trace())
    assert events == [
        Checked("test/g/root/a", "y", False, "the body has no `y`, only `x`"),
        Checked("test/g/root/b", "x", True, ""),
    ]
    assert calls == ["test/g/root/b"]


def test_a_sequence_tells_its_conditions() -> None:
    of = plan(sequence(step("a", condition="x"), step("b", condition="predictions.0")))
    events, calls = told(of, b'{"x":1}', trace=Trace())
    assert events == [
        Checked("test/g/root/a", "x", True, ""),
        Checked("test/g/root/b", "predictions.0", False, "`predictions` has 0 elements"),
    ]
    assert calls == ["test/g/root/a"]


def test_a_splitter_tells_its_draw_among_all_weights() -> None:
    of = plan(splitter(step("a", weight=90), step("b", weight=0), step("c", weight=10)))
    (drawn,), calls = told(of, b"{}", trace=Trace())
    assert isinstance(drawn, Drawn)
    assert (drawn.address, drawn.weights) == ("test/g/root", (("a", 90), ("b", 0), ("c", 10)))
    assert 0 <= drawn.point < 1
    assert calls == [f"test/g/root/{drawn.step}"]


@given(
    graphs() | flowing(),
    BODIES,
    st.lists(ANSWERS, min_size=1, max_size=4),
    st.integers(0, 2**64 - 1),
)
def test_a_walk_is_the_same_with_a_trace(
    manifest: InferenceGraph, body: bytes, answers: list[strategies.Answered], seed: int
) -> None:
    of = compile(manifest)

    def walked(trace: Trace | None) -> tuple[object, list[object]]:
        left = list(answers)

        def script(call: Call) -> Answer:
            return (left.pop(0) if len(left) > 1 else left[0]).answer(call.address)

        upstream, outcomes = ScriptedUpstream(script), list[Answer]()
        request = Input(Payload(Document(body), JSON), (), seed, caller=Caller(), trace=trace)
        Run(walk(of, request), upstream, outcomes.append, still).advance()
        upstream.answer_all()
        (outcome,) = outcomes
        said = outcome.cause if isinstance(outcome, Failure) else outcome.document.body
        return said, [(call.call.address, call.call.body, call.state) for call in upstream.calls]

    assert walked(Trace()) == walked(None)


def test_reasons_are_found_as_long_as_there_is_room() -> None:
    of = plan(
        switch(*(step(name, condition=name) for name in "abc"), step("on", condition="@this"))
    )
    events, _ = told(of, b'{"x":1}', trace=Trace(room=14))
    whys = [event.why for event in events if isinstance(event, Checked)]
    assert whys[2:] == [UNTOLD, ""]
    assert not {"", UNTOLD} & set(whys[:2])


def test_steps_that_ask_nobody_tell_their_answers() -> None:
    guard = {"name": "guard", "respond": {"status": 413}, "condition": "big"}
    shape = {"name": "shape", "data": "jmespath: {instances: request.rows}"}
    of = plan(switch(guard, step("on", condition="@this", node="next")), next=sequence(shape))
    events, calls = told(of, b'{"big":1}', trace=Trace())
    assert [event.answer.status for event in events if isinstance(event, Answered)] == [413]
    events, _ = told(of, b'{"rows":[1]}', trace=Trace())
    (made,) = [event for event in events if isinstance(event, Answered)]
    assert (made.address, made.answer.document.body) == ("test/g/next/shape", b'{"instances":[1]}')
    assert calls == []


def test_an_ensemble_tells_whose_answers_it_is_without() -> None:
    of = plan({**ensemble(step("a"), step("b"), step("c")), "quorum": 2})
    events, _ = told(of, b"{}", trace=Trace())
    assert events == [Partial("test/g/root", ("c",))]
