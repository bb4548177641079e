"""Walks in the time of a script: order, limits, and the same each time."""

from hypothesis import given
from hypothesis import strategies as st

from graph.caller import Caller
from graph.compiler import compile
from graph.document import Document
from graph.effects import Call, Failure, FailureKind, Input, Payload, Reply
from graph.plan import Plan
from graph.spec import InferenceGraph
from router.dry_run import Script, Scripted, dry_run
from router.explained import route, told
from router.traced import Called
from router.upstream.script import JSON, reply
from tests.scripts import ensemble, graph, plan, sequence, step
from tests.strategies import ANSWERS, BODIES, Answered, flowing, graphs


def walked(of: Plan, script: Script) -> tuple[Reply | Failure, float, list[Called]]:
    request = Input(Payload(Document(b"{}"), JSON))
    outcome, took_s = dry_run(of, request, script)
    assert request.trace is not None
    return outcome, took_s, [event for event in request.trace.events if isinstance(event, Called)]


def after(**seconds: float) -> Script:
    """Each step's answer comes after so long, and names it."""

    def script(call: Call) -> Scripted:
        name = call.address.rpartition("/")[2]
        return Scripted(reply(b'{"of":"%b"}' % name.encode()), seconds[name])

    return script


def test_branches_of_an_ensemble_run_side_by_side() -> None:
    outcome, took_s, calls = walked(plan(ensemble(step("a"), step("b"))), after(a=0.3, b=0.1))
    assert isinstance(outcome, Reply)
    assert took_s == 0.3
    assert [(call.started_s, call.duration_s) for call in calls] == [(0, 0.3), (0, 0.1)]


def test_steps_of_a_sequence_run_one_after_another() -> None:
    _, took_s, calls = walked(plan(sequence(step("a"), step("b"))), after(a=0.5, b=0.25))
    assert took_s == 0.75
    assert [(call.started_s, call.duration_s) for call in calls] == [(0, 0.5), (0.5, 0.25)]


def test_a_call_that_nobody_needs_any_more_is_given_up() -> None:
    def script(call: Call) -> Scripted:
        if call.address.endswith("/a"):
            return Scripted(reply(status=500), 0.1)
        return Scripted(reply(), 9.0)

    of = plan(ensemble(step("a", dependency="Hard"), step("b")))
    outcome, took_s, (_, given_up) = walked(of, script)
    assert isinstance(outcome, Reply)
    assert (outcome.status, took_s) == (500, 0.1)
    assert given_up.cancelled
    assert given_up.duration_s == 0.1


def limited(**spec: object) -> Plan:
    made = graph(sequence(step("a"))).model_dump(by_alias=True)
    made["spec"].update(spec)
    return compile(InferenceGraph.model_validate(made))


def test_a_call_has_its_time_limit() -> None:
    of = limited(routerTimeouts={"serviceClient": 2})
    outcome, took_s, _ = walked(of, after(a=5.0))
    assert outcome == Failure(FailureKind.TIMEOUT, "no answer within 2 s", "test/g/root/a")
    assert took_s == 2


def test_a_request_has_its_time_limit() -> None:
    outcome, took_s, (call,) = walked(limited(timeout=3), after(a=5.0))
    assert outcome == Failure(FailureKind.DEADLINE, "no answer within 3 s")
    assert (took_s, call.cancelled) == (3, True)


@given(
    graphs() | flowing(),
    BODIES,
    st.lists(ANSWERS, min_size=1, max_size=5),
    st.integers(0, 2**64 - 1),
)
def test_the_same_each_time(
    manifest: InferenceGraph, body: bytes, answers: list[Answered], seed: int
) -> None:
    of = compile(manifest)

    def once() -> object:
        left = list(answers)

        def script(call: Call) -> Scripted:
            answered = left.pop(0) if len(left) > 1 else left[0]
            return Scripted(answered.answer(call.address), len(left) / 10)

        request = Input(Payload(Document(body), JSON), (), seed, caller=Caller())
        outcome, took_s = dry_run(of, request, script)
        assert request.trace is not None
        events = request.trace.events
        said = outcome.cause if isinstance(outcome, Failure) else outcome.document.body
        line = route(events, took_s)
        assert line.isascii()
        assert line.isprintable()
        return said, took_s, list(told(events)), line

    assert once() == once()
