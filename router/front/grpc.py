"""The gRPC port of one worker: listening sockets and client connections.

It hands requests to the same layers as the HTTP front. Workers of their own carry it, so that HTTP
never waits for gRPC (docs/decisions/2026-11-21-grpc-transport.md).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable

from router.config import Limits
from router.front import grpc_infer, grpc_reflection, grpc_services
from router.front.grpc_call import MakeTalk
from router.front.grpc_connection import GrpcConnection
from router.front.listening import Listener
from router.messages import Handler
from router.wire.refused import Refused

DRAIN_GRACE_S = 1.0  # between "begin no more" and "what you begin is not worked on"


class GrpcFront:
    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        refused: Callable[[Refused, str], None],
        loop: asyncio.AbstractEventLoop,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.refused = refused
        self.loop = loop
        self.connections: set[GrpcConnection] = set()
        self.draining = False
        self.drained = asyncio.Event()
        self.talks: dict[bytes, MakeTalk] = {
            **grpc_infer.talks_of(self),
            **grpc_services.talks_of(self),
            **grpc_reflection.talks_of(),
        }
        self.watchers: set[Callable[[], None]] = set()  # told when `leaving` changes
        self._leaving = False
        self._listener = Listener(
            lambda: GrpcConnection(self), self._has_room, self._note_drained, loop, tls
        )

    @property
    def leaving(self) -> bool:
        """Callers should go elsewhere, though they are still served."""
        return self._leaving

    @leaving.setter
    def leaving(self, leaving: bool) -> None:
        if leaving != self._leaving:
            self._leaving = leaving
            for connection in list(self.connections) if leaving else ():
                connection.notice()
            for tell in list(self.watchers):
                tell()

    def listen(self, sockets: Iterable[socket.socket]) -> None:
        self._listener.listen(sockets)

    def drain(self) -> None:
        self.leaving = self.draining = True
        self._listener.drain()
        self.loop.call_later(DRAIN_GRACE_S, self._leave)
        self._note_drained()

    def lost(self, connection: GrpcConnection) -> None:
        self.connections.discard(connection)
        self._note_drained()

    def sweep(self) -> None:
        """Once a second."""
        now = self.loop.time()
        for connection in list(self.connections):
            connection.sweep(now)

    def close(self) -> None:
        self._listener.close()
        for connection in list(self.connections):
            connection.abort()

    def _leave(self) -> None:
        for connection in list(self.connections):
            connection.leave()

    def _has_room(self) -> bool:
        return len(self.connections) + self._listener.adopting < self.limits.connections

    def _note_drained(self) -> None:
        if self.draining and not self.connections and not self._listener.adopting:
            self.drained.set()
