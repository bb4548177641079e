"""`respond`: an answer that can be sent, and nothing beside it that nobody would do."""

from collections.abc import Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem

BODILESS = (204, 205, 304)


def respond(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        answer = step.respond
        if answer is None:
            continue
        if answer.status in BODILESS and answer.body is not None:
            message = f"an answer of {answer.status} has no body; remove it, or change the status"
            yield Code.BAD_RESPOND.at(node.step_path(index, "respond", "body"), message)
        if step.data:
            message = "the step answers at once, so nothing is fed to it; put this into its body"
            yield Code.DATA_IGNORED.at(node.step_path(index, "data"), message)
