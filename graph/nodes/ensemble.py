"""Ensemble: all steps at once on the node's input, answers merged into one JSON object by step.

A Hard step without a 2xx answer decides the outcome and cancels the rest; among several the first
in order does, however the race went. Soft steps always leave something under their key: their JSON
answer, whatever its status, or the error that stands for it. With `combine`, `quorum` or
`deadlineSeconds` answers are joined otherwise: see `joined`.
"""

from msgspec.structs import replace

from graph.effects import All, Answer, Call, Input, Payload, Taken, Walk
from graph.nodes.enter import enter
from graph.nodes.joined import Enough, joined
from graph.nodes.keyed import keyed
from graph.nodes.settled import Settled, first_end
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode
from graph.spec import Step


def lower(steps: tuple[Step, ...]) -> Lowered:
    return Lowered((None,) * len(steps))


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend, tail: bool) -> Walk:
    recorded = request.steps
    inputs = () if recorded is None else [_apart(request, recorded) for _ in node.steps]
    branches: list[Call | Walk] = [
        enter(step, step.extra, payload, None, inputs[index] if inputs else request, descend, False)
        if step.extra is not None
        else call(step, payload, request, False)
        if step.node is None
        else descend(step.node, payload, inputs[index] if inputs else request, False)
        for index, step in enumerate(node.steps)
    ]
    joining = node.joining
    effect = (
        All(branches, Settled(node))
        if joining is None
        else All(branches, Enough(node, joining), joining.deadline_s)
    )
    answers: list[Answer | None] = yield effect
    if recorded is not None:
        for given, answer in zip(inputs, answers, strict=True):
            if answer is not None and given.steps is not None:
                recorded.update(given.steps)
    if joining is None:
        return first_end(node, answers) or keyed(node, answers)
    end, left_out = joined(node, joining, answers, request)
    return end or keyed(node, answers, left_out)


def _apart(request: Input, recorded: dict[str, Taken]) -> Input:
    """Each branch has a record of its own, so that none sees what happens to be done in another."""
    return replace(request, steps=dict(recorded))
