"""Sequence: steps one after another, each fed the node's own input or the answer before it.

Rules (KServe's router, with the departures of docs/kserve-differences.md):
- `data: $response` feeds the previous answer, whatever its status; `jmespath:` what it makes of
  that and others; anything else feeds the node's input.
- A condition is tested on the previous answer (on the request, for the first step). Unmet, it ends
  the Sequence with the previous answer and its own status; with nothing run before it, that is a
  404.
- A Hard step that answers other than 2xx ends the Sequence with that answer; a Soft one's answer is
  carried on.
- No answer at all (transport) ends the Sequence, for Soft steps too: Soft forgives an answer, not a
  missing one.
"""

from graph.conditions import Condition, compile_all
from graph.effects import Answer, Failure, FailureKind, Input, Payload, Reply, Walk
from graph.nodes.enter import enter
from graph.nodes.step import Descend, Lowered, call, chained
from graph.plan import PlanNode, PlanStep
from graph.spec import Step

RESPONSE = "$response"
INVALID = "invalid response"
UNMET = "the condition of the first step was not met"


def lower(steps: tuple[Step, ...]) -> Lowered:
    conditions = compile_all([step.condition for step in steps], answered=True)
    fed_the_request = [step for step in steps if step is steps[0] or step.data != RESPONSE]
    reads = any(step.map_predictions_to_instances for step in fed_the_request) or any(
        # a later one of another language looks at the answer before it
        condition.reads_body and (index == 0 or condition.language == "cel")
        for index, condition in enumerate(conditions)
        if condition is not None
    )
    once = not reads and len(fed_the_request) == 1
    return Lowered(conditions, reads_body=reads, passes=(0,) if once else None)


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend, tail: bool) -> Walk:
    previous: Reply | None = None
    last = node.steps[-1]
    for step in node.steps:
        if step.condition is not None:
            ended = _unmet(node, step, payload, request, previous)
            if ended is not None:
                return ended
        answer: Answer
        if step.extra is not None:
            answer = yield from enter(
                step, step.extra, payload, previous, request, descend, tail and step is last
            )
        else:
            fed = payload
            if previous is not None or step.maps_predictions:
                fed = chained(step, payload, previous)
            if step.node is None:
                answer = yield call(step, fed, request, tail and step is last)
            else:
                answer = yield from descend(step.node, fed, request, tail and step is last)
        if isinstance(answer, Failure) or (step.hard and not answer.ok):
            return answer
        previous = answer
    assert previous is not None  # the compiler refuses a node without steps
    return previous


def _unmet(
    node: PlanNode, step: PlanStep, payload: Payload, request: Input, previous: Reply | None
) -> Reply | Failure | None:
    """How the Sequence ends here because of this step's condition; None if it goes on."""
    assert step.condition is not None
    if previous is None:
        if node.compat:
            return Failure(FailureKind.INVALID_ANSWER, INVALID, step.address)
        if _holds(step, step.condition, payload, request, None):
            return None
        return Failure(FailureKind.NO_MATCH, UNMET, step.address)
    if step.condition.language != "cel" and not previous.document.valid:
        return Failure(FailureKind.INVALID_ANSWER, INVALID, step.address)
    if _holds(step, step.condition, payload, request, previous):
        return None
    return Reply(200, previous.headers, previous.document) if node.compat else previous


def _holds(
    step: PlanStep,
    condition: Condition,
    payload: Payload,
    request: Input,
    previous: Reply | None,
) -> bool:
    matched = condition.holds(payload.document, request, previous)
    if request.trace is not None:
        request.trace.tested(step, condition, matched, payload.document, request, previous)
    return matched
