"""Between a request and the store: may this object be, and as what is it kept?

The API asks through `Admission`; `controller.api.rules` answers for the kinds of the table. Here
its answers become what a client sees: a cause for each field, a warning for what is only odd.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

from controller.api.request import Unknown
from controller.resources.kinds import Kind
from controller.store.errors import ApiError, Cause, invalid
from controller.store.refs import Json, Ref
from graph.codes import Code
from graph.problems import Path, Problem, Severity

_PASSES = 8  # each finds so many problems and no more; who sends thousands of keys is refused


class Admission(Protocol):
    def admit(self, resource: Json, before: Json | None) -> Sequence[Problem]:
        """Everything that is wrong or odd with it. `before` is None of a new one."""

    def admit_deletion(self, resource: Json) -> Sequence[Problem]:
        """Why it cannot go; empty if it can."""


@dataclass(frozen=True, slots=True)
class Admitted:
    resource: Json
    warnings: tuple[str, ...] = ()


def admitted(
    admission: Admission,
    kind: Kind,
    resource: Json,
    before: Json | None,
    unknown: Unknown = Unknown.REFUSED,
) -> Admitted:
    """Raises Invalid, with a cause for each field."""
    problems = admission.admit(resource, before)
    dropped: list[Problem] = []
    for _ in range(_PASSES if unknown is not Unknown.REFUSED else 0):
        strange = [each for each in problems if each.code == Code.UNKNOWN_FIELD.text]
        rest = _without([each.path for each in strange], resource)
        if not strange or rest is None:
            break
        dropped += strange
        resource, problems = rest, admission.admit(rest, before)
    faults = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not faults:
        told = dropped if unknown is Unknown.DROPPED_WITH_WARNING else []
        return Admitted(resource, tuple(map(_told, (*told, *problems))))
    name = str((resource.get("metadata") or {}).get("name", ""))
    causes = [Cause(field_of(fault.path), f"{fault.message} ({fault.code})") for fault in faults]
    raise invalid(kind, name, causes)


def _without(paths: Iterable[Path], resource: Json) -> Json | None:
    """None if one of them leads nowhere: it was found in what an older form is today."""
    rest = deepcopy(resource)
    for *path, key in sorted(paths, key=len, reverse=True):
        owner: Any = rest
        for part in path:
            inside = isinstance(owner, dict) and part in owner
            if not inside and not (isinstance(owner, list) and isinstance(part, int)):
                return None
            owner = owner[part]
        if not isinstance(owner, dict) or key not in owner:
            return None
        del owner[key]
    return rest


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
