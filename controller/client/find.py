"""Which graphway is meant: the one that is named, or the only one that runs on this machine."""

import os

from controller.client.connection import TIMEOUT_S, Connection
from controller.local.home import find_home
from controller.running import Running, find_running

TOKEN = "GRAPHWAY_ADMIN_TOKEN"


class NoServer(Exception):
    """Nobody to talk to, or nobody knows to whom; the text says what to do."""


def find(
    server: str | None = None, token: str | None = None, timeout_s: float = TIMEOUT_S
) -> Connection:
    """Raises NoServer. The token is the given one, or the environment's, or its own file's."""
    running = find_running(find_home(os.environ))
    token = token or os.environ.get(TOKEN)
    if server is not None:
        try:
            found = Connection(server, token, timeout_s)
        except ValueError as bad:
            raise NoServer(str(bad)) from None
        of_file = {each.url.rstrip("/"): each.token for each in running}.get(found.url)
        return found if token or not of_file else Connection(server, of_file, timeout_s)
    if not running:
        message = "no graphway runs here; start one with `graphway up PATH`, or name it (--server)"
        raise NoServer(message)
    if len(running) > 1:
        listed = [f"  --server {_shown(each)}" for each in running]
        raise NoServer("\n".join(["several graphways run here; name one:", *listed]))
    return Connection(running[0].url, running[0].token or token, timeout_s)


def _shown(running: Running) -> str:
    return f"{running.url}   ({running.project}, process {running.pid})"
