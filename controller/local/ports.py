"""Free ports on the loopback address.

Between finding a port and the server's binding it somebody else may take it; the server then ends,
and starts again with another one. Ports handed out stay reserved until their server has ended, so
that our own servers do not meet.
"""

import socket
from collections.abc import Iterable


class Ports:
    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self) -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in self._taken:
                self._taken.add(port)
                return port

    def give_back(self, ports: Iterable[int]) -> None:
        self._taken.difference_update(ports)
