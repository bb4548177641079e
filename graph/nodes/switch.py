"""Switch: the first step, in order, whose condition matches the request.

Without a match the request ends with 404 and KServe's words, wherever the Switch stands; there is
no default branch (`@this` as the last condition makes one). `dependency` changes nothing here: the
answer passes either way.
"""

from graph.conditions import compile_all
from graph.effects import Answer, Decision, Failure, FailureKind, Input, Payload, Walk
from graph.nodes.enter import enter
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode
from graph.spec import Step

NO_MATCH = "None of the routes matched with the switch condition"


def lower(steps: tuple[Step, ...]) -> Lowered:
    conditions = compile_all([step.condition for step in steps])
    reads = any(condition is not None and condition.reads_body for condition in conditions)
    return Lowered(conditions, reads_body=reads, passes=None if reads else tuple(range(len(steps))))


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend, tail: bool) -> Walk:
    document, trace = payload.document, request.trace
    for step in node.steps:
        condition = step.condition
        if condition is None:
            continue
        matched = condition.holds(document, request, None)
        if trace is not None:
            trace.tested(step, condition, matched, document, request, None)
        if not matched:
            continue
        request.decisions.append(
            Decision(node.address, step.key, "Switch", condition=condition.text)
        )
        if step.extra is not None:
            return (yield from enter(step, step.extra, payload, None, request, descend, tail))
        if step.node is None:
            answer: Answer = yield call(step, payload, request, tail)
            return answer
        return (yield from descend(step.node, payload, request, tail))
    return Failure(FailureKind.NO_MATCH, NO_MATCH, node.address)
