"""Connections to one gRPC origin, and the calls that wait for one.

Each address of the name gets a connection as calls come, and a call goes to the one with the fewest
calls on it; a further one is opened where all have as many as their server takes. An address that
cannot be reached is left alone for a while, a longer one each time.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from graph.effects import Answer, Call, Failure, FailureKind, Headers
from router.config import Limits, UpstreamConfig
from router.deadlines import Deadlines
from router.messages import Cancellable
from router.tasks import Tasks
from router.upstream.grpc_call import GrpcCall
from router.upstream.grpc_channel import Channel
from router.upstream.grpc_stream import GrpcStreamCall
from router.upstream.origin import Origin
from router.upstream.pool import Count, words
from router.upstream.resolver import Address, Resolver
from router.wire.grpc import timeouts
from router.wire.grpc.fields import with_model_name
from router.wire.grpc.framing import ACCEPTED, framed
from router.wire.grpc.metadata import ASKED_TO_STREAM, legal
from router.wire.http2.hpack import encode

MODEL_INFER = b"/inference.GRPCInferenceService/ModelInfer"
MODEL_STREAM_INFER = b"/inference.GRPCInferenceService/ModelStreamInfer"
IDLE_S = 300.0  # gRPC servers keep idle connections; balancers between often end them at 350 s
BACKOFF_S, LONGEST_BACKOFF_S = 0.1, 2.0
# A host that is gone answers nothing: after so long with unacknowledged bytes, or silent probes, a
# connection counts as broken. PINGs would do too, but servers punish a client for them.
SILENT_S = 20


class GrpcPool:
    """Counts: `opened` and `reused` are called for each call's connection."""

    def __init__(
        self,
        origin: Origin,
        config: UpstreamConfig,
        limits: Limits,
        passed: frozenset[bytes],
        resolver: Resolver,
        tls: ssl.SSLContext | None,
        tasks: Tasks,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
        opened: Count,
        reused: Count,
    ) -> None:
        self.origin = origin
        self.name = str(origin)
        self.loop = loop
        self.deadlines = deadlines
        self.limits = limits
        self._config = config
        self._passed = passed
        self._resolver = resolver
        self._tls = tls
        self._tasks = tasks
        self._opened = opened
        self._reused = reused
        self._channels: list[Channel] = []
        self._turn = 0
        self._connecting = 0
        self._waiting: deque[GrpcCall] = deque()
        self._known: frozenset[str] = frozenset()  # addresses of the name
        self._resting: dict[str, tuple[int, float]] = {}  # address -> failures, until when
        self._cause = ""  # of the last failure to connect
        self._retired = False
        self._streams = True  # as far as we know, it has ModelStreamInfer
        self._heads = lru_cache(maxsize=64)(self._head)

    # calls

    def ask(self, call: Call, path: bytes, deliver: Callable[[Answer], None]) -> Cancellable:
        """`path` is that of the target's URL: the model, or only `/`."""
        if call.upload is not None:  # to a service that had no replica yet to be known by
            cause = f"{self.name} speaks gRPC, which takes no body of this size"
            failure = Failure(FailureKind.BAD_REQUEST, cause, call.address)
            return self.loop.call_soon(deliver, failure)
        method, body = MODEL_INFER, call.body
        make: type[GrpcCall] = GrpcCall
        if call.forward is not None:
            if not dict(call.headers).get(b"content-type", b"").startswith(b"application/grpc"):
                cause = f"{self.name} speaks gRPC, and the request is none"
                failure = Failure(FailureKind.BAD_REQUEST, cause, call.address)
                return self.loop.call_soon(deliver, failure)
            method = call.forward.path
        else:
            if len(path) > 1:
                body = with_model_name(body, unquote_to_bytes(path[1:]))
            if call.stream and self._streams and ASKED_TO_STREAM in call.headers:
                method, make = MODEL_STREAM_INFER, GrpcStreamCall
        return self._start(make, call, method, framed(body), deliver)

    def without_streams(
        self, call: Call, body: bytes, deliver: Callable[[Answer], None]
    ) -> GrpcCall:
        """The server has no ModelStreamInfer: one answer is what it can give."""
        self._streams = False
        return self._start(GrpcCall, call, MODEL_INFER, body, deliver)

    def _start(
        self,
        make: type[GrpcCall],
        call: Call,
        method: bytes,
        body: bytes,
        deliver: Callable[[Answer], None],
    ) -> GrpcCall:
        head = self._heads(method, call.timeout_s)
        if call.headers:
            head += encode(legal(call.headers))
        started = make(self, call, head, body, deliver)
        self.begin(started)
        return started

    def begin(self, call: GrpcCall) -> None:
        """Send it, or let it wait; else it fails, later."""
        now = self.loop.time()
        channel = self._choose(now)
        if channel is not None:
            self._reused()
            channel.send(call)
            if len(self._channels) < len(self._known) and self._missing(now):
                self._open_more()
        elif len(self._waiting) >= self._config.queued:
            cause = "too many calls are waiting for a connection"
            self.loop.call_soon(call.failed, FailureKind.OVERLOAD, cause)
        elif not self._channels and not self._connecting and self._all_rest(now):
            self.loop.call_soon(call.failed, FailureKind.CONNECT, self._cause)
        else:
            call.due = now + self._config.queue_timeout_s
            self._waiting.append(call)
            self._open_more()

    def leave(self, call: GrpcCall) -> None:
        try:
            self._waiting.remove(call)
        except ValueError:
            pass

    def kept(self, metadata: Headers, call: Call) -> Headers:
        """Of an answer's metadata, what goes on."""
        if call.forward is not None:
            return metadata
        return tuple([pair for pair in metadata if pair[0] in self._passed])

    @property
    def load(self) -> int:
        """Calls outstanding here."""
        return sum(channel.busy for channel in self._channels) + len(self._waiting)

    def _head(self, method: bytes, timeout_s: float | None) -> bytes:
        headers: Headers = (
            (b":method", b"POST"),
            (b":scheme", b"https" if self.origin.tls else b"http"),
            (b":path", method),
            (b":authority", self.origin.authority.encode()),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", b"graphway"),
            (b"grpc-accept-encoding", ACCEPTED),
        )
        if timeout_s is not None:
            headers = (*headers, (b"grpc-timeout", timeouts.write(timeout_s)))
        return encode(headers)

    # channels

    def _choose(self, now: float) -> Channel | None:
        """The one with the fewest calls; among equals they take turns."""
        best: Channel | None = None
        number = len(self._channels)
        for turn in range(self._turn, self._turn + number):
            channel = self._channels[turn % number]
            if channel.room > 0 and (best is None or channel.busy < best.busy):
                if not channel.usable(now):
                    continue
                best = channel
                self._turn = (turn + 1) % number
                if not best.busy:
                    break
        return best

    def changed(self, channel: Channel) -> None:
        """It has more room than before, or none any more."""
        while self._waiting and channel.room > 0:
            self._reused()
            channel.send(self._waiting.popleft())
        http = channel.http
        if http is not None and not http.streams:
            gone = bool(self._known) and channel.address not in self._known
            if http.leaving or self._retired or gone:
                channel.close()
        if self._waiting:
            self._open_more()

    def lost(self, channel: Channel) -> None:
        if channel in self._channels:
            self._channels.remove(channel)
        if self._waiting:
            self._open_more()

    def _open_more(self) -> None:
        """One at a time: whoever waits may find room on it."""
        if not self._connecting and len(self._channels) < self._config.connections:
            self._connecting += 1
            self._tasks.spawn(self._connect(), f"connect {self.name}")

    async def _connect(self) -> None:
        channel: Channel | None = None
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                channel = await self._open()
        except TimeoutError:
            self._cause = f"no connection within {self._config.connect_timeout_s:g} s"
        except OSError as error:
            self._cause = words(error)
        finally:
            self._connecting -= 1
        if channel is not None:
            self._opened()
            self._channels.append(channel)
            channel.idle_since = self.loop.time()
            self.changed(channel)
        elif not self._channels:
            waiting, self._waiting = self._waiting, deque()
            for call in waiting:
                call.failed(FailureKind.CONNECT, self._cause)

    async def _open(self) -> Channel | None:
        host = self.origin.host
        assert host is not None
        addresses = await self._resolver.resolve(host, self.origin.port)
        self._follow(addresses)
        taken = [channel.address for channel in self._channels]
        now, failed = self.loop.time(), OSError("every address of it rests after a failure")
        for family, address, port in sorted(addresses, key=lambda each: taken.count(each[1])):
            if self._rests(address, now):
                continue
            if address in taken and not self._waiting:
                return None  # opened to spread calls, and there is nobody to spread them to
            self._rest(address)  # until it has worked: a timeout tells nobody
            try:
                channel = await self._open_at(family, address, port)
            except OSError as error:
                failed = error
                continue
            del self._resting[address]
            return channel
        self._resolver.forget(host, self.origin.port)
        raise failed

    async def _open_at(self, family: int, address: str, port: int) -> Channel:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _notice_silence(sock)
            await self.loop.sock_connect(sock, (address, port))
            channel = Channel(self, sock, address)
            transport, _ = await self.loop.create_connection(
                lambda: channel,
                sock=sock,
                ssl=self._tls if self.origin.tls else None,
                server_hostname=self.origin.host if self.origin.tls else None,
            )
        except BaseException:
            sock.close()
            raise
        try:
            if self.origin.tls:
                chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
                if chosen != "h2":
                    raise OSError("it does not offer HTTP/2 over TLS (ALPN), which gRPC needs")
            await channel.ready()
            if not channel.usable(self.loop.time()):
                raise OSError("the connection was closed as soon as it was open")
        except BaseException:
            transport.abort()
            raise
        return channel

    def _missing(self, now: float) -> bool:
        """An address has no channel, and may be tried."""
        taken = {channel.address for channel in self._channels}
        return any(not self._rests(each, now) for each in self._known - taken)

    def _rests(self, address: str, now: float) -> bool:
        return now < self._resting.get(address, (0, 0.0))[1]

    def _all_rest(self, now: float) -> bool:
        return bool(self._known) and all(self._rests(address, now) for address in self._known)

    def _rest(self, address: str) -> None:
        failures = self._resting.get(address, (0, 0.0))[0] + 1
        pause = min(LONGEST_BACKOFF_S, BACKOFF_S * 2 ** (failures - 1))
        self._resting[address] = failures, self.loop.time() + pause

    # time passes

    def sweep(self, now: float) -> None:
        """Once a second: as `Pool.sweep`."""
        for channel in list(self._channels):
            if channel.http is not None:
                channel.http.second()
            if not channel.busy and now - channel.idle_since > IDLE_S:
                channel.close()
        while self._waiting and self._waiting[0].due <= now:
            cause = f"no connection came free within {self._config.queue_timeout_s:g} s"
            self._waiting.popleft().failed(FailureKind.OVERLOAD, cause)
        host = self.origin.host
        if host and self._channels and self._resolver.stale(host, self.origin.port):
            self._tasks.spawn(self._ask_again(host), f"resolve {host}")

    async def _ask_again(self, host: str) -> None:
        try:
            self._follow(await self._resolver.resolve(host, self.origin.port))
        except OSError:
            return  # the name is gone; who lives at its address may still answer

    def _follow(self, addresses: list[Address]) -> None:
        """Channels to addresses that the name has left take no further calls."""
        known = frozenset(address for _, address, _ in addresses)
        if known != self._known:
            self._known = known
            self._resting = {k: v for k, v in self._resting.items() if k in known}
            for channel in list(self._channels):
                if channel.address not in known:
                    self._let_go(channel)

    def _let_go(self, channel: Channel) -> None:
        http = channel.http
        assert http is not None
        http.leaving = True
        if not http.streams:
            channel.close()

    def retire(self) -> None:
        """No further calls come; those on their way end as they would."""
        self._retired = True
        for channel in list(self._channels):
            if not channel.busy:
                channel.close()

    @property
    def empty(self) -> bool:
        return not self._channels and not self._connecting and not self._waiting

    def close(self) -> None:
        for channel in list(self._channels):
            channel.abort("the router ends")


def _notice_silence(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", SILENT_S),
        ("TCP_KEEPINTVL", SILENT_S // 4),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", SILENT_S * 1000),  # Linux only
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
