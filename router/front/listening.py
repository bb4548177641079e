"""Listening sockets of one worker, and the connections that come in on them."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Iterable

from router.tasks import Tasks

log = logging.getLogger("graphway.front")

RETRY_ACCEPT_S = 0.1
TLS_HANDSHAKE_S = 10.0


class Listener:
    """Accepts one connection a turn of the loop: several workers share a socket, and none may take
    a burst alone.
    """

    def __init__(
        self,
        protocol: Callable[[], asyncio.Protocol],
        has_room: Callable[[], bool],
        adopted: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`has_room` is asked before each connection, `adopted` called once `adopting` counts one
        less: it is the protocol's from then on, or gone.
        """
        self.adopting = 0
        self._protocol = protocol
        self._has_room = has_room
        self._adopted = adopted
        self._loop = loop
        self._tls = tls
        self._tasks = Tasks(loop)
        self._sockets: list[socket.socket] = []
        self._paused = False

    def listen(self, sockets: Iterable[socket.socket]) -> None:
        for sock in sockets:
            sock.setblocking(False)
            self._sockets.append(sock)
            self._loop.add_reader(sock, self._accept, sock)

    def drain(self) -> None:
        """No new connections but those that stand in the queue: the kernel would reset them."""
        for sock in self._sockets:
            while self._accept(sock):
                pass
        self._stop()

    def close(self) -> None:
        self._stop()
        self._tasks.close()

    def _stop(self) -> None:
        for sock in self._sockets:
            self._loop.remove_reader(sock)
        self._sockets.clear()

    def _accept(self, listening: socket.socket) -> bool:
        if not self._has_room():
            self._pause()
            return False
        try:
            sock, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another worker was faster, or the client has left again
        except OSError as error:
            if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                raise
            log.warning("cannot accept a connection: %s", error.strerror)
            self._pause()
            return False
        sock.setblocking(False)
        self.adopting += 1
        self._tasks.spawn(self._adopt(sock), "accept")
        return True

    async def _adopt(self, sock: socket.socket) -> None:
        limit = None if self._tls is None else TLS_HANDSHAKE_S
        try:
            await self._loop.connect_accepted_socket(
                self._protocol, sock, ssl=self._tls, ssl_handshake_timeout=limit
            )
        except OSError:
            sock.close()
        finally:
            self.adopting -= 1
            self._adopted()

    def _pause(self) -> None:
        """Leave callers in the kernel's queue for a moment instead of spinning on a readable
        socket.
        """
        if self._paused:
            return
        self._paused = True
        for sock in self._sockets:
            self._loop.remove_reader(sock)
        self._loop.call_later(RETRY_ACCEPT_S, self._resume)

    def _resume(self) -> None:
        self._paused = False
        for sock in self._sockets:
            self._loop.add_reader(sock, self._accept, sock)
