"""The stand-in for a predictor in the large cases: reads each body to its end, then answers with
as many bytes.

A process of its own on uvloop. nginx, which plays the predictor of the small cases, either answers
before it has read a large body or copies it through a buffer or a file; this one reads into one
buffer and throws it away.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

from bench.cases import BODIES


def answer(size_bytes: int) -> bytes:
    head, tail = b'{"predictions":"', b'"}'
    body = head + b"x" * (size_bytes - len(head) - len(tail)) + tail
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    ) + body


READY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ANSWERS = {body.path.encode(): answer(body.size_bytes) for body in BODIES}


class Predictor(asyncio.BufferedProtocol):
    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(1024 * 1024))
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._parser.feed_data(self._buffer[:nbytes])

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_message_complete(self) -> None:
        self._transport.write(ANSWERS.get(self._path, READY))


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Predictor, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
