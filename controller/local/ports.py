"""Free ports on the loopback address.

Between finding a port and the server's binding it somebody else may take it; `taken` tells, once
the server has ended over it, that another one is worth a try. Ports handed out stay reserved until
their server has ended, so that our own servers do not meet.
"""

import random
import socket
from collections.abc import Iterable
from itertools import chain

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
