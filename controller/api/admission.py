"""Between a request and the store: may this object be, and as what is it kept?

The API asks through `Admission`; `controller.api.rules` answers for the kinds of the table. Here
its answers become what a client sees: a cause for each field, a warning for what is only odd.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.resources.kinds import Kind
from controller.store.errors import ApiError, Cause, invalid
from controller.store.refs import Json, Ref
from graph.problems import Path, Problem, Severity


class Admission(Protocol):
    def admit(self, resource: Json, before: Json | None) -> Sequence[Problem]:
        """Everything that is wrong or odd with it. `before` is None of a new one."""

    def admit_deletion(self, resource: Json) -> Sequence[Problem]:
        """Why it cannot go; empty if it can."""


@dataclass(frozen=True, slots=True)
class Admitted:
    resource: Json
    warnings: tuple[str, ...] = ()


def admitted(admission: Admission, kind: Kind, resource: Json, before: Json | None) -> Admitted:
    """Raises Invalid, with a cause for each field."""
    problems = admission.admit(resource, before)
    faults = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not faults:
        return Admitted(resource, tuple(map(_told, problems)))
    name = str((resource.get("metadata") or {}).get("name", ""))
    causes = [Cause(field_of(fault.path), f"{fault.message} ({fault.code})") for fault in faults]
    raise invalid(kind, name, causes)


def check_deletion(admission: Admission, ref: Ref, resource: Json) -> None:
    """Raises Forbidden."""
    if problems := admission.admit_deletion(resource):
        told = "; ".join(problem.message for problem in problems)
        raise ApiError(403, "Forbidden", f"{ref} cannot be deleted: {told}")


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
