"""Switch: every branch has a condition, and no branch hides behind an earlier one."""

from collections.abc import Iterator

from graph.checks.steps import compiled
from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem
from graph.wording import shown


def switch(node: NodeSubject) -> Iterator[Problem]:
    first: dict[str, int] = {}  # condition -> the step that has it first
    always: int | None = None
    for index, step in enumerate(node.steps):
        at = node.step_path(index, "condition")
        if not step.condition:
            message = "a step without a condition is never taken; `@this` matches every request"
            yield Code.NO_CONDITION.at(node.step_path(index), message)
            continue
        problems: list[Problem] = []
        condition = compiled(node, index, problems)
        yield from problems
        if always is not None:
            message = (
                f"never reached: {shown(node.steps[always].condition or '')} of step {always}"
                " matches every request; put that step last"
            )
            yield Code.BRANCH_NEVER_REACHED.at(at, message)
        elif first.setdefault(step.condition, index) != index:
            message = (
                f"never reached: step {first[step.condition]} has the same condition;"
                " change one of them"
            )
            yield Code.BRANCH_NEVER_REACHED.at(at, message)
        elif condition is not None and condition.always_matches_json:
            always = index
