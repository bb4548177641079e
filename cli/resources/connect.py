"""Which graphway a command talks to, and how every fault of the talk ends: one line, an exit code.

0: done. 1: the server said no, or has no such object. 2: bad usage, or nobody to talk to.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from controller.client.api import Api
from controller.client.find import TOKEN, NoServer, find
from controller.client.origin import Unreachable
from controller.store.errors import ApiError

REFUSED, USAGE = 1, 2

Server = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Admin port of a graphway; else the only one that runs here.",
        show_default=False,
    ),
]


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


def told(refused: ApiError) -> str:
    """With what to do, where the server cannot know it."""
    if refused.code == 401:
        return f"{refused.message}; set {TOKEN}"
    plural = (refused.details or {}).get("kind")
    if refused.reason == "NotFound" and plural:
        return f"{refused.message}; `graphway get {plural} -A` lists what there is"
    return refused.message
