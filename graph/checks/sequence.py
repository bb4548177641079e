"""Sequence: what its steps are fed, and on which conditions they run."""

from collections.abc import Iterator

from graph.checks.steps import REQUEST, RESPONSE, compiled, is_mapping
from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.mapping import PREFIX
from graph.problems import Problem
from graph.wording import shown


def sequence(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        problems: list[Problem] = []
        compiled(node, index, problems, answered=index > 0)
        yield from problems
        if step.data == RESPONSE and index == 0:
            message = "there is no answer before the first step, so it gets the request; remove it"
            yield Code.FIRST_RESPONSE.at(node.step_path(index, "data"), message)
        elif step.data and step.data not in (REQUEST, RESPONSE) and not is_mapping(step.data):
            message = (
                f"{shown(step.data)} is read as `{REQUEST}`, the node's input; write that,"
                f" `{RESPONSE}` for the whole answer of the step before, or an expression behind"
                f" `{PREFIX}`"
            )
            yield Code.UNKNOWN_DATA.at(node.step_path(index, "data"), message)
