"""One client connection of the gRPC port: socket and HTTP/2, joined."""

import asyncio
from typing import TYPE_CHECKING, cast

from router.front.grpc_call import GrpcCall
from router.wire.grpc.status import Code, GrpcFault
from router.wire.http2.codes import Broken, ErrorCode
from router.wire.http2.server import ServerConnection
from router.wire.outbox import Outbox
from router.wire.refused import Refused

if TYPE_CHECKING:
    from router.front.grpc import GrpcFront

STREAMS = 256  # at a time; further ones wait in the client


class GrpcConnection(asyncio.Protocol):
    __slots__ = (
        "_gathered", "_http", "_idle_since", "_leaving", "_outbox", "_stalled", "_stalled_since",
        "_transport", "client", "front",
    )  # fmt: skip

    def __init__(self, front: "GrpcFront") -> None:
        self.front = front
        self.client = ""
        self._transport: asyncio.Transport | None = None
        self._outbox: Outbox | None = None
        self._http: ServerConnection | None = None
        self._gathered = 0  # bytes of messages that are not whole
        self._idle_since = front.loop.time()
        self._leaving = False
        self._stalled = 0  # bytes unwritten when last looked at
        self._stalled_since = 0.0

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""
        self._outbox = Outbox(self._transport, self.front.loop)
        limits = self.front.limits
        self._http = ServerConnection(
            self._outbox.write,
            lambda: GrpcCall(self),
            limits.header_bytes,
            limits.header_count,
            STREAMS,
        )
        self.front.connections.add(self)
        if self.front.draining:
            self.leave()

    def data_received(self, data: bytes) -> None:
        http = self._http
        if http is None or http.closed:
            return
        try:
            http.feed(data)
        except Broken as fault:
            self.front.refused(Refused(400, fault.cause), self.client)
            http.close(fault.cause, ErrorCode.PROTOCOL_ERROR)
            self._close()
            return
        if not http.streams:
            self._idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._outbox is not None:
            self._outbox.lost()
        http, self._http = self._http, None
        if http is not None:
            http.close("the client has left")
        self.front.lost(self)

    def pause_writing(self) -> None:
        if self._http is not None:
            self._http.pause()

    def resume_writing(self) -> None:
        if self._http is not None and not self._http.closed:
            self._http.resume()

    # what its calls say

    def gather(self, change: int) -> None:
        """Bytes of messages that are not whole. A few of the largest may come side by side."""
        self._gathered += change
        if change > 0 and self._gathered > 2 * self.front.limits.body_bytes:
            raise GrpcFault(Code.RESOURCE_EXHAUSTED, "too many large messages at a time")

    # what the front asks

    def notice(self) -> None:
        """Clients should begin further calls elsewhere."""
        if self._http is not None:
            self._http.leave()

    def leave(self) -> None:
        """Drain: no further calls; it closes with the last one."""
        http = self._http
        if http is None or http.closed:
            return
        self._leaving = True
        http.refuse()
        for stream in list(http.streams.values()):
            if isinstance(stream, GrpcCall):
                stream.leave()
        if not http.streams:
            self._close()

    def abort(self) -> None:
        if self._http is not None:
            self._http.close("the worker ends")
        if self._transport is not None:
            self._transport.abort()

    def sweep(self, now: float) -> None:
        """Once a second."""
        http, transport, limits = self._http, self._transport, self.front.limits
        if http is None or transport is None:
            return
        http.second()
        unwritten = transport.get_write_buffer_size()
        if unwritten and unwritten == self._stalled:
            if now - self._stalled_since > limits.write_timeout_s:
                self.abort()
                return
        else:
            self._stalled, self._stalled_since = unwritten, now
        if http.closed:
            if not unwritten:
                self._close()
            return
        for stream in list(http.streams.values()):
            if (
                isinstance(stream, GrpcCall)
                and not stream.complete
                and not stream.held
                and now - stream.since > limits.body_timeout_s
                and stream.awaits_message
            ):
                stream.expire()
        if http.streams:
            self._idle_since = now
        elif self._leaving:
            self._close()
        elif not http.greeted:
            if now - self._idle_since > limits.head_timeout_s:
                self.abort()
        elif now - self._idle_since > limits.idle_timeout_s:
            self.leave()

    def _idle(self) -> None:
        self._idle_since = self.front.loop.time()
        if self._leaving:
            self._close()

    def _close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
