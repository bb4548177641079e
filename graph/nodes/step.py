"""What all kinds of nodes share: how a step is fed and entered, and the shapes of their functions.

A step that has no more than a target is a `call` or a `descend`; one with a mapping, or that a
later mapping names, is entered.
"""

from collections.abc import Callable
from dataclasses import dataclass

from graph.chaining import JSON, as_request, predictions_to_instances
from graph.conditions import Condition
from graph.effects import (
    Answer,
    Call,
    Failure,
    Forward,
    Headers,
    Input,
    Payload,
    Reply,
    Taken,
    Walk,
)
from graph.mapping import Scope
from graph.plan import Extra, PlanNode, PlanStep

# The last argument says that the answer is the outcome as it is: nobody looks into it.
Descend = Callable[[PlanNode, Payload, Input, bool], Walk]
Run = Callable[[PlanNode, Payload, Input, Descend, bool], Walk]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a kind reads of its steps; the compiler fills in the rest."""

    conditions: tuple[Condition | None, ...]
    cumulative: tuple[int, ...] = ()
    reads_body: bool = False  # the node itself looks into its input
    # The steps of which one gets the node's input, once and unread, so that it may be a stream;
    # None if the input is looked into or goes to several.
    passes: tuple[int, ...] | None = None


def call(step: PlanStep, payload: Payload, request: Input, tail: bool) -> Call:
    """POST this payload to the step's target, or send it as the caller asked. The step must be a
    leaf; `tail` says that its answer is the outcome of the walk.
    """
    assert step.target is not None
    headers = payload.headers + request.propagated
    forward = None
    if step.forwards:
        headers, forward = _as_asked(payload, request)
    return Call(
        step.address,
        step.target,
        headers,
        payload.document.body,
        step.timeout_s,
        request.seed,
        forward,
        stream=tail,
        upload=payload.stream,
        form=payload.document.form,
        adapt=step.maps_predictions,
    )


def _as_asked(payload: Payload, request: Input) -> tuple[Headers, Forward]:
    """Of the caller: the request line, and what answers it accepts. Its credentials stay behind,
    as in every other call: they are for the graph.
    """
    caller = request.caller
    assert caller is not None  # the plan says that it needs one
    path = caller.path_bytes
    if caller.query_bytes:
        path += b"?" + caller.query_bytes
    some = payload.document.body or payload.stream is not None
    headers = (payload.headers if some else ()) + request.propagated
    if all(name != b"accept" for name, _ in request.propagated):
        headers += tuple([pair for pair in caller.headers if pair[0] == b"accept"])
    return headers, Forward(caller.method_bytes, path)


def chained(step: PlanStep, payload: Payload, previous: Reply | None) -> Payload:
    """What a step is fed of the node's input and the answer before it; `data` aside."""
    fed = payload
    if step.takes_response and previous is not None:
        fed = as_request(previous)
    return predictions_to_instances(fed) if step.maps_predictions else fed


def enter(
    step: PlanStep,
    extra: Extra,
    payload: Payload,
    previous: Reply | None,
    request: Input,
    descend: Descend,
    tail: bool,
) -> Walk:
    """Run a step that has more than a target. `payload` is the node's input."""
    fed: Payload | Failure
    if extra.data is None:
        fed = chained(step, payload, previous)
    else:
        fed = _mapped(step, extra, payload, previous, request)
        if isinstance(fed, Failure):
            return fed
    answer: Answer
    if step.node is not None:
        answer = yield from descend(step.node, fed, request, tail)
    elif step.target is not None:
        answer = yield call(step, fed, request, tail)
    else:
        answer = Reply(200, fed.headers, fed.document)  # no more than a mapping
        if request.trace is not None:
            request.trace.answered(step, answer)
    if extra.recorded:
        assert request.steps is not None
        request.steps[step.key] = _taken(fed, answer)
    return answer


def _mapped(
    step: PlanStep, extra: Extra, payload: Payload, previous: Reply | None, request: Input
) -> Payload | Failure:
    assert extra.data is not None
    made = extra.data.document(scope(payload, previous, request), step.address)
    if isinstance(made, Failure):
        return made
    fed = Payload(made, JSON)
    return predictions_to_instances(fed) if step.maps_predictions else fed


def scope(payload: Payload, previous: Reply | None, request: Input) -> Scope:
    """What mappings see."""
    return Scope(
        payload.document,
        None if previous is None else previous.document,
        request.steps,
        None if request.caller is None else request.caller.fields,
    )


def _taken(fed: Payload, answer: Answer) -> Taken:
    if isinstance(answer, Failure):
        return Taken(fed.document, None, None)
    return Taken(fed.document, answer.document, answer.status)
