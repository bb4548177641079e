"""Keep-alive connections to one address, and the calls that wait for one.

A call takes the idle connection that was used last (the others may then age out), else opens one,
else waits in line. Connections are interchangeable: whichever comes free first, new or used, serves
the first in line.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

from graph.effects import Answer, Call, Failure, FailureKind, Reply
from router.config import Limits, UpstreamConfig
from router.deadlines import Deadlines
from router.messages import Cancellable
from router.streams import Ended, Pipe
from router.tasks import Tasks
from router.upstream.connection import Connection
from router.upstream.origin import Origin
from router.upstream.resolver import Address, Resolver
from router.wire.head import parse_response_head
from router.wire.memory import Remembered
from router.wire.render import forwarded_head, request_head, request_prefix
from router.wire.response import ResponseReader

Count = Callable[[], None]


class Pending:
    """A call that has been taken: first in line, then on a connection. Its timeout covers both."""

    __slots__ = ("_deliver", "_pool", "_stream", "_timer", "call", "connection", "due", "head")

    def __init__(
        self, pool: "Pool", call: Call, head: bytes, deliver: Callable[[Answer], None]
    ) -> None:
        self._pool: Pool | None = pool  # None once it is over
        self.call = call
        self.head = head
        self._deliver = deliver
        self._stream: Pipe | None = None  # of the answer, once that has begun
        self.due = 0.0  # how long it may stand in line
        self.connection: Connection | None = None
        self._timer = (
            None
            if call.timeout_s is None
            else pool.deadlines.start(call.timeout_s, self._timed_out)
        )

    def cancel(self) -> None:
        if self.connection is not None:
            self.connection.give_up()
        elif self._pool is not None:
            self._pool.leave(self)
        self._end()

    def answered(self, answer: Answer) -> None:
        self._end()
        self._deliver(answer)

    def began(self, reply: Reply, stream: Pipe) -> None:
        """The rest of the answer comes as a stream, under the same timeout; what follows a
        handshake is none.
        """
        if reply.status == 101:
            self._stop_timer()
        self._stream = stream
        stream.watch(self._ended)
        self._deliver(reply)

    def failed(self, kind: FailureKind, cause: str) -> None:
        self.answered(self.failure(kind, cause))

    def failure(self, kind: FailureKind, cause: str) -> Failure:
        assert self._pool is not None
        return Failure(kind, f"{self._pool.name}: {cause}", self.call.address)

    def _timed_out(self) -> None:
        limit, stream = f"{self.call.timeout_s:g} s", self._stream
        if stream is not None:
            stream.fail(self.failure(FailureKind.TIMEOUT, f"not all of the answer within {limit}"))
            return
        failure = self.failure(FailureKind.TIMEOUT, f"no answer within {limit}")
        self.cancel()
        self._deliver(failure)

    def _ended(self, end: Ended) -> None:
        self._end()

    def _end(self) -> None:
        self._pool = None
        self._stream = None
        self.connection = None  # it serves somebody else from here on
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.met()
            self._timer = None


class Pool:
    """All connections to one origin. Counts: `opened` and `reused` are called for each call's
    connection.
    """

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
        self._config = config
        self._limits = limits
        self._parse = Remembered(
            partial(parse_response_head, limit=limits.header_count, passed=passed)
        )
        self._resolver = resolver
        self._tls = tls
        self._tasks = tasks
        self._opened = opened
        self._reused = reused
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self.streaming: set[Connection] = set()  # those that may have a body on its way
        self._connecting = 0
        self._waiting: deque[Pending] = deque()
        self._retired = False  # no new calls will come: connections close as the last ones end
        self._current: frozenset[str] | None = None  # addresses that the name has, once asked for

    # calls

    def start(self, call: Call, head: bytes, deliver: Callable[[Answer], None]) -> Cancellable:
        now = self.loop.time()
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                self._reused()
                pending = Pending(self, call, head, deliver)
                connection.send(pending)
                return pending
            connection.abort()
        if len(self._waiting) >= self._config.queued:
            cause = f"{self.name}: too many calls are waiting for a connection"
            return self.loop.call_soon(deliver, Failure(FailureKind.OVERLOAD, cause, call.address))
        pending = Pending(self, call, head, deliver)
        pending.due = now + self._config.queue_timeout_s
        self._waiting.append(pending)
        self._open_more()
        return pending

    def ask(self, call: Call, path: bytes, deliver: Callable[[Answer], None]) -> Cancellable:
        """A POST to this path, or the caller's own request."""
        forward, authority = call.forward, self.origin.authority.encode()
        size = len(call.body) if call.upload is None else size_of(call)
        if forward is None:
            head = request_head(request_prefix(b"POST", path, authority), call.headers, size)
        else:
            path = forward.path or path
            head = forwarded_head(forward.method, path, authority, call.headers, size)
        return self.start(call, head, deliver)

    def leave(self, pending: Pending) -> None:
        try:
            self._waiting.remove(pending)
        except ValueError:
            pass  # already answered

    @property
    def load(self) -> int:
        """Calls outstanding here: what the choice among replicas goes by."""
        return len(self._all) - len(self._idle) + len(self._waiting)

    # connections

    def reader(self, call: Call) -> ResponseReader:
        return ResponseReader(self._limits, self._parse, call.forward, call.stream, call.upgrade)

    def release(self, connection: Connection, *, fresh: bool = False) -> None:
        """It has nothing to do: the next in line, or the idle ones, or, if the name no longer leads
        there, its end.
        """
        current = self._current
        if current is not None and connection.address not in current:
            connection.abort()
        elif self._waiting:
            if not fresh:
                self._reused()
            connection.send(self._waiting.popleft())
        elif self._retired:
            connection.abort()
        else:
            connection.idle_since = self.loop.time()
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        self.streaming.discard(connection)
        try:
            self._idle.remove(connection)
        except ValueError:
            pass
        self._open_more()

    def _open_more(self) -> None:
        while (
            self._connecting < len(self._waiting)
            and len(self._all) + self._connecting < self._config.connections
        ):
            self._connecting += 1
            self._tasks.spawn(self._connect(), f"connect {self.name}")

    async def _connect(self) -> None:
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                connection = await self._open()
        except TimeoutError:
            cause = f"no connection within {self._config.connect_timeout_s:g} s"
        except OSError as error:
            cause = words(error)
        finally:
            self._connecting -= 1
        if connection is None:
            self._fail_one(cause)
            return
        self._opened()
        if connection.usable(self.loop.time()):
            self._all.add(connection)
            self.release(connection, fresh=True)
        else:  # one attempt a call: a peer that accepts and closes must not be asked for ever
            connection.abort()
            self._fail_one("the connection was closed as soon as it was open")

    async def _open(self) -> Connection:
        origin = self.origin
        if origin.unix_path is not None:
            return await self._open_at(socket.AF_UNIX, origin.unix_path, "")
        assert origin.host is not None
        failed: OSError | None = None
        addresses = await self._resolver.resolve(origin.host, origin.port)
        self._follow(addresses)
        for family, host, port in addresses:
            try:
                return await self._open_at(family, (host, port), host)
            except OSError as error:
                failed = error
        self._resolver.forget(origin.host, origin.port)
        assert failed is not None
        raise failed

    async def _open_at(self, family: int, at: object, host: str) -> Connection:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self.loop.sock_connect(sock, at)  # type: ignore[arg-type]
            connection = Connection(self, sock, host)
            if family == socket.AF_UNIX:
                await self.loop.create_unix_connection(lambda: connection, sock=sock)
            else:
                await self.loop.create_connection(
                    lambda: connection,
                    sock=sock,
                    ssl=self._tls if self.origin.tls else None,
                    server_hostname=self.origin.host if self.origin.tls else None,
                )
        except BaseException:
            sock.close()
            raise
        return connection

    def _fail_one(self, cause: str) -> None:
        if self._waiting:
            self._waiting.popleft().failed(FailureKind.CONNECT, cause)
        self._open_more()  # the others in line get their own attempts

    # time passes

    def sweep(self, now: float) -> None:
        """Once a second: close what has idled too long, fail what has waited too long, follow the
        name.
        """
        oldest = now - self._config.idle_timeout_s
        expired = [connection for connection in self._idle if connection.idle_since <= oldest]
        for connection in expired:
            self._idle.remove(connection)
            connection.abort()
        while self._waiting and self._waiting[0].due <= now:
            cause = f"no connection came free within {self._config.queue_timeout_s:g} s"
            self._waiting.popleft().failed(FailureKind.OVERLOAD, cause)
        for connection in list(self.streaming):
            connection.sweep(now, self._config.stream_idle_timeout_s or float("inf"))
        host = self.origin.host
        if host is not None and self._all and self._resolver.stale(host, self.origin.port):
            self._tasks.spawn(self._ask_again(host), f"resolve {host}")

    async def _ask_again(self, host: str) -> None:
        try:
            self._follow(await self._resolver.resolve(host, self.origin.port))
        except OSError:
            return  # the name is gone; who lives at its address may still answer

    def _follow(self, addresses: list[Address]) -> None:
        """Connections to addresses that the name has left close as they come free."""
        current = frozenset(address for _, address, _ in addresses)
        if current != self._current:
            self._current = current
            for connection in [c for c in self._idle if c.address not in current]:
                self._idle.remove(connection)
                connection.abort()

    def retire(self) -> None:
        """No further calls come; those on their way end as they would."""
        self._retired = True
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    @property
    def empty(self) -> bool:
        return not self._all and not self._connecting and not self._waiting

    def close(self) -> None:
        for connection in list(self._all):
            connection.give_up()


def size_of(call: Call) -> int | None:
    """Bytes of a body that streams; None if they are not known. A handshake has none."""
    return 0 if call.upgrade else cast(Pipe, call.upload).length


def words(error: Exception) -> str:
    """Why there is no connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (error.args[-1] if error.args else "") or type(error).__name__
