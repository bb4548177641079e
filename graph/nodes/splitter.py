"""Splitter: one step, drawn by weight. The draw depends on the seed and this node alone."""

from graph.choose import choose, cumulate, point
from graph.effects import Answer, Decision, Failure, FailureKind, Input, Payload, Walk
from graph.nodes.enter import enter
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode
from graph.spec import Step

NO_ROUTE = "no route was selected by the splitter"


def lower(steps: tuple[Step, ...]) -> Lowered:
    cumulative = cumulate([step.weight or 0 for step in steps])
    return Lowered((None,) * len(steps), cumulative, passes=tuple(range(len(steps))))


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend, tail: bool) -> Walk:
    if node.cumulative[-1] <= 0:
        return Failure(FailureKind.NO_ROUTE, NO_ROUTE, node.address)
    at = point(request.seed, node.salt)
    step = node.steps[choose(node.cumulative, at)]
    request.decisions.append(Decision(node.address, step.key, "Splitter", point=at))
    if request.trace is not None:
        request.trace.drawn(node, step, at)
    if step.extra is not None:
        return (yield from enter(step, step.extra, payload, None, request, descend, tail))
    if step.node is None:
        answer: Answer = yield call(step, payload, request, tail)
        return answer
    return (yield from descend(step.node, payload, request, tail))
