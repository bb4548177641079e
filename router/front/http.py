"""The data port: listening sockets and client connections of one worker."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterable
from functools import partial

from router.config import Limits
from router.front.connection import ClientConnection
from router.messages import Handler
from router.tasks import Tasks
from router.wire import render
from router.wire.head import parse_request_head
from router.wire.memory import Remembered
from router.wire.refused import Refused

log = logging.getLogger("graphway.front")

RETRY_ACCEPT_S = 0.1
DRAIN_GRACE_S = 1.0  # what looks idle here may have a request on its way


class HttpFront:
    """Accepts one connection a turn of the loop: several workers share a socket, and none may take
    a burst alone.
    """

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        read_limit: Callable[[bytes, bytes], float | None],
        refused: Callable[[Refused, str], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.parse = Remembered(partial(parse_request_head, limit=limits.header_count))
        self.read_limit = read_limit  # (path, host) -> seconds for the whole request
        self.refused = refused
        self.loop = loop
        self.date = render.date()  # the Date line of answers, renewed by each sweep
        self.connections: set[ClientConnection] = set()
        self.leaving = False  # answers end their connections, so that callers go elsewhere
        self.draining = False
        self.drained = asyncio.Event()  # draining, and the last connection has gone
        self._tasks = Tasks(loop)
        self._listening: list[socket.socket] = []
        self._paused = False
        self._adopting = 0

    def listen(self, sockets: Iterable[socket.socket]) -> None:
        for sock in sockets:
            sock.setblocking(False)
            self._listening.append(sock)
            self.loop.add_reader(sock, self._accept, sock)

    def stop_listening(self) -> None:
        for sock in self._listening:
            self.loop.remove_reader(sock)
        self._listening.clear()

    def drain(self) -> None:
        """No new connections but those that stand in the queue (the kernel would reset them). The
        others close after their next answer, or if they stay idle.
        """
        self.leaving = self.draining = True
        for sock in self._listening:
            while self._accept(sock):
                pass
        self.stop_listening()
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
        self.stop_listening()
        self._tasks.close()
        for connection in list(self.connections):
            connection.abort()

    def _close_idle(self) -> None:
        for connection in list(self.connections):
            connection.close_if_idle()

    def _accept(self, listening: socket.socket) -> bool:
        if len(self.connections) + self._adopting >= self.limits.connections:
            self._pause_accepting()
            return False
        try:
            sock, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another worker was faster, or the client has left again
        except OSError as error:
            if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                raise
            log.warning("cannot accept a connection: %s", error.strerror)
            self._pause_accepting()
            return False
        sock.setblocking(False)
        self._adopting += 1
        self._tasks.spawn(self._adopt(sock), "accept")
        return True

    async def _adopt(self, sock: socket.socket) -> None:
        try:
            await self.loop.connect_accepted_socket(lambda: ClientConnection(self), sock)
        except OSError:
            sock.close()
        finally:
            self._adopting -= 1
            self._note_drained()

    def _note_drained(self) -> None:
        if self.draining and not self.connections and not self._adopting:
            self.drained.set()

    def _pause_accepting(self) -> None:
        """Leave callers in the kernel's queue for a moment instead of spinning on a readable
        socket.
        """
        if self._paused:
            return
        self._paused = True
        for sock in self._listening:
            self.loop.remove_reader(sock)
        self.loop.call_later(RETRY_ACCEPT_S, self._resume_accepting)

    def _resume_accepting(self) -> None:
        self._paused = False
        for sock in self._listening:
            self.loop.add_reader(sock, self._accept, sock)
