"""`graphway up`: the models of some manifests on this machine, and the graphs over them.

The router runs as in `serve`; beside it, in the parent process, the controller starts what the
InferenceServices say and tells the router where they live.
"""

import asyncio
import logging
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvloop

from cli.progress import Progress, progress_on
from controller.endpoints import Endpoint
from controller.local.built_in import built_in_runtimes
from controller.local.controller import LocalController
from controller.local.home import Home, find_home
from controller.local.plan import Machine, Plan, plan
from controller.resources.codes import Code
from controller.resources.parse import parse
from controller.storage.uris import parse_uri_map
from graph.loader import Document
from graph.problems import Located
from router import log, settings
from router.config import EndpointSource
from router.files import FileSource
from router.parent import Parent, StartFailed
from router.services import GivenService

FAILED, USAGE = 1, 2
URI_MAP = "GRAPHWAY_URI_MAP"

OnReady = Callable[[Parent], Awaitable[None]]


def up(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    uri_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX=FOLDER",
            help=f"Local copy of what a storageUri names. Repeat; or by comma in {URI_MAP}.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address of the data port.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Data port; 0: a free one [8080].")] = None,
    admin_host: Annotated[
        str | None, typer.Option(help="Address of the admin port [127.0.0.1].")
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="Admin port; 0: a free one [9902].")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes [usable cores].")] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error [info].")
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="Still accepting after SIGTERM [30].")
    ] = None,
    watch: Annotated[
        bool | None, typer.Option("--watch/--no-watch", help="Reload graphs when files change.")
    ] = None,
    default_graph: Annotated[
        str | None,
        typer.Option(metavar="NS/NAME", help="Answers what no path or Host leads to."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=URL", help="A service that is somewhere else. Repeat."),
    ] = None,
) -> None:
    """Start the InferenceServices at PATH as processes on this machine, and serve the graphs."""
    flags = {
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
    try:
        read = settings.read(flags)
        given = [GivenService.parse(text) for text in service or ()]
        folders = parse_uri_map(uri_map or _listed(os.environ.get(URI_MAP, "")), Path.cwd())
    except settings.BadSettings as bad:
        _fail(bad.lines)
    except ValueError as bad:
        _fail([str(bad)])
    services = Services(Machine(platform.python_version(), folders))
    source = FileSource(paths, given, services)
    raise typer.Exit(run(read, source, services, find_home(os.environ)))


def run(
    read: settings.Settings,
    source: FileSource,
    services: "Services",
    home: Home,
    on_ready: OnReady | None = None,
    show_output: bool = True,
) -> int:
    terminal = sys.stderr.isatty()
    log.configure(read.log_level, read.format_on(terminal))
    patterns, warnings = settings.propagated_headers()
    for warning in (*warnings, *settings.misspelt()):
        logging.getLogger("graphway.settings").warning(warning)
    config = read.data_plane(propagate_headers=tuple(patterns), terminal=sys.stdout.isatty())
    started = asyncio.Event()
    parent = Parent(read, source, config, on_started=lambda _: started.set())
    progress = partial(progress_on, sys.stderr, show_output)
    return uvloop.run(_run(parent, services, home, started, on_ready, progress))


async def _run(
    parent: Parent,
    services: "Services",
    home: Home,
    started: asyncio.Event,
    on_ready: OnReady | None,
    open_progress: Callable[[], Progress],
) -> int:
    async with asyncio.TaskGroup() as tasks:
        models = tasks.create_task(
            _models(parent, services, home, started, on_ready, open_progress)
        )
        try:
            return await parent.run()
        except StartFailed as failed:
            print("\n".join(failed.lines), file=sys.stderr)
            return FAILED
        finally:
            models.cancel()


async def _models(
    parent: Parent,
    services: "Services",
    home: Home,
    started: asyncio.Event,
    on_ready: OnReady | None,
    open_progress: Callable[[], Progress],
) -> None:
    await started.wait()
    assert services.plan is not None  # the parent loaded before it started
    progress = open_progress()
    controller = LocalController(
        services.plan,
        home=home,
        on_endpoints=lambda endpoints: parent.set_endpoints(_sources(endpoints)),
        progress=progress,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_until_stopped(controller))
            await controller.wait_ready()
            progress.close()
            _announce(parent, services.plan, progress)
            if on_ready is not None:
                await on_ready(parent)
    finally:
        progress.close()


async def _until_stopped(controller: LocalController) -> None:
    """The router has ended by then, and no longer listens to signals: one more means at once."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(controller.run())
        try:
            await running
        except asyncio.CancelledError:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, controller.kill)
            raise


def _announce(parent: Parent, made: Plan, progress: Progress) -> None:
    number = len(made.services)
    progress.note(f"{number} service{'' if number == 1 else 's'} ready")
    for key in sorted(parent.generation.graphs):
        progress.note(f"graph {key}: {parent.data_url}/graphs/{key}")


def _sources(endpoints: Mapping[str, Endpoint]) -> dict[str, EndpointSource]:
    return {key: EndpointSource(e.addresses, e.path) for key, e in endpoints.items()}


class Services:
    """Makes a plan of the documents that are no graphs, whenever they are loaded.

    The first plan is the one that runs; what differs from it later is told.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._built_in = built_in_runtimes()
        self.plan: Plan | None = None

    def __call__(
        self, documents: Sequence[Document]
    ) -> tuple[Mapping[str, EndpointSource], Sequence[Located]]:
        made = plan(parse(documents, self._built_in), self._machine)
        problems = list(made.problems)
        if self.plan is None:
            self.plan = made
        else:
            problems += _changes(self.plan, made, documents)
        # Nobody is ready yet; the controller says when.
        return {s.key: EndpointSource((), s.path) for s in self.plan.services}, problems


def _changes(running: Plan, made: Plan, documents: Sequence[Document]) -> list[Located]:
    before = {service.key: service for service in running.services}
    changed = {s.key for s in made.services if s != before.get(s.key)}
    message = "this differs from what runs; end `graphway up` and start it again to apply it"
    return [
        document.located(Code.RESTART_NEEDED.at((), message))
        for document in documents
        if document.kind == "InferenceService" and document.key in changed
    ]


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _fail(lines: Sequence[str]) -> NoReturn:
    print("\n".join(lines), file=sys.stderr)
    raise typer.Exit(USAGE)
