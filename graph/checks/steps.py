"""What kinds of nodes share: steps at all, conditions that compile, fields that a kind ignores."""

from collections.abc import Callable, Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.conditions import Condition
from graph.mapping import PREFIX
from graph.problems import Problem
from graph.spec import Combine, RouterType, Step
from graph.wording import shown

REQUEST, RESPONSE = "$request", "$response"
_Field = tuple[Code, str, Callable[[Step], bool], str]
_WEIGHT: _Field = (
    Code.WEIGHT_IGNORED,
    "weight",
    lambda step: step.weight is not None,
    "only a Splitter and `combine: weightedMean` use weights; remove it",
)
_CONDITION: _Field = (
    Code.CONDITION_IGNORED,
    "condition",
    lambda step: bool(step.condition),
    "only a Switch and a Sequence test conditions; remove it, or put a Switch before the step",
)
_DATA: _Field = (
    Code.DATA_IGNORED,
    "data",
    lambda step: bool(step.data) and step.data != REQUEST and not is_mapping(step.data),
    "only a Sequence passes answers on, this step gets the node's input; remove it",
)
_MAPPING: _Field = (
    Code.MAPPING_IGNORED,
    "mapPredictionsToInstances",
    lambda step: bool(step.map_predictions_to_instances),
    "only a Sequence maps predictions to instances; remove it",
)
_IGNORED: dict[RouterType, tuple[_Field, ...]] = {
    RouterType.SEQUENCE: (_WEIGHT,),
    RouterType.SWITCH: (_WEIGHT, _DATA, _MAPPING),
    RouterType.ENSEMBLE: (_WEIGHT, _CONDITION, _DATA, _MAPPING),
    RouterType.SPLITTER: (_CONDITION, _DATA, _MAPPING),
}


def is_mapping(data: str | None) -> bool:
    return data is not None and data.startswith(PREFIX)


def some_steps(node: NodeSubject) -> Iterator[Problem]:
    if not node.steps:
        message = f"node {shown(node.name)} has no steps, so it has no answer; add one"
        yield Code.NO_STEPS.at(node.path, message)


def ignored_fields(node: NodeSubject, kind: RouterType) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        for code, key, given, message in _IGNORED[kind]:
            if key == "weight" and node.node.combine is Combine.WEIGHTED_MEAN:
                continue
            if given(step):
                yield code.at(node.step_path(index, key), message)


def compiled(
    node: NodeSubject, index: int, problems: list[Problem], *, answered: bool = False
) -> Condition | None:
    """The condition of a step, if it has one that compiles. Adds what is wrong with it."""
    text = node.steps[index].condition
    if not text:
        return None
    at = node.step_path(index, "condition")
    condition = node.conditions(text, answered=answered)
    if isinstance(condition, ValueError):
        offset = getattr(condition, "at", None)  # only some languages tell
        problems.append(Code.BAD_CONDITION.at(at, str(condition), offset))
        return None
    problems.extend(Code.SUSPICIOUS_CONDITION.at(at, warning) for warning in condition.warnings)
    return condition
