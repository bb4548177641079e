"""Ensemble: each step has a key of its own in the merged answer."""

from collections.abc import Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem
from graph.wording import shown


def ensemble(node: NodeSubject) -> Iterator[Problem]:
    if node.node.combine is not None:
        return
    unnamed = {str(index): index for index, step in enumerate(node.steps) if not step.name}
    for index, step in enumerate(node.steps):
        if step.name and (other := unnamed.get(step.name)) is not None:
            message = (
                f"the answer of step {other}, which has no name, gets the key {shown(step.name)}"
                " too, and the later one wins; name that step"
            )
            yield Code.ENSEMBLE_KEY.at(node.step_path(index, "name"), message)
