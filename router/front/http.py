"""The data port: listening sockets and client connections of one worker."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from functools import partial

from router.config import Limits
from router.front.connection import ClientConnection
from router.front.listening import Listener
from router.messages import Handler, Head
from router.wire import render
from router.wire.head import parse_request_head
from router.wire.memory import Remembered
from router.wire.refused import Refused

DRAIN_GRACE_S = 1.0  # what looks idle here may have a request on its way


class HttpFront:
    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        read_limit: Callable[[bytes, bytes], float | None],
        refused: Callable[[Refused, str], None],
        loop: asyncio.AbstractEventLoop,
        may_stream: Callable[[Head], bool] = lambda head: False,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.parse = Remembered(partial(parse_request_head, limit=limits.header_count))
        self.read_limit = read_limit  # (path, host) -> seconds for the whole request
        self.refused = refused
        self.loop = loop
        self.may_stream = may_stream  # whether nobody needs the body of such a request whole
        self.date = render.date()  # the Date line of answers, renewed by each sweep
        self.connections: set[ClientConnection] = set()
        self.leaving = False  # answers end their connections, so that callers go elsewhere
        self.draining = False
        self.drained = asyncio.Event()  # draining, and the last connection has gone
        self._listener = Listener(
            lambda: ClientConnection(self),
            self._has_room,
            self._note_drained,
            loop,
        )

    def listen(self, sockets: Iterable[socket.socket]) -> None:
        self._listener.listen(sockets)

    def drain(self) -> None:
        """No new connections but those that stand in the queue (the kernel would reset them). The
        others close after their next answer, or if they stay idle.
        """
        self.leaving = self.draining = True
        self._listener.drain()
        self.loop.call_later(DRAIN_GRACE_S, self._close_idle)
        self._note_drained()

    def lost(self, connection: ClientConnection) -> None:
        self.connections.discard(connection)
        self._note_drained()

    def sweep(self) -> None:
        """Once a second."""
        self.date = render.date()
        now = self.loop.time()
        for connection in list(self.connections):
            connection.sweep(now)

    def close(self) -> None:
        self._listener.close()
        for connection in list(self.connections):
            connection.abort()

    def _close_idle(self) -> None:
        for connection in list(self.connections):
            connection.close_if_idle()

    def _has_room(self) -> bool:
        return len(self.connections) + self._listener.adopting < self.limits.connections

    def _note_drained(self) -> None:
        if self.draining and not self.connections and not self._listener.adopting:
            self.drained.set()
