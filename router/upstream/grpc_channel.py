"""One connection to a gRPC server: socket and HTTP/2, joined. It carries many calls at a time."""

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from router.wire.http2.client import ClientConnection
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.outbox import Outbox

if TYPE_CHECKING:
    from router.upstream.grpc_call import GrpcCall
    from router.upstream.grpc_pool import GrpcPool

PEEK_AFTER_S = 0.05  # the loop sees a close within one turn; only a longer rest can have missed it


class Channel(asyncio.Protocol):
    __slots__ = (
        "_outbox",
        "_pool",
        "_ready",
        "_sock",
        "_transport",
        "address",
        "http",
        "idle_since",
    )

    def __init__(self, pool: "GrpcPool", sock: socket.socket, address: str) -> None:
        self._pool = pool
        self._sock = sock
        self._transport: asyncio.Transport | None = None
        self._outbox: Outbox | None = None
        self.address = address  # the host address that it was opened to
        self.http: ClientConnection | None = None
        self.idle_since = 0.0
        self._ready: asyncio.Future[None] = pool.loop.create_future()

    # what the pool asks

    async def ready(self) -> None:
        """Until the server has said what it takes. Raises OSError if it will not."""
        await self._ready

    @property
    def room(self) -> int:
        """How many more calls it can take now."""
        return 0 if self.http is None else self.http.room

    @property
    def busy(self) -> int:
        return 0 if self.http is None else len(self.http.streams)

    def usable(self, now: float) -> bool:
        """Whether the peer has kept it open, as far as one can know beforehand."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if self.busy or now - self.idle_since < PEEK_AFTER_S:
            return True
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def send(self, call: "GrpcCall") -> None:
        assert self.http is not None
        self.http.open(call, call.head, call.body, end=True)

    def close(self) -> None:
        """Once what was written has gone."""
        if self._outbox is not None:
            self._outbox.close()

    def abort(self, cause: str) -> None:
        if self.http is not None:
            self.http.close(cause)
        if self._transport is not None:
            self._transport.abort()

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        self._outbox = Outbox(self._transport, self._pool.loop)
        limits = self._pool.limits
        self.http = ClientConnection(
            self._outbox.write, self._changed, limits.header_bytes, limits.header_count
        )

    def data_received(self, data: bytes) -> None:
        http = self.http
        if http is None or http.closed:
            return
        try:
            http.feed(data)
        except Broken as fault:
            http.close(fault.cause, ErrorCode.PROTOCOL_ERROR)
            self.close()
            self._lost(fault.cause)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._outbox is not None:
            self._outbox.lost()
        if self.http is not None:
            self.http.close("the connection was closed before an answer came")
        self._lost("the connection was closed as soon as it was open")

    def pause_writing(self) -> None:
        if self.http is not None:
            self.http.pause()

    def resume_writing(self) -> None:
        if self.http is not None and not self.http.closed:
            self.http.resume()

    def _lost(self, cause: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(OSError(cause))
        self._pool.lost(self)

    def _changed(self) -> None:
        if not self.busy:
            self.idle_since = self._pool.loop.time()
        if self._ready.done():
            self._pool.changed(self)
        else:
            self._ready.set_result(None)
