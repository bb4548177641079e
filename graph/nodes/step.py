"""What all kinds of nodes share: how a step is fed and called, the shapes of functions."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.chaining import as_request, predictions_to_instances
from graph.conditions import Condition
from graph.effects import Call, Forward, Headers, Input, Payload, Reply, Walk
from graph.plan import PlanNode, PlanStep

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
    if step.headers is not None:
        headers = step.headers(headers, request.caller)
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
