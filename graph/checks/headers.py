"""Headers that a graph writes or passes on: names and values that can be sent, patterns that
compile.
"""

from collections.abc import Iterator

import re2

from graph.checks.subject import NodeSubject, Subject
from graph.codes import Code
from graph.headers import CONTENT_TYPE, DESCRIBING, FRAMING, FRONTS, TOKEN, VALUE
from graph.problems import Path, Problem
from graph.spec import Step
from graph.wording import shown

_OURS = "the router writes it for each message"


def headers(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        if step.headers is not None:
            at = node.step_path(index, "headers")
            yield from _edited(step, at)
        if step.respond is not None and step.respond.headers:
            at = node.step_path(index, "respond", "headers")
            refused = FRAMING | FRONTS | DESCRIBING - {CONTENT_TYPE}
            yield from _written(step.respond.headers, at, refused)


def patterns(subject: Subject) -> Iterator[Problem]:
    for index, pattern in enumerate(subject.spec.propagate_headers or ()):
        at: Path = ("spec", "propagateHeaders", index)
        if not pattern:
            message = "nothing is found in every name; write `.` if all headers are meant"
            yield Code.BAD_HEADER_PATTERN.at(at, message)
            continue
        try:
            re2.compile(pattern, _QUIET)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            reason = reason.decode() if isinstance(reason, bytes) else reason
            message = f"{shown(pattern)} is no regular expression of Go: {reason}; mend it"
            yield Code.BAD_HEADER_PATTERN.at(at, message)


def _edited(step: Step, at: Path) -> Iterator[Problem]:
    edit = step.headers
    assert edit is not None
    if not (step.service_url or step.service_name):
        where = "give them to the steps of that node" if step.node_name else "remove them"
        yield Code.HEADERS_IGNORED.at(at, f"the step makes no call; {where}")
    yield from _written(edit.set_ or {}, (*at, "set"), FRAMING | DESCRIBING - {CONTENT_TYPE})
    for field, names in (("remove", edit.remove), ("copy", edit.copy_)):
        for index, name in enumerate(names or ()):
            fault = _name_fault(name, FRAMING | DESCRIBING)
            if fault:
                yield Code.BAD_HEADER.at((*at, field, index), fault)


def _written(given: dict[str, str], at: Path, refused: frozenset[bytes]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, value in given.items():
        fault = _name_fault(name, refused)
        other = first.setdefault(name.lower(), name)
        if fault is None and other != name:
            fault = f"{shown(name)} and {shown(other)} are one header; keep one of them"
        if fault is None and not VALUE.fullmatch(value):
            fault = (
                f"the value of {shown(name)} holds a control character, or begins or ends with a"
                " blank; take that out"
            )
        if fault:
            yield Code.BAD_HEADER.at((*at, name), fault)


def _name_fault(name: str, refused: frozenset[bytes]) -> str | None:
    if not TOKEN.fullmatch(name):
        return f"{shown(name)} is no name of a header: letters, digits and `-`"
    if name.lower().encode() in refused:
        why = "it goes with the body" if name.lower().encode() in DESCRIBING else _OURS
        return f"{shown(name)} cannot be had here, {why}; remove it"
    return None


_QUIET = re2.Options()
_QUIET.log_errors = False
