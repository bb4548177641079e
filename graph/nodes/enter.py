"""Steps that have more than a target: a mapping, an answer of their own, a record for later steps.

Most steps have none of it, and are called without coming here.
"""

from graph.chaining import JSON, predictions_to_instances
from graph.document import Document
from graph.effects import Answer, Decision, Failure, Input, Payload, Reply, Taken, Walk
from graph.mapping import Mapping, Scope
from graph.nodes.step import Descend, call, chained
from graph.plan import Answering, Extra, PlanStep


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
    fed = payload  # of which a step that answers by itself makes nothing
    if extra.data is not None:
        mapped = _mapped(step, extra.data, payload, previous, request)
        if isinstance(mapped, Failure):
            return mapped
        fed = mapped
    elif extra.respond is None:
        fed = chained(step, payload, previous)
    answer: Answer
    if extra.respond is not None:
        answer = _answered(step, extra.respond, payload, previous, request)
    elif step.node is not None:
        answer = yield from descend(step.node, fed, request, tail)
    elif step.target is not None:
        answer = yield call(step, fed, request, tail)
    else:
        answer = Reply(200, fed.headers, fed.document)  # no more than a mapping
    asks = step.node is not None or step.target is not None
    if request.trace is not None and not asks and isinstance(answer, Reply):
        request.trace.answered(step, answer)
    if extra.recorded:
        assert request.steps is not None
        request.steps[step.key] = _taken(fed, answer)
    return answer


def _answered(
    step: PlanStep, respond: Answering, payload: Payload, previous: Reply | None, request: Input
) -> Answer:
    node = step.address.rsplit("/", 1)[0]
    request.decisions.append(Decision(node, step.key, "Respond"))
    if isinstance(respond.body, Document):
        return Reply(respond.status, respond.headers, respond.body)
    made = respond.body.document(_scope(payload, previous, request), step.address, "respond.body")
    return made if isinstance(made, Failure) else Reply(respond.status, respond.headers, made)


def _mapped(
    step: PlanStep, data: Mapping, payload: Payload, previous: Reply | None, request: Input
) -> Payload | Failure:
    made = data.document(_scope(payload, previous, request), step.address)
    if isinstance(made, Failure):
        return made
    fed = Payload(made, JSON)
    return predictions_to_instances(fed) if step.maps_predictions else fed


def _scope(payload: Payload, previous: Reply | None, request: Input) -> Scope:
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
