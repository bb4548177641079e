"""`graphway explain runtime`: which runtime serves each model, and why each of the others does not.

As `graphway up` would choose on this machine, or with `--cluster` as a cluster would that has the
runtimes of these files. A table on a terminal, plain lines in a pipe, JSON for scripts.
"""

import json
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.options import FAILED, USAGE
from controller.local.built_in import built_in_runtimes
from controller.local.runnable import runtime_obstacle
from controller.resources.inferenceservice import ModelSpec, model_of, serves_many
from controller.resources.parse import Resources, Runtime, Service, parse
from controller.runtimes import Obstacle, Selection, no_obstacle, select
from graph.codes import Code
from graph.problems import Located
from graph.workspace import load_paths

COLUMNS = ("Runtime", "Of", "Verdict", "Why")

HELP = (
    "Print which runtime serves each InferenceService at PATH, and why each of the others does not."
    "\n\n"
    "Runtimes of a namespace go before those of the cluster; those that come with Graphway are the"
    " cluster's."
)
EXAMPLES = (
    "Examples:\n"
    "  graphway explain runtime iris.yaml        as `graphway up` would choose on this machine\n"
    "  graphway explain runtime . --cluster      among the runtimes in these files\n"
    "  graphway explain runtime . -o json        for scripts\n\n"
    "Exit code 1: a model has no runtime, or a manifest has errors. 2: bad usage, or a path that"
    " cannot be read."
)

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Explained:
    """`model` and `selection` are None where containers of its own need no runtime."""

    service: Service
    model: ModelSpec | None = None
    selection: Selection | None = None


@app.command(help=HELP, epilog=EXAMPLES)
def runtime(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders (*.yaml, *.yml, *.json, also below), or - for standard input.",
        ),
    ],
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Only the runtimes in PATH, whatever this machine can run."),
    ] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print.")] = Form.TABLE,
) -> None:
    found = load_paths(paths)
    resources = parse(found.documents, () if cluster else built_in_runtimes())
    obstacle = no_obstacle if cluster else runtime_obstacle(platform.python_version())
    problems = [p for p in (*found.problems, *resources.problems) if p.is_error]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    explained = list(_explained(resources, obstacle, here=not cluster))
    if not explained and not problems:
        print("no InferenceService there; name files that have one", file=sys.stderr)
    _put(explained, output)
    raise typer.Exit(_exit_code(explained, problems))


def _explained(resources: Resources, obstacle: Obstacle, *, here: bool) -> Iterator[Explained]:
    for service in resources.services.values():
        predictor = service.resource.spec.predictor
        model = model_of(predictor)
        if model is None:
            yield Explained(service)
            continue
        selection = select(
            model,
            service.resource.namespace,
            resources.runtimes.values(),
            worker_spec=predictor.worker_spec is not None,
            many=here and serves_many(predictor),
            obstacle=obstacle,
        )
        yield Explained(service, model, selection)


def _exit_code(explained: Sequence[Explained], problems: Sequence[Located]) -> int:
    if any(problem.problem.code == Code.UNREADABLE_PATH.text for problem in problems):
        return USAGE
    lacking = any(one.selection is not None and one.selection.chosen is None for one in explained)
    return FAILED if lacking or problems or not explained else 0


def _put(explained: Sequence[Explained], output: Form) -> None:
    if output is Form.JSON:
        print(json.dumps([_data(one) for one in explained], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for number, one in enumerate(explained):
        if number:
            console.print()
        console.print(_heading(one), markup=False, soft_wrap=True)
        rows = list(_rows(one.selection)) if one.selection is not None else []
        if rows and console.is_terminal:
            console.print(_table(rows))
        elif rows:
            sys.stdout.writelines(f"{line}\n" for line in _lines((COLUMNS, *rows)))


def _heading(one: Explained) -> str:
    name, selection = one.service.key, one.selection
    if one.model is None or selection is None:
        return f"{name}: containers of its own; it needs no runtime"
    wanted = one.model.model_format
    kind = " ".join(filter(None, (wanted.name, wanted.version)))
    if selection.chosen is None:
        return f"{name} ({kind}): {selection.reason}: {selection.message}"
    return f"{name} ({kind}): {selection.chosen.name}, protocol {selection.protocol}"


def _rows(selection: Selection) -> Iterator[tuple[str, str, str, str]]:
    if selection.chosen is not None:
        yield selection.chosen.name, _scope(selection.chosen), "chosen", selection.why
    for passed in selection.passed_over:
        yield passed.runtime.name, _scope(passed.runtime), "passed over", passed.reason


def _scope(of: Runtime) -> str:
    """As far as it is seen."""
    return "cluster" if of.resource.is_cluster_wide else of.resource.namespace


def _table(rows: Iterable[Sequence[str]]) -> Table:
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*map(Text, row), style="green" if row[2] == "chosen" else "")
    return table


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "   ".join(cells).rstrip()
        yield line.upper() if number == 0 else line


def _data(one: Explained) -> dict[str, Any]:
    said: dict[str, Any] = {"service": one.service.key}
    if one.model is None or one.selection is None:
        return said
    selection, wanted = one.selection, one.model.model_format
    said |= {"format": wanted.name, "version": wanted.version, "protocol": selection.protocol}
    if selection.chosen is None:
        said |= {"reason": selection.reason, "message": selection.message}
    rows = [
        dict(zip(("name", "of", "verdict", "why"), row, strict=True)) for row in _rows(selection)
    ]
    return said | {"runtimes": rows}
