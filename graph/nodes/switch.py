"""Switch: the first step, in order, whose condition matches the request.

Without a match the request ends with 404 and KServe's words, wherever the Switch stands; there is
no default branch (`@this` as the last condition makes one). `dependency` changes nothing here: the
answer passes either way.
"""

from graph.conditions import compile as compile_condition
from graph.effects import Answer, Decision, Failure, FailureKind, Input, Payload, Walk
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode
from graph.spec import Step

NO_MATCH = "None of the routes matched with the switch condition"


def lower(steps: tuple[Step, ...]) -> Lowered:
    return Lowered(
        tuple(compile_condition(step.condition) if step.condition else None for step in steps),
        reads_body=True,
    )


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend) -> Walk:
    document = payload.document
    for step in node.steps:
        condition = step.condition
        if condition is None or not condition.matches(document):
            continue
        request.decisions.append(
            Decision(node.address, step.key, "Switch", condition=condition.text)
        )
        if step.node is None:
            answer: Answer = yield call(step, payload, request)
            return answer
        return (yield from descend(step.node, payload, request))
    return Failure(FailureKind.NO_MATCH, NO_MATCH, node.address)
