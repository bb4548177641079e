"""Between a request and the store: may this object be, and as what is it kept?

The API asks through `Admit`; `admit` is the answer for the kinds of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from controller.resources.fields import field_problems
from controller.resources.kinds import Kind, named
from controller.resources.model import read
from controller.resources.parse import parse_object
from controller.store.errors import Cause, invalid
from controller.store.own_kinds import Open
from controller.store.refs import Json
from graph.checks.chain import check
from graph.loader.fields import field_problems as graph_field_problems
from graph.problems import Path, Problem, Severity
from graph.spec import KIND as GRAPH
from graph.spec import InferenceGraph


@dataclass(frozen=True, slots=True)
class Admitted:
    resource: Json
    warnings: tuple[str, ...] = ()


class Admit(Protocol):
    def __call__(self, resource: Json) -> Admitted | Sequence[Problem]:
        """The object to keep, or everything that is wrong with it."""


def admit(resource: Json) -> Admitted | Sequence[Problem]:
    problems = _problems(resource)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return problems
    return Admitted(resource, tuple(_told(problem) for problem in problems))


def _problems(resource: Json) -> list[Problem]:
    if resource.get("kind") != GRAPH and named(str(resource.get("kind"))) is not None:
        return parse_object(resource)[1]
    # A graph's model, and the kinds of our own, leave the metadata open.
    try:
        read(Open, resource)
    except ValidationError as error:
        return [*field_problems(Open, error)]
    if resource["kind"] != GRAPH:
        return []
    try:
        return check(InferenceGraph.model_validate(resource, by_alias=True, by_name=False))
    except ValidationError as error:
        return [*graph_field_problems(error)]


def admitted(admit: Admit, kind: Kind, resource: Json) -> Admitted:
    """Raises Invalid, with a cause for each field."""
    answer = admit(resource)
    if isinstance(answer, Admitted):
        return answer
    name = str((resource.get("metadata") or {}).get("name", ""))
    raise invalid(
        kind,
        name,
        [
            Cause(field_of(problem.path), f"{problem.message} ({problem.code})")
            for problem in answer
            if problem.severity is Severity.ERROR
        ],
    )


def field_of(path: Path) -> str:
    """`spec.nodes[root].steps[0]`, as Kubernetes writes it."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        elif part.isidentifier() or not written:
            written += f".{part}" if written else part
        else:
            written += f"[{part}]"
    return written


def _told(problem: Problem) -> str:
    where = field_of(problem.path)
    return f"{where}: {problem.message}" if where else problem.message
