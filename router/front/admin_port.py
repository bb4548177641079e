"""The connections of the admin port: a bounded number, each of which may stay as long as it likes.

What is too much is told so and closed; a probe that finds no place is better off than one that
waits. Nothing here knows what is asked.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

from aiohttp import web

_BODY = b'{"error": "Service Unavailable", "cause": "too many connections to the admin port"}\n'
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
) + _BODY
_PATIENCE_S = 1.0  # for the request that is refused: closed before it is read, it would be reset


async def administer(
    runner: web.AppRunner,
    listeners: Sequence[socket.socket],
    *,
    most: int,
    on_end: Callable[[], None],
) -> None:
    """Until cancelled. `on_end` is called before those who listen are waited for."""
    await runner.setup()
    server = runner.server
    assert server is not None

    def accepted() -> asyncio.BaseProtocol:
        return server() if len(server.connections) < most else _Full()

    loop = asyncio.get_running_loop()
    listening: list[asyncio.Server] = []
    try:
        for listener in listeners:
            listening.append(await loop.create_server(accepted, sock=listener))
        await asyncio.Event().wait()
    finally:
        for each in listening:
            each.close()
        on_end()
        await runner.cleanup()


class _Full(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        asyncio.get_running_loop().call_later(_PATIENCE_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_FULL)
        self._transport.close()
