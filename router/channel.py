"""What parent and worker say to each other, and the pipe they say it through.

A socket pair carries msgspec messages, each behind its length. The parent tells what should be
(configuration, the graphs of a generation, readiness, drain), the worker what has become of it.
Counters do not come this way (see `counters`). The end of the stream means that the other process
is gone.
"""

import asyncio
import socket
from typing import Generic, TypeVar

import msgspec

from router.config import DataPlaneConfig, EndpointSource, GraphSource

_LENGTH_BYTES = 4
# Far above any set of manifests that compiles in bounded time; a longer frame means that the stream
# is broken.
LIMIT_BYTES = 512 * 1024 * 1024


class Configure(msgspec.Struct, frozen=True, tag=True):
    """The first message to a worker."""

    config: DataPlaneConfig


class Install(msgspec.Struct, frozen=True, tag=True):
    """Serve these graphs and no others, with these endpoints."""

    generation: int
    graphs: tuple[GraphSource, ...]
    endpoints: dict[str, EndpointSource]


class Ready(msgspec.Struct, frozen=True, tag=True):
    """What /readyz on the data port says."""

    ready: bool


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Stop accepting, finish the requests in flight within this time, then end."""

    limit_s: float


class Started(msgspec.Struct, frozen=True, tag=True):
    """The worker is configured and waits for graphs."""


class Installed(msgspec.Struct, frozen=True, tag=True):
    """The generation serves, or (with problems) the one before still does."""

    generation: int
    problems: tuple[str, ...] = ()


class Drained(msgspec.Struct, frozen=True, tag=True):
    """The worker ends. `cut_off`: requests that were in flight when the limit came."""

    cut_off: int = 0


class Waiting(msgspec.Struct, frozen=True, tag=True):
    """Calls to these services (`namespace/name`) have begun to wait for a replica."""

    services: tuple[str, ...]


class Explained(msgspec.Struct, frozen=True, tag=True):
    """The records of requests that asked to be explained, as JSON."""

    records: tuple[bytes, ...]


ToWorker = Configure | Install | Ready | Drain
ToParent = Started | Installed | Drained | Waiting | Explained

Sent = TypeVar("Sent")
Received = TypeVar("Received")


class BrokenChannel(Exception):
    """The other side sent what is no message: a bug, or a stranger on the socket."""


class Channel(Generic[Sent, Received]):
    """One end. `send` waits until the kernel has taken nearly all: memory stays bounded."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: "msgspec.msgpack.Decoder[Received]",
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()

    async def send(self, message: Sent) -> None:
        """ConnectionError if the other process is gone."""
        body = self._encoder.encode(message)
        if len(body) > LIMIT_BYTES:
            raise BrokenChannel(f"a message of {len(body)} bytes is over the limit")
        self._writer.write(len(body).to_bytes(_LENGTH_BYTES, "big"))
        self._writer.write(body)
        await self._writer.drain()

    async def receive(self) -> Received | None:
        """The next message, or None once the other process is gone."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
            if length > LIMIT_BYTES:
                raise BrokenChannel(f"a message of {length} bytes is over the limit")
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise BrokenChannel(str(error)) from error

    def close(self) -> None:
        self._writer.close()


async def parent_end(sock: socket.socket) -> Channel[ToWorker, ToParent]:
    reader, writer = await asyncio.open_unix_connection(sock=sock)
    return Channel(reader, writer, msgspec.msgpack.Decoder(ToParent))


async def worker_end(sock: socket.socket) -> Channel[ToParent, ToWorker]:
    reader, writer = await asyncio.open_unix_connection(sock=sock)
    return Channel(reader, writer, msgspec.msgpack.Decoder(ToWorker))
