"""The stand-in for a predictor whose answers stream: server-sent events at any pace, and bytes.

A process of its own on uvloop. `/events` sends events as fast as they are taken, each in a turn of
the loop of its own; `/first` one, and the end 2 ms later; `/slow` ten a second until the client
leaves; `/bytes` 1 GB.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

EVENTS = 20_000
EVENT = b"data: %b\n\n" % (b'{"choices":[{"delta":{"content":"token"}}]}' + b" " * 149)
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
LAST = b"0\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BYTES = 1024 * 1024 * 1024
PIECE = b"x" * 65_536
READY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PAUSE_S = 0.1


class Source(asyncio.Protocol):
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._left = 0
        self._paused = False
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_message_complete(self) -> None:
        match self._path:
            case b"/events":
                self._left = EVENTS
                self._transport.write(HEAD)
                self._events()
            case b"/first":
                self._transport.write(HEAD + CHUNK)
                self._loop.call_later(0.002, self._transport.write, LAST)
            case b"/slow":
                self._transport.write(HEAD)
                self._slow()
            case b"/bytes":
                self._left = BYTES
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BYTES)
                self._bytes()
            case _:
                self._transport.write(READY)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._path == b"/events":
            self._events()
        else:
            self._bytes()

    def _events(self) -> None:
        if self._paused or self._gone:
            return
        self._transport.write(CHUNK if self._left else LAST)
        if self._left:
            self._left -= 1
            self._loop.call_soon(self._events)

    def _slow(self) -> None:
        if not self._gone:
            self._transport.write(CHUNK)
            self._loop.call_later(PAUSE_S, self._slow)

    def _bytes(self) -> None:
        while self._left and not self._paused and not self._gone:
            self._transport.write(PIECE)
            self._left -= len(PIECE)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Source, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
