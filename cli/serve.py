"""`graphway serve`: the router, on graphs from files or from KServe's controller."""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
import uvloop

from cli.declared import declared
from router import log, settings
from router.files import FileSource, JsonSource
from router.parent import Parent, StartFailed
from router.services import GivenService

FAILED, USAGE = 1, 2

HELP = (
    "Serve the InferenceGraphs at PATH (files, folders, or - for standard input)."
    "\n\n"
    "Graphs answer at /graphs/NAMESPACE/NAME on the data port, the only one at every path. They are"
    " loaded again when files change, or on SIGHUP; what is bad then is reported, and the last good"
    " graph goes on. SIGTERM keeps accepting for --drain-seconds while /readyz says 503, then"
    " finishes what is in flight; Ctrl-C skips the wait; a second signal ends at once."
    "\n\n"
    "Exit code 0: ended after a clean drain. 1: could not start, or had to cut workers off. 2: bad"
    " usage, or a setting that cannot be used."
)


def epilog() -> str:
    """All settings, for `--help`."""
    fields = settings.Settings.model_fields
    lines = [f"{settings.variable(name)}: {field.description}" for name, field in fields.items()]
    lines.append("PROPAGATE_HEADERS: as for KServe's router, regular expressions by comma.")
    return "Settings by environment (a flag is stronger):\n\n" + "\n\n".join(lines)


app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=epilog())
def serve(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", show_default=False)
    ] = None,
    graph_json: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Instead of PATH: one spec, as KServe's router gets it."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address of the data port (0.0.0.0).")] = None,
    port: Annotated[int | None, typer.Option(help="Data port; 0: a free one (8080).")] = None,
    admin_host: Annotated[
        str | None, typer.Option(help="Address of the admin port (127.0.0.1).")
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="Admin port (metrics, graphs); 0: a free one (9902).")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes (usable cores).")] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error (info).")
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="Still accepting after SIGTERM (30).")
    ] = None,
    watch: Annotated[
        bool | None, typer.Option("--watch/--no-watch", help="Reload when files change (watch).")
    ] = None,
    default_graph: Annotated[
        str | None,
        typer.Option(metavar="NS/NAME", help="Answers what no path or Host leads to."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=URL", help="Where a serviceName is (NAME or NS/NAME). Repeat."),
    ] = None,
) -> None:
    if (graph_json is None) == (not paths):
        _fail(USAGE, ["give PATH... or --graph-json, one of them"])
    try:
        given = [GivenService.parse(text) for text in service or ()]
        read = settings.read(
            {
                "host": host,
                "port": port,
                "admin_host": admin_host,
                "admin_port": admin_port,
                "workers": workers,
                "log_level": log_level,
                "drain_seconds": drain_seconds,
                "watch": watch,
                "default_graph": default_graph,
            }
        )
    except settings.BadSettings as bad:
        _fail(USAGE, bad.lines)
    except ValueError as bad:
        _fail(USAGE, [str(bad)])
    source = (
        FileSource(paths or (), given, declared)
        if graph_json is None
        else JsonSource(graph_json, given)
    )
    raise typer.Exit(run(read, source))


def run(read: settings.Settings, source: FileSource | JsonSource) -> int:
    terminal = sys.stderr.isatty()
    log.configure(read.log_level, read.format_on(terminal))
    patterns, warnings = settings.propagated_headers()
    for warning in (*warnings, *settings.misspelt()):
        logging.getLogger("graphway.settings").warning(warning)
    config = read.data_plane(propagate_headers=tuple(patterns), terminal=sys.stdout.isatty())
    parent = Parent(read, source, config, on_started=_banner if terminal else _silent)
    try:
        return uvloop.run(parent.run())
    except StartFailed as failed:
        _fail(FAILED, failed.lines)


def _banner(parent: Parent) -> None:
    """For people; machines have the line `serving` of the log."""
    for key in parent.generation.graphs:
        print(f"  {parent.data_url}/graphs/{key}", file=sys.stderr)
    print("  Ctrl-C ends", file=sys.stderr)


def _silent(_: Parent) -> None:
    pass


def _fail(code: int, lines: Sequence[str]) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)
    raise typer.Exit(code)
