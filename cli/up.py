"""`graphway up`: the models of some manifests on this machine, and the graphs over them.

The router runs as in `serve`; beside it, in the parent process, the controller starts what the
InferenceServices say and tells the router where they live.
"""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from cli import options
from cli.options import FAILED, USAGE, fail
from cli.progress import Progress, progress_on
from controller.endpoints import Endpoint
from controller.local import settings as local_settings
from controller.local.built_in import built_in_runtimes
from controller.local.controller import LocalController
from controller.local.home import Home, find_home
from controller.local.plan import Machine, Plan, plan
from controller.resources.codes import Code
from controller.resources.parse import parse
from controller.storage.uris import parse_uri_map
from graph.loader import Document
from graph.problems import Located
from router.config import EndpointSource
from router.files import FileSource
from router.parent import Parent, StartFailed
from router.settings import Settings

LOOPBACK = "127.0.0.1"  # what runs on this machine is for this machine
URI_MAP = "GRAPHWAY_URI_MAP"

OnReady = Callable[[Parent], Awaitable[None]]


def up(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and folders.")],
    uri_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX=FOLDER",
            help=f"Local copy of what a storageUri names. Repeat; or by comma in {URI_MAP}.",
        ),
    ] = None,
    host: Annotated[str | None, options.setting("host", LOOPBACK)] = None,
    port: options.Port = None,
    admin_host: options.AdminHost = None,
    admin_port: options.AdminPort = None,
    workers: options.Workers = None,
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
    home = find_home(os.environ)
    try:
        home.claim()
    except OSError as error:
        message = f"{home.root}: cannot write there: {error.strerror}"
        fail(FAILED, [f"{message}; GRAPHWAY_HOME chooses another folder"])
    services = Services(Machine(platform.python_version(), folders))
    source = FileSource(paths, given, services)
    raise typer.Exit(run(read, source, services, home))


def run(
    read: Settings,
    source: FileSource,
    services: "Services",
    home: Home,
    on_ready: OnReady | None = None,
    show_output: bool = True,
) -> int:
    config = options.configure(read)
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
            await parent.settled()  # the last address has reached all workers
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
