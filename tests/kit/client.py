"""A raw HTTP/1.1 client: writes any bytes in any portions, and reads what comes back strictly.

    async with Client.to(port) as client:
        await client.send(b"POST / HTTP/1.1\r\n...", every=1)    # byte by byte
        response = await client.response()
        assert await client.closed() == b""                      # the end of the connection,
        nothing before it

Every wait has a deadline; a response that is no HTTP/1.1 raises Malformed, a connection that ends
too early Ended.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from typing import cast

from tests.kit.message import Response, take_response

DEADLINE_S = 10.0
READ_BYTES = 1024 * 1024


class Ended(Exception):
    """The connection ended before the whole response; `unread` is what had come."""

    def __init__(self, unread: bytes) -> None:
        super().__init__(f"the connection ended after {unread[:300]!r}")
        self.unread = unread


def request(
    path: str = "/",
    body: bytes = b"{}",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    host: str = "test",
) -> bytes:
    """A well-formed request as bytes, with Host and Content-Length."""
    fields = {"Host": host, "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._transport = cast(asyncio.ReadTransport, writer.transport)
        self._unread = b""

    @classmethod
    @contextlib.asynccontextmanager
    async def to(
        cls, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Client"]:
        async with asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=READ_BYTES)
        async with contextlib.aclosing(cls(reader, writer)) as client:
            yield client

    @classmethod
    @contextlib.asynccontextmanager
    async def to_unix(cls, path: str) -> AsyncIterator["Client"]:
        async with asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_unix_connection(path)
        async with contextlib.aclosing(cls(reader, writer)) as client:
            yield client

    async def send(self, data: bytes, *, every: int | None = None, cut: int | None = None) -> None:
        """Write the bytes whole, in portions of `every` bytes, or cut in two at a place."""
        if every is not None:
            portions = [data[at : at + every] for at in range(0, len(data), every)]
        elif cut is not None:
            portions = [data[:cut], data[cut:]]
        else:
            portions = [data]
        async with asyncio.timeout(DEADLINE_S):
            for portion in portions:
                self._writer.write(portion)
                await self._writer.drain()
                await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """The same without waiting until it is sent: for more than the other side will buffer."""
        self._writer.write(data)

    async def response(self, *, to_head: bool = False, deadline_s: float = DEADLINE_S) -> Response:
        """The next response; what follows it stays for the next call."""
        at_end = False
        async with asyncio.timeout(deadline_s):
            while True:
                taken = take_response(self._unread, to_head=to_head, at_end=at_end)
                if taken:
                    response, size = taken
                    self._unread = self._unread[size:]
                    return response
                if at_end:
                    raise Ended(self._unread)
                at_end = not await self._read()

    async def responses(self, count: int) -> list[Response]:
        return [await self.response() for _ in range(count)]

    async def ask(self, data: bytes) -> Response:
        """Send a request whole and read its response."""
        await self.send(data)
        return await self.response()

    async def began(self) -> None:
        """Until the first bytes of a response are here."""
        async with asyncio.timeout(DEADLINE_S):
            if not self._unread and not await self._read():
                raise Ended(b"")

    async def arrived(self, text: bytes) -> bytes:
        """Until this has come; all that has come and was not yet read."""
        async with asyncio.timeout(DEADLINE_S):
            while text not in self._unread:
                if not await self._read():
                    raise Ended(self._unread)
        return self._unread

    async def closed(self, deadline_s: float = DEADLINE_S) -> bytes:
        """Wait for the end of the connection, orderly or not; returns what came before it and
        was not yet read.
        """
        async with asyncio.timeout(deadline_s):
            while await self._read():
                pass
        return self._unread

    def half_close(self) -> None:
        self._writer.write_eof()

    def pause_reading(self) -> None:
        """Leave what comes in the kernel's buffers."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def reset(self) -> None:
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def aclose(self) -> None:
        self.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> bool:
        """Take in some bytes; False at the end of the connection."""
        try:
            data = await self._reader.read(READ_BYTES)
        except ConnectionError:
            return False
        self._unread += data
        return bool(data)
