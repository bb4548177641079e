"""One client connection: reads requests one at a time, hands each to the handler, writes the
answers in order.

Only a request that was wholly read keeps the connection. Whatever breaks framing is answered, then
the connection closes, after a moment in which unread bytes are thrown away (else the kernel's reset
would take the answer with it). End of stream while a request runs means that the client has left:
the request is cancelled. A body that streams, either way, slows its writer down to its reader.
"""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, cast

from graph.effects import Failure, FailureKind
from router import failures
from router.front import peer
from router.front.answering import Answering
from router.messages import CLIENT_CLOSED, Cancellable, Request, Response
from router.streams import End, Pipe
from router.wire import render
from router.wire.refused import Refused
from router.wire.request import RequestReader

if TYPE_CHECKING:
    from router.front.http import HttpFront

PIPELINED_BYTES = 65_536  # read ahead of the running request; beyond, the socket is left full
JOINED_BYTES = 65_536  # bodies up to this go out in one write with their head
LINGER_S = 2.0


class ClientConnection(asyncio.Protocol):
    __slots__ = (
        "_answered", "_began", "_busy", "_client", "_continued", "_ends_by_close", "_exchange",
        "_front", "_idle_s", "_joined", "_lingering", "_reader", "_reading_paused", "_request",
        "_since", "_stalled", "_stream", "_transport", "_upload", "_write_paused",
    )  # fmt: skip

    def __init__(self, front: "HttpFront") -> None:
        self._front = front
        self._transport: asyncio.Transport | None = None
        self._client = ""
        self._reader = RequestReader(front.limits, front.parse, front.may_stream)
        self._exchange: Cancellable | None = None
        self._request: Request | None = None  # the one being answered
        self._answered = False  # or its answer has begun
        self._upload: Pipe | None = None  # its body, while that is on its way
        self._stream: Pipe | None = None  # the body of its answer, while that is on its way
        self._busy = False  # within `_serve`
        self._continued = False  # 100 Continue was sent for the request being read
        self._idle_s = front.limits.idle_timeout_s
        self._since = front.loop.time()  # when what we now wait for began
        self._began = self._since  # when the first byte of the request being read came
        self._lingering = False  # whatever still comes is thrown away
        self._reading_paused = False
        self._write_paused = False
        self._stalled = 0  # how far writing was when last looked at
        self._ends_by_close = False  # the answer that streams
        self._joined = False  # it has become a WebSocket

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if isinstance(peer, tuple) else ""
        self._front.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        reader = self._reader
        if self._request is None and not self._write_paused:
            if reader.idle:
                self._since = self._began = self._front.loop.time()
            reader.feed(data)
            self._serve()
            return
        if self._upload is not None:
            self._upload_more(self._upload, data)
            return
        reader.feed(data)
        if reader.buffered > PIPELINED_BYTES and not self._reading_paused:
            assert self._transport is not None
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        upload = self._upload
        if self._joined and upload is not None and not upload.closed:
            self._upload = None
            upload.end()
            return True  # the other direction goes on
        self._lingering = True  # requests that wait in the buffer have nobody to answer to
        self._hang_up()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lingering = True
        self._hang_up()
        self._front.lost(self)

    def pause_writing(self) -> None:
        self._write_paused = True
        self._stalled = 0
        self._since = self._front.loop.time()
        if self._stream is not None:
            self._stream.pause()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._stream is not None:
            self._stream.resume()
        else:
            self._serve()

    # requests in, answers out

    def _serve(self) -> None:
        """Take up requests that have arrived whole, until one must wait for its answer."""
        if self._busy:
            return  # an answer at once, within the loop below: it goes on by itself
        self._busy = True
        try:
            while self._request is None and not self._lingering and not self._write_paused:
                try:
                    request = self._reader.next()
                except Refused as fault:
                    self._refuse(fault)
                    break
                if request is None:
                    self._await_more()
                    break
                self._handle(request)
        finally:
            self._busy = False
        if self._reading_paused and self._upload is None:
            self._read_on()

    def _handle(self, request: Request) -> None:
        request.started = monotonic()
        request.client = self._client
        self._request = request
        self._continued = False
        self._answered = False
        if self._reader.streaming:
            self._begin_upload(request)
        elif request.head.upgrades:
            request.upload = Pipe(self, None)  # what follows, if the handshake succeeds
        exchange = self._front.handler(request, self._respond)
        if not self._answered:
            self._exchange = exchange

    def _respond(self, response: Response) -> None:
        request = self._request
        assert request is not None
        self._answered = True
        stream = response.stream
        if stream is not None:
            self._begin_answer(request, response, stream)
            return
        self._exchange = None
        self._request = None
        transport = self._transport
        if transport is None or self._lingering or response.status == CLIENT_CLOSED:
            return
        keep_alive = request.head.keep_alive and self._keeps_alive(response)
        body = response.body
        head = render.response_head(
            response.status,
            response.headers,
            None if response.tells_length else len(body),
            self._front.date + _names(request),
            keep_alive,
            request.head.http11,
        )
        if request.head.method == b"HEAD" or response.status in {204, 304}:
            transport.write(head)
        elif len(body) <= JOINED_BYTES:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        self._after(request, keep_alive)

    def _keeps_alive(self, response: Response) -> bool:
        # The rest of an upload is in the way of whatever comes next.
        return not response.close and self._upload is None and not self._front.leaving

    def _after(self, request: Request, keep_alive: bool) -> None:
        """All of an answer is written."""
        self._since = self._began = self._front.loop.time()
        if not keep_alive:
            if self._upload is None and self._reader.idle:
                self._close()
            else:
                self._linger()
            return
        if request.plan is not None:
            self._idle_s = request.plan.timeouts.idle_s or float("inf")
        if not self._reader.idle:
            self._serve()

    # answers that stream

    def _begin_answer(self, request: Request, response: Response, stream: Pipe) -> None:
        transport = self._transport
        if transport is None or self._lingering:
            self._request = self._exchange = None
            stream.cancel()
            return
        if response.status == 101:
            self._join(request, response, stream, transport)
            return
        bodyless = request.head.method == b"HEAD" or response.status in {204, 304}
        chunked = stream.length is None and request.head.http11 and not bodyless
        delimited = chunked or stream.length is not None or bodyless
        keep_alive = delimited and request.head.keep_alive and self._keeps_alive(response)
        extra = self._front.date + _names(request)
        transport.write(
            render.response_head(
                response.status,
                response.headers,
                stream.length,
                extra + render.CHUNKED if chunked else extra,
                keep_alive,
                request.head.http11,
            )
        )
        if bodyless:
            self._request = self._exchange = None
            stream.cancel(End.WHOLE)
            self._after(request, keep_alive)
            return
        self._exchange = self._stream = stream
        self._ends_by_close = not delimited
        headers = response.headers
        stream.start(Answering(self, transport, headers, chunked=chunked, keep_alive=keep_alive))

    def _join(
        self, request: Request, response: Response, stream: Pipe, transport: asyncio.Transport
    ) -> None:
        """A WebSocket from here on: bytes pass both ways until one side has enough."""
        extra = self._front.date + _names(request) + render.UPGRADED
        transport.write(render.response_head(101, response.headers, None, extra, True, True))
        self._exchange = self._stream = stream
        self._ends_by_close = self._joined = True
        self._upload = upload = request.upload
        if upload is not None and (data := self._reader.rest()):
            upload.data(data)
        headers = response.headers
        stream.start(Answering(self, transport, headers, chunked=False, keep_alive=False))

    def finished(self, keep_alive: bool) -> None:
        """All of an answer that streams is written."""
        request = self._request
        assert request is not None
        self._request = self._exchange = self._stream = None
        if self._transport is not None:
            self._after(request, keep_alive and not self._front.leaving)

    def cut_off(self) -> None:
        """An answer that streams has broken off, and must not look whole."""
        self._request = self._exchange = self._stream = None
        transport = self._transport
        if transport is None:
            return
        if self._ends_by_close:  # then a plain end would be the end of the answer
            peer.reset_at_close(transport.get_extra_info("socket"))
            self.abort()
        elif self._upload is None and self._reader.idle:
            self._close()
        else:
            self._linger()

    # bodies that stream: this is where they come from

    def _begin_upload(self, request: Request) -> None:
        assert self._reader.head is not None
        length = self._reader.head.length
        request.upload = self._upload = upload = Pipe(self, length if length >= 0 else None)
        if piece := self._reader.beginning():
            self._continued = True  # it did not wait
            upload.data(piece)

    def _upload_more(self, upload: Pipe, data: bytes) -> None:
        if upload.closed:
            return  # nobody wants the rest: the answer to this request is the last
        self._continued = True
        self._since = self._front.loop.time()
        if self._joined:
            upload.data(data)
            return
        try:
            piece, whole = self._reader.more(data)
        except Refused as fault:
            upload.fail(Failure(FailureKind.BAD_REQUEST, fault.cause))
            return
        if piece:
            upload.data(piece)
        if whole and self._upload is upload:
            self._upload = None
            upload.end()

    def _stop_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.cancel()

    def hold_back(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is None or self._lingering:
            return
        self._since = self._front.loop.time()
        head = self._reader.head
        if head is not None and head.expects_continue and not self._continued:
            self._continued = True
            self._transport.write(render.CONTINUE)
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    def abandon(self) -> None:
        """What still comes is thrown away, once the answer has gone."""

    def _await_more(self) -> None:
        head = self._reader.head
        if head is None:
            return
        self._since = self._front.loop.time()
        if head.expects_continue and not self._continued:
            self._continued = True
            if self._reader.untouched and self._transport is not None:
                self._transport.write(render.CONTINUE)

    def _read_on(self) -> None:
        """Resume reading once what was read ahead is used up, or once nothing but reading helps."""
        waits = self._request is None and not self._write_paused
        if waits or self._lingering or self._reader.buffered <= PIPELINED_BYTES:
            self._reading_paused = False
            if self._transport is not None:
                self._transport.resume_reading()

    def _refuse(self, fault: Refused) -> None:
        transport = self._transport
        assert transport is not None
        self._front.refused(fault, self._client)
        answer = failures.error(fault.status, fault.cause)
        head = render.response_head(
            answer.status, answer.headers, len(answer.body), self._front.date, False, True
        )
        transport.write(head + answer.body)
        self._since = self._front.loop.time()
        self._linger()

    def _linger(self) -> None:
        """The answer that was written is the last."""
        assert self._transport is not None
        self._lingering = True
        self._stop_upload()
        try:
            self._transport.write_eof()
        except OSError:  # the client has gone, which nobody saw while its body was held back
            self._transport.abort()
        if self._reading_paused:
            self._read_on()

    def _hang_up(self) -> None:
        self._stream = None
        exchange = self._exchange
        if exchange is not None:
            self._exchange = None
            exchange.cancel()
        self._stop_upload()

    def _close(self) -> None:
        if self._transport is not None:
            self._lingering = True
            self._transport.close()

    # what the front asks

    def close_if_idle(self) -> None:
        """Drain: a connection that has begun no request is not waited for."""
        if self._request is None and self._reader.idle:
            self._close()

    def abort(self) -> None:
        if self._transport is not None:
            self._lingering = True
            self._transport.abort()

    def sweep(self, now: float) -> None:
        """Once a second: end what takes too long."""
        transport = self._transport
        if transport is None:
            return
        waited = now - self._since
        limits = self._front.limits
        unwritten = transport.get_write_buffer_size()
        if unwritten:
            place = unwritten if self._stream is None else unwritten - self._stream.passed
            if place != self._stalled:  # it moves, if slowly
                self._stalled = place
                self._since = now
            elif waited > limits.write_timeout_s:
                self.abort()
        elif self._stalled:  # all is written: what we wait for now begins now
            self._stalled = 0
            self._since = now
        elif self._lingering:
            if waited > LINGER_S:
                self.abort()
        elif self._upload is not None:
            self._sweep_upload(transport, self._upload, now)
        elif self._request is not None:
            pass  # the deadline layer watches it
        elif (head := self._reader.head) is not None:
            whole = self._front.read_limit(head.path, head.fields.get(b"host", b""))
            if waited > limits.body_timeout_s or (whole and now - self._began > whole):
                self._late("the body of the request did not arrive in time")
        elif not self._reader.idle:
            if waited > limits.head_timeout_s:
                self._late("the head of the request did not arrive in time")
        elif waited > self._idle_s:
            self._close()

    def _sweep_upload(self, transport: asyncio.Transport, upload: Pipe, now: float) -> None:
        if upload.closed:
            return
        if self._reading_paused:  # for the predictor to move, but the client may have gone
            sock = transport.get_extra_info("socket")
            # Of a WebSocket one side may end before the other.
            if peer.is_gone(sock) if self._joined else peer.has_left(sock):
                self.abort()
            return
        if self._joined:
            return
        head = self._reader.head
        assert head is not None
        whole = self._front.read_limit(head.path, head.fields.get(b"host", b""))
        silent = now - self._since > self._front.limits.body_timeout_s
        if silent or (whole and now - self._began > whole):
            cause = "the body of the request did not arrive in time"
            upload.fail(Failure(FailureKind.STALLED, cause))

    def _late(self, cause: str) -> None:
        self._refuse(Refused(408, cause))


def _names(request: Request) -> bytes:
    """The header lines by which an answer is found again: request and revision."""
    plan = request.plan
    if plan is None:
        if not request.request_id:  # a probe of ours, which nobody will look for
            return b""
        return b"x-request-id: %b\r\n" % request.request_id
    return b"x-request-id: %b\r\nx-graphway-revision: %b\r\n" % (
        request.request_id,
        plan.revision_bytes,
    )
