"""`graphway check`: every problem of every manifest, one a line, in a form that editors know."""

import sys
from typing import Annotated

import typer

from graph.codes import Code
from graph.workspace import Workspace, load_paths

FINE, BAD, UNREADABLE = 0, 1, 2


def check(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders (*.yaml, *.yml, *.json, also below), or - for standard input.",
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    kserve: Annotated[
        bool,
        typer.Option("--kserve", help="Also list what KServe would drop or read otherwise."),
    ] = False,
) -> None:
    """Find every problem of some manifests, each with its place and how to mend it.

    Exit code 0 if nothing is wrong or there are only warnings, 1 for errors, 2 for a path that
    cannot be read.
    """
    found = load_paths(paths, kserve=kserve)
    sys.stdout.writelines(f"{problem}\n" for problem in found.problems)
    sys.stdout.flush()
    print(_summary(found), file=sys.stderr)
    raise typer.Exit(_exit_code(found, strict))


def _exit_code(found: Workspace, strict: bool) -> int:
    problems = found.problems
    if any(problem.problem.code == Code.UNREADABLE_PATH.text for problem in problems):
        return UNREADABLE
    if any(problem.is_error for problem in problems) or (strict and problems):
        return BAD
    return FINE


def _summary(found: Workspace) -> str:
    documents = found.documents
    graphs = sum(document.is_graph for document in documents)
    errors = sum(problem.is_error for problem in found.problems)
    warnings = len(found.problems) - errors
    return (
        f"{_count(graphs, 'graph')}, {_count(len(documents) - graphs, 'other document')}"
        f" in {_count(len(found.files), 'file')}:"
        f" {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
