"""Splitter: a weight for each step, none negative, 100 together."""

from collections.abc import Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem

TOTAL = 100


def splitter(node: NodeSubject) -> Iterator[Problem]:
    weights = [step.weight for step in node.steps]
    for index, weight in enumerate(weights):
        if weight is None:
            message = "a step of a Splitter needs its share of the requests; give it a weight"
            yield Code.MISSING_WEIGHT.at(node.step_path(index), message)
        elif weight < 0:
            message = f"{weight} is no share of the requests; give it 0 or more"
            yield Code.NEGATIVE_WEIGHT.at(node.step_path(index, "weight"), message)
    given = [weight for weight in weights if weight is not None]
    if len(given) == len(weights) and sum(given) != TOTAL and weights:
        message = f"the weights make {sum(given)} together; make them {TOTAL}"
        yield Code.WEIGHT_SUM.at(node.path, message)
