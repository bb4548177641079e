"""walk(plan, input): the whole graph as one generator of effects."""

from graph.effects import Input, Payload, Walk
from graph.kinds import KINDS
from graph.plan import Plan, PlanNode

_run = {kind: entry.run for kind, entry in KINDS.items()}


def walk(plan: Plan, request: Input, tail: bool = True) -> Walk:
    """Yields `Call` and `All`, is resumed with their answers, returns `Reply | Failure`. With
    `tail` nobody looks into the outcome, so that it may be a stream.

    Decisions taken on the way are appended to `request.decisions`.
    """
    if plan.records:
        request.steps = {}
    root = plan.root
    return _run[root.kind](root, request.payload, request, descend, tail)


def descend(node: PlanNode, payload: Payload, request: Input, tail: bool) -> Walk:
    return _run[node.kind](node, payload, request, descend, tail)
