"""Which graphway a command talks to, and how every fault of the talk ends: one line, an exit code.

0: done. 1: the server said no, or has no such object. 2: bad usage, or nobody to talk to.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from controller.client.api import Api
from controller.client.connection import TIMEOUT_S, Connection, Unreachable
from controller.local.home import find_home
from controller.running import Running, find_running
from controller.store.errors import ApiError

REFUSED, USAGE = 1, 2
TOKEN = "GRAPHWAY_ADMIN_TOKEN"

Server = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Admin port of a graphway; else the only one that runs here.",
        show_default=False,
    ),
]


class NoServer(Exception):
    """Nobody to talk to, or nobody knows to whom."""


def fail(code: int, *lines: str) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)
    raise typer.Exit(code)


@contextmanager
def connected(server: str | None) -> Iterator[Api]:
    """The API, for the body of a command; what goes wrong with it in there ends the command."""
    try:
        yield Api(find(server))
    except (NoServer, Unreachable) as nobody:
        fail(USAGE, *str(nobody).splitlines())
    except ApiError as refused:
        fail(REFUSED, told(refused))


def find(server: str | None, timeout_s: float = TIMEOUT_S) -> Connection:
    """The one that is meant; raises NoServer."""
    running = find_running(find_home(os.environ))
    token = os.environ.get(TOKEN)
    if server is not None:
        known = {each.url.rstrip("/"): each.token for each in running}
        try:
            found = Connection(server, token, timeout_s)
            return Connection(server, token or known.get(found.url), timeout_s)
        except ValueError as bad:
            raise NoServer(f"--server: {bad}") from None
    if not running:
        message = "no graphway runs here; start one with `graphway up PATH`, or give --server URL"
        raise NoServer(message)
    if len(running) > 1:
        listed = [f"  --server {_shown(each)}" for each in running]
        raise NoServer("\n".join(["several run here; choose one:", *listed]))
    return Connection(running[0].url, running[0].token or token, timeout_s)


def told(refused: ApiError) -> str:
    """With what to do, where the server cannot know it."""
    if refused.code == 401:
        return f"{refused.message}; set {TOKEN}"
    plural = (refused.details or {}).get("kind")
    if refused.reason == "NotFound" and plural:
        return f"{refused.message}; `graphway get {plural} -A` lists what there is"
    return refused.message


def _shown(running: Running) -> str:
    return f"{running.url}   ({running.project}, process {running.pid})"
