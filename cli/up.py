"""`graphway up`: the models of some manifests on this machine, and the graphs over them.

The router runs as in `serve`; beside it, in the parent process, the control plane keeps what the
manifests say running (`cli.control`), and the admin port offers the resources.
"""

import os
import platform
import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.dry_run import dry_run
from cli.options import FAILED, USAGE, fail
from cli.running import Start, run
from controller.local import settings as local_settings
from controller.local.home import Home, find_home
from controller.local.plan import Machine
from controller.storage.uris import parse_uri_map

LOOPBACK = "127.0.0.1"  # what runs on this machine is for this machine
URI_MAP = "GRAPHWAY_URI_MAP"


def up(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and folders.")],
    only_show: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would run, and every problem.")
    ] = False,
    uri_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX=FOLDER",
            help=f"Local copy of what a storageUri names. Repeat; or by comma in {URI_MAP}.",
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Names what is kept between runs (after the paths)."),
    ] = None,
    host: Annotated[str | None, options.setting("host", LOOPBACK)] = None,
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
    """Start the InferenceServices at PATH as processes on this machine, and serve the graphs."""
    read, given = options.read(context.params, service, {"host": LOOPBACK})
    try:
        folders = parse_uri_map(uri_map or _listed(os.environ.get(URI_MAP, "")), Path.cwd())
    except ValueError as bad:
        fail(USAGE, [str(bad)])
    if faults := local_settings.faults():
        fail(USAGE, faults)
    if project is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", project):
        fail(USAGE, [f"--project {project}: letters, digits, and . _ - between them"])
    machine = Machine(platform.python_version(), folders)
    if only_show:
        raise typer.Exit(dry_run(paths, machine))
    start = Start(tuple(paths), tuple(given), machine, claimed_home(), project or project_of(paths))
    raise typer.Exit(run(read, start))


def claimed_home() -> Home:
    home = find_home(os.environ)
    try:
        home.claim()
    except OSError as error:
        message = f"{home.root}: cannot write there: {error.strerror}"
        fail(FAILED, [f"{message}; GRAPHWAY_HOME chooses another folder"])
    return home


def project_of(paths: list[str]) -> str:
    """The same paths go on with what they had."""
    places = sorted(path if path == "-" else os.path.abspath(path) for path in paths)
    digest = sha256("\0".join(places).encode()).hexdigest()[:8]
    word = re.sub(r"[^A-Za-z0-9]+", "-", Path(places[0]).stem).strip("-")
    return f"{word[:40] or 'up'}-{digest}"


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
