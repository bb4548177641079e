"""`graphway check`: every problem of every manifest, one a line, in a form that editors know."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from graph.codes import Code
from graph.loader import STDIN_NAME
from graph.problems import Located
from graph.workspace import Workspace, load_paths

FINE, BAD, UNREADABLE = 0, 1, 2
DATA_PORT = 8080  # of `serve`, unless told otherwise: graphs may call one another by it


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
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Rewrite older forms of InferenceServices as today's."),
    ] = False,
) -> None:
    """Find every problem of some manifests, each with its place and how to mend it.

    Exit code 0 if nothing is wrong or there are only warnings, 1 for errors, 2 for a path that
    cannot be read.
    """
    found = load_paths(paths, kserve=kserve, port=DATA_PORT)
    if fix and _rewrite(found):
        found = load_paths(paths, kserve=kserve, port=DATA_PORT)
    problems = _problems(found)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.flush()
    print(_summary(found, problems), file=sys.stderr)
    raise typer.Exit(_exit_code(problems, strict))


def _problems(found: Workspace) -> list[Located]:
    """In the order of the files, and by line within each."""
    if all(document.is_graph for document in found.documents):
        return list(found.problems)
    # Only now: the models of resources take a while, and most files are graphs alone.
    from controller.resources.parse import parse  # noqa: PLC0415

    files = {file.file: index for index, file in enumerate(found.files)}
    problems = [*found.problems, *parse(found.documents).problems]
    return sorted(problems, key=lambda p: (files.get(p.file, len(files)), p.line, p.column))


def _rewrite(found: Workspace) -> bool:
    """Whether any file changed."""
    from controller.resources.fix import fixed  # noqa: PLC0415

    changed = False
    for file in found.files:
        if file.file == STDIN_NAME:
            continue
        path = Path(os.path.realpath(file.file))
        try:
            text = path.read_bytes().decode("utf-8-sig")
            made = fixed(text)
            if made is not None:
                beside = path.with_name(f".{path.name}.{os.getpid()}")
                beside.write_bytes(made.encode())
                beside.chmod(path.stat().st_mode)
                beside.replace(path)
                print(f"{file.file}: rewritten", file=sys.stderr)
                changed = True
        except (OSError, UnicodeDecodeError) as error:
            print(f"{file.file}: not rewritten: {error}", file=sys.stderr)
    return changed


def _exit_code(problems: list[Located], strict: bool) -> int:
    if any(problem.problem.code == Code.UNREADABLE_PATH.text for problem in problems):
        return UNREADABLE
    if any(problem.is_error for problem in problems) or (strict and problems):
        return BAD
    return FINE


def _summary(found: Workspace, problems: list[Located]) -> str:
    documents = found.documents
    graphs = sum(document.is_graph for document in documents)
    errors = sum(problem.is_error for problem in problems)
    warnings = len(problems) - errors
    return (
        f"{_count(graphs, 'graph')}, {_count(len(documents) - graphs, 'other document')}"
        f" in {_count(len(found.files), 'file')}:"
        f" {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
