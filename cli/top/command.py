"""`graphway top`: what runs and how it goes, now: a table that renews itself on a terminal.

Rates and times are those between two looks. Where there is no terminal it is one table, after two
looks.
"""

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live

from cli.resources.connect import Server, connected
from cli.resources.output import put
from cli.resources.table import Rows
from cli.resources.teach import examples
from cli.top import keys as k
from cli.top.columns import as_json, columns, sort_key
from cli.top.frame import View, frame
from cli.top.gpus import gpu_uses
from cli.top.look import Looked, look
from cli.top.rows import Row, flat, ordered, rows
from controller.client.api import Api
from controller.client.find import NoServer, find
from controller.client.origin import Unreachable
from controller.store.errors import ApiError

HELP = (
    "Show what runs and how it goes: graphs, services, their revisions, and how they are called."
    "\n\n"
    "RATE/S counts answered requests per second, ERRORS those of them that failed (status 5xx or no"
    " answer), FLIGHT those being worked on, HELD those that wait for a first replica. GPU columns"
    " are there where this machine has one. q ends; left and right choose what to sort by."
)
EXAMPLES = examples(
    ("top", "all namespaces, renewed every two seconds"),
    ("top -n lab --interval 1", "one namespace"),
    ("top --once", "one table, for scripts; also in a pipe"),
    ("top -o json", "the same for programs"),
    refused="something was refused",
)
TICK_S = 0.25  # between two looks at the keys and at the size of the terminal

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


@app.command(help=HELP, epilog=EXAMPLES)
def top(
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NS", help="Only this one.", show_default=False),
    ] = None,
    interval: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Between two looks.", min=0.1, max=3600),
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="One table, and end.")] = False,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="json: once, for programs.")
    ] = Form.TABLE,
    server: Server = None,
) -> None:
    with connected(server) as api:
        if output is Form.JSON or once or not sys.stdout.isatty():
            _once(api, namespace, interval, output)
        else:
            with suppress(KeyboardInterrupt):
                _Screen(api, server, namespace, interval).run()


def _once(api: Api, namespace: str | None, interval: float, output: Form) -> None:
    before = look(api, namespace)
    time.sleep(interval)
    now = look(api, namespace)
    gpus = gpu_uses()
    found = rows(now.known, before.sample, now.sample, gpus)
    shown = columns(gpus is not None)
    if output is Form.JSON:
        said = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(now.sample.at - before.sample.at, 3),
            "rows": [as_json(row) for row in found],
        }
        put([json.dumps(said, indent=4, ensure_ascii=False)])
        return
    lines = Rows([column.title for column in shown])
    listed = flat(ordered(found, sort_key(shown[0]), reverse=False))
    put(lines.lines([[column.text(row) for column in shown] for row in listed]))
    if not listed:
        print("nothing runs", file=sys.stderr)


@dataclass(slots=True)
class _Screen:
    api: Api
    server: str | None
    namespace: str | None
    interval: float
    view: View = field(default_factory=View)
    before: Looked | None = None
    now: Looked | None = None
    found: list[Row] = field(default_factory=list)
    gpus: bool = False
    fault: str = ""
    at: str = ""

    def run(self) -> None:
        console = Console()
        self._look()
        with k.keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
            due = time.monotonic() + self.interval
            while True:
                self._draw(console, live)
                left = due - time.monotonic()
                pressed = keys.pressed(min(max(left, 0), TICK_S))
                if k.QUIT in pressed:
                    return
                for key in pressed:
                    self._turn(key, console.height)
                if left <= 0:
                    self._look()
                    due = time.monotonic() + self.interval

    def _look(self) -> None:
        """What cannot be seen now is seen again later: a router that is restarted comes back."""
        try:
            if self.fault:
                self.api = Api(find(self.server))
            now = look(self.api, self.namespace)
        except (NoServer, Unreachable, ApiError) as fault:
            self.fault = f"as of {self.at}, trying again: {str(fault).splitlines()[0]}"
            return
        gpus = gpu_uses()
        self.fault, self.gpus = "", gpus is not None
        self.at = f"{datetime.now().astimezone():%H:%M:%S}"
        self.before, self.now = self.now, now
        before = self.before.sample if self.before is not None else None
        self.found = rows(now.known, before, now.sample, gpus)

    def _turn(self, key: str, height: int) -> None:
        view, page = self.view, max(1, height - 3)
        match key:
            case k.LEFT | k.RIGHT:
                step = 1 if key == k.RIGHT else -1
                self.view = replace(view, sort=(view.sort + step) % len(columns(self.gpus)))
            case k.REVERSE:
                self.view = replace(view, reverse=not view.reverse)
            case k.UP | k.DOWN | k.PAGE_UP | k.PAGE_DOWN:
                by = {k.UP: -1, k.DOWN: 1, k.PAGE_UP: -page, k.PAGE_DOWN: page}[key]
                self.view = replace(view, top=max(0, view.top + by))

    def _draw(self, console: Console, live: Live) -> None:
        shown = columns(self.gpus)
        sort = shown[self.view.sort % len(shown)]
        listed = flat(ordered(self.found, sort_key(sort), reverse=self.view.reverse))
        picture = frame(
            listed,
            shown,
            self.view,
            head=f"graphway {self.api.url}  {self.at}",
            fault=self.fault,
            width=console.width,
            height=console.height,
        )
        self.view = picture.view
        live.update(Group(*picture.lines), refresh=True)
