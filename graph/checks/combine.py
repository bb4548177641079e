"""`combine`, `quorum` and `deadlineSeconds`: of an Ensemble, and such as its steps can meet."""

from collections.abc import Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem
from graph.spec import Combine, RouterType


def combine(node: NodeSubject) -> Iterator[Problem]:
    written = node.node
    if written.router_type is not RouterType.ENSEMBLE:
        given = {
            "combine": written.combine,
            "quorum": written.quorum,
            "deadlineSeconds": written.deadline_seconds,
        }
        for field, value in given.items():
            if value is not None:
                message = "only an Ensemble joins answers; remove it, or make the node an Ensemble"
                yield Code.COMBINE_IGNORED.at((*node.path, field), message)
        return
    yield from _quorum(node)
    if written.combine is Combine.WEIGHTED_MEAN:
        yield from _weights(node)


def _quorum(node: NodeSubject) -> Iterator[Problem]:
    quorum, at = node.node.quorum, (*node.path, "quorum")
    if quorum is None:
        return
    if node.node.combine is Combine.FIRST:
        message = "the first success is taken, so no more are waited for; remove it"
        yield Code.COMBINE_IGNORED.at(at, message)
    elif not 1 <= quorum <= len(node.steps):
        message = (
            f"{quorum} of {len(node.steps)} steps cannot succeed; make it 1 to {len(node.steps)}"
        )
        yield Code.BAD_QUORUM.at(at, message)


def _weights(node: NodeSubject) -> Iterator[Problem]:
    weights = [step.weight for step in node.steps]
    for index, weight in enumerate(weights):
        if weight is None:
            message = "each step needs a weight for a weighted mean; give it one"
            yield Code.COMBINE_WEIGHTS.at(node.step_path(index), message)
        elif weight < 0:
            message = f"{weight} is no weight of a mean; give it 0 or more"
            yield Code.COMBINE_WEIGHTS.at(node.step_path(index, "weight"), message)
    if weights and all(weight == 0 for weight in weights):
        message = "a mean needs a weight above 0; give one of the steps one"
        yield Code.COMBINE_WEIGHTS.at((*node.path, "combine"), message)
