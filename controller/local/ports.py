"""Free ports on the loopback address.

Between finding a port and the server's binding it somebody else may take it; `taken` tells, once
the server has ended over it, that another one is worth a try, and `stranger` keeps its new owner
from answering for ours meanwhile. Ports handed out stay reserved until
their server has ended, so that our own servers do not meet.
"""

import os
import random
import socket
from collections.abc import Iterable
from itertools import chain

import psutil

# Below what systems give to outgoing connections, which take ports at any moment.
FIRST, LAST = 20_000, 29_999


class Ports:
    def __init__(self, choice: random.Random | None = None) -> None:
        self._choice = choice or random.Random()
        self._reserved: set[int] = set()

    def take(self) -> int:
        start = self._choice.randint(FIRST, LAST)
        for port in chain(range(start, LAST + 1), range(FIRST, start)):
            if port not in self._reserved and not taken(port):
                self._reserved.add(port)
                return port
        raise OSError(f"every port from {FIRST} to {LAST} is taken")

    def give_back(self, ports: Iterable[int]) -> None:
        self._reserved.difference_update(ports)


def taken(port: int) -> bool:
    """Whether somebody listens there. Connections that ended a moment ago do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def stranger(port: int, session: int) -> int | None:
    """Who listens there, if that cannot be the process that leads this session: a process of
    another one, and older. What is younger may have been started on its behalf, by a daemon.
    """
    try:
        started = psutil.Process(session).create_time()
        for socket_ in psutil.net_connections("tcp4"):
            if socket_.status != psutil.CONN_LISTEN or socket_.laddr[1:] != (port,):
                continue
            if socket_.pid is None or os.getsid(socket_.pid) == session:
                continue
            if psutil.Process(socket_.pid).create_time() < started:
                return socket_.pid
    except (psutil.Error, OSError):  # not ours to see, or gone meanwhile
        pass
    return None
