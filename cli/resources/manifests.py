"""`-f`: the objects that files say, checked here before any of them is sent anywhere.

Problems stand with file, line and column, as `graphway check` has them; a server could only name
the field. Older forms become today's, since that is what a server keeps.
"""

import sys
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.resources.connect import REFUSED, USAGE, fail
from controller.client.api import Api, Json, ServedKind
from controller.resources.older import modernize
from controller.resources.parse import parse
from graph.codes import Code
from graph.loader import Document
from graph.workspace import Workspace, load_paths

MANIFEST = "graphway.dev/manifest"  # an annotation: the file of `graphway up` that says it

Files = Annotated[
    list[str] | None,
    typer.Option(
        "--filename",
        "-f",
        metavar="PATH",
        help="A file or folder of manifests, or - for standard input. Repeat.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Said:
    """One object of a file, as it is sent."""

    kind: ServedKind
    namespace: str
    name: str
    resource: Json
    document: Document

    @property
    def place(self) -> str:
        line, column = self.document.locate(())
        return f"{self.document.file}:{line}:{column}"


def read(
    api: Api, paths: Sequence[str], namespace: str | None, *, check: bool = True
) -> list[Said]:
    """All of them in order; ends the command for any error in any file, with every problem told.

    `check` off: the names are enough. `namespace` is for those that say none; it may contradict
    none of them.
    """
    found = load_paths(paths)
    if check or not found.documents:
        _tell_problems(found)
    said, faults = [], []
    for document in found.documents:
        data = deepcopy(document.data)
        modernize(data)
        kind = api.kind_of(str(data.get("apiVersion")), document.kind)
        if kind is None:
            line, column = document.locate(("kind",))
            known = f"{document.file}:{line}:{column}: warning: {api.url} keeps no {document.kind}"
            print(f"{known} ({data.get('apiVersion')}); passed over", file=sys.stderr)
            continue
        own = (data.get("metadata") or {}).get("namespace")
        if kind.namespaced and namespace and own and own != namespace:
            line, column = document.locate(("metadata", "namespace"))
            message = f"it is in namespace {own}, not in {namespace}; leave out -n, or change one"
            faults.append(f"{document.file}:{line}:{column}: error: {message}")
        place = document.namespace if own else namespace or document.namespace
        said.append(Said(kind, place, document.name, data, document))
    if faults:
        fail(USAGE, *faults)
    return said


def _tell_problems(found: Workspace) -> None:
    problems = [*found.problems, *parse(found.documents).problems]
    problems.sort(key=lambda located: (located.file, located.line, located.column))
    for problem in problems:
        print(problem, file=sys.stderr)
    if any(problem.problem.code == Code.UNREADABLE_PATH.text for problem in problems):
        raise typer.Exit(USAGE)
    if any(problem.is_error for problem in problems):
        fail(REFUSED, "nothing was sent: mend the errors above first")
