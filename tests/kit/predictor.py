"""A predictor that does what a test tells it to, over real sockets, and remembers what it received.

    async with Predictor() as predictor:              # in the test's loop; `in_thread` for one of
    its own predictor.on("/model", reply(b'{"a": 1}'))    # scripts: tests/kit/scripts.py
    predictor.on("/flaky", reset(after=10), reply())   # one a request; the last one stays

Listens on a loopback port, with TLS if given a context, or on a unix socket. Reads strictly: what
the router writes must be HTTP/1.1 to the letter, or `faults` has it, and leaving the context
fails.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self, TypeVar, cast

from tests.kit.message import Head, Malformed, Request, take_head, take_request
from tests.kit.scripts import Script, is_early, reply

T = TypeVar("T")
NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Connection:
    """What came over one connection."""

    received: bytearray = field(default_factory=bytearray)
    requests: list[Request] = field(default_factory=list)
    open: bool = True


class Predictor:
    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        unix: str | None = None,
        remembers: bool = True,
    ) -> None:
        """`remembers`: keep every request; for a soak, only count them."""
        self.connections: list[Connection] = []
        self.requests: list[Request] = []
        self.heads = 0  # requests whose head came
        self.served = 0  # requests that came whole
        self.cancelled = 0  # requests whose caller left before their script had ended
        self.faults: list[str] = []  # what came and was no HTTP
        self.default: Script = reply()
        self.at_connect: Callable[[Exchange], None] | None = None  # before a byte is read
        self.port = 0
        self.unix = unix
        self.remembers = remembers
        self._tls = tls
        self._scripts: dict[bytes, list[Script]] = {}
        self._server: asyncio.Server | None = None
        self._exchanges: list[Exchange] = []

    @property
    def origin(self) -> str:
        if self.unix:
            return f"unix:{self.unix}"
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return sum(connection.open for connection in self.connections)

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.requests]

    def url(self, path: str = "/") -> str:
        return self.origin + path

    def on(self, path: str, *scripts: Script) -> None:
        """What to do with requests to the path: a script for each in turn; the last one stays."""
        self._scripts[path.encode()] = list(scripts)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.refuse()
        self.close_connections()
        results = await asyncio.wait([e.task for e in self._exchanges]) if self._exchanges else None
        for task in results[0] if results else ():
            if not task.cancelled() and (error := task.exception()):
                raise error
        assert not self.faults, self.faults

    async def listen(self) -> None:
        """Accept connections; after `refuse`, on the same port again."""
        loop = asyncio.get_running_loop()
        if self.unix:
            self._server = await loop.create_unix_server(
                lambda: Exchange(self), self.unix, ssl=self._tls
            )
            return
        self._server = await loop.create_server(
            lambda: Exchange(self), "127.0.0.1", self.port, ssl=self._tls, backlog=2048
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Close the listening socket: new connections are refused, old ones live on."""
        if self._server:
            self._server.close()
            self._server = None

    def close_connections(self) -> None:
        """Abort every connection, idle or not."""
        for exchange in self._exchanges:
            exchange.abort()

    # what exchanges report

    def connected(self, exchange: "Exchange") -> None:
        self._exchanges.append(exchange)
        self.connections.append(exchange.connection)
        if self.at_connect:
            self.at_connect(exchange)

    def begin(self, head: Head) -> Script:
        """What to do about a request, of which only the head has been read."""
        self.heads += 1
        path = head.start_line.split(b" ")[1].partition(b"?")[0]
        scripts = self._scripts.get(path)
        if not scripts:
            return self.default
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    def received(self, connection: Connection, request: Request) -> None:
        self.served += 1
        if self.remembers:
            connection.requests.append(request)
            self.requests.append(request)

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[Self]:
        """The same with a loop of its own in a thread, for tests that block."""
        ready, stop = threading.Event(), threading.Event()
        faults: list[BaseException] = []

        async def live() -> None:
            async with self:
                ready.set()
                await asyncio.to_thread(stop.wait)

        def run() -> None:
            try:
                asyncio.run(live())
            except BaseException as error:
                faults.append(error)
            finally:
                ready.set()

        thread = threading.Thread(target=run, name="predictor")
        thread.start()
        ready.wait()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
        if faults:
            raise faults[0]


class Exchange(asyncio.Protocol):
    """One connection of a predictor, as its scripts see it: the request, and what can be done
    about it.
    """

    request: Request

    def __init__(self, predictor: Predictor) -> None:
        self.connection = Connection()
        self._predictor = predictor
        self._unread = bytearray()
        self._arrived = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._script_runs = False
        self._we_closed = False

    # what scripts use

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    async def flushed(self) -> None:
        """Until the kernel has most of what was sent."""
        await self._may_write.wait()
        await asyncio.sleep(0)

    def close(self) -> None:
        self._we_closed = True
        self._transport.close()

    def abort(self) -> None:
        self._we_closed = True
        self._transport.abort()

    def reset(self) -> None:
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.abort()

    def half_close(self) -> None:
        self._transport.write_eof()

    def stop_reading(self) -> None:
        self._transport.pause_reading()

    async def left(self) -> None:
        """Until the caller is gone, which cancels the script."""
        await asyncio.Event().wait()

    # what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=64 * 1024)
        self._predictor.connected(self)
        # Callbacks of a protocol have no TaskGroup around them; the predictor awaits the task when
        # it ends.
        self.task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        if self._predictor.remembers:
            self.connection.received += data
        self._unread += data
        self._arrived.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def eof_received(self) -> bool:
        self._hung_up()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._hung_up()
        self.connection.open = False

    def _hung_up(self) -> None:
        if self._script_runs and not self._we_closed:
            self._predictor.cancelled += 1
        self._we_closed = True
        self.task.cancel()

    # the life of the connection

    async def _serve(self) -> None:
        try:
            while True:
                head = await self._whole(take_head)
                script = self._predictor.begin(head)
                at_head = is_early(script)
                if at_head:
                    method, path, _ = head.start_line.split(b" ")
                    await self._run(script, Request(method, path, head, b""))
                request, size = await self._whole(take_request)
                del self._unread[:size]
                self._predictor.received(self.connection, request)
                if not at_head:
                    await self._run(script, request)
        except Malformed as fault:
            self._predictor.faults.append(f"{fault} in {bytes(self._unread[:300])!r}")
            self.abort()

    async def _run(self, script: Script, request: Request) -> None:
        self.request = request
        self._script_runs = True
        await script(self)
        self._script_runs = False

    async def _whole(self, take: Callable[[bytes], T | None]) -> T:
        """What `take` finds at the start of what came, once it is whole."""
        while (taken := take(bytes(self._unread))) is None:
            self._arrived.clear()
            await self._arrived.wait()
        return taken
