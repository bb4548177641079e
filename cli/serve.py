"""`graphway serve`: the router, on graphs from files or from KServe's controller."""

import sys
from typing import Annotated

import typer
import uvloop

from cli import options
from cli.declared import declared
from cli.options import FAILED, USAGE, fail
from router.files import FileSource, JsonSource
from router.parent import Parent, StartFailed
from router.settings import Settings

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


app = typer.Typer(add_completion=False)


@app.command(help=HELP, epilog=options.epilog())
def serve(
    context: typer.Context,
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATH", show_default=False)] = None,
    graph_json: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Instead of PATH: one spec, as KServe's router gets it."),
    ] = None,
    host: options.Host = None,
    port: options.Port = None,
    admin_host: options.AdminHost = None,
    admin_port: options.AdminPort = None,
    workers: options.Workers = None,
    grpc_port: options.GrpcPort = None,
    grpc_workers: options.GrpcWorkers = None,
    log_level: options.LogLevel = None,
    drain_seconds: options.DrainSeconds = None,
    watch: options.Watch = None,
    default_graph: options.DefaultGraph = None,
    service: options.Services = None,
) -> None:
    if (graph_json is None) == (not paths):
        fail(USAGE, ["give PATH... or --graph-json, one of them"])
    read, given = options.read(context.params, service)
    source = (
        FileSource(paths or (), given, declared, port=read.port)
        if graph_json is None
        else JsonSource(graph_json, given)
    )
    raise typer.Exit(run(read, source))


def run(read: Settings, source: FileSource | JsonSource) -> int:
    config = options.configure(read)
    on_started = _banner if sys.stderr.isatty() else _silent
    parent = Parent(read, source, config, on_started=on_started)
    try:
        return uvloop.run(parent.run())
    except StartFailed as failed:
        fail(FAILED, failed.lines)


def _banner(parent: Parent) -> None:
    """For people; machines have the line `serving` of the log."""
    for key in parent.generation.graphs:
        print(f"  {parent.data_url}/graphs/{key}", file=sys.stderr)
    print("  Ctrl-C ends", file=sys.stderr)


def _silent(_: Parent) -> None:
    pass
