"""A data plane on a port and its figures, for tests of bodies that stream."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping

from router.config import DataPlaneConfig, EndpointSource, GraphSource, LogConfig
from router.counters import Block, Counters, Kind, Reader
from router.data_plane import DataPlane
from tests.kit.client import Client
from tests.kit.eventually import eventually

EVENTS = "Content-Type: text/event-stream\r\n"


def head(extra: str = "Transfer-Encoding: chunked\r\n", status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} OK\r\n{extra}\r\n".encode()


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


LAST = b"0\r\n\r\n"


class Plane:
    def __init__(self, config: DataPlaneConfig | None = None) -> None:
        self.block = Block.create(1 << 20)
        quiet = config or DataPlaneConfig(log=LogConfig(access=False))
        self.plane = DataPlane(quiet, Counters(self.block), asyncio.get_running_loop())
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.plane.listen([self.socket])

    async def install(
        self, *graphs: GraphSource, services: Mapping[str, EndpointSource] | None = None
    ) -> None:
        assert await self.plane.install(graphs, services or {}) == ()

    @contextlib.asynccontextmanager
    async def client(self, *sent: bytes) -> AsyncIterator[Client]:
        async with Client.to(self.port) as client:
            for data in sent:
                await client.send(data)
            yield client

    def count(self, name: str, **labels: str) -> int:
        reader = Reader(self.block)
        total = 0
        for series in reader.series():
            if series.name == name and labels.items() <= dict(series.labels).items():
                values = reader.values(series)
                total += sum(values[:-1] if series.kind is Kind.HISTOGRAM else values)
        return total

    async def counted(self, name: str, **labels: str) -> None:
        await eventually(lambda: self.count(name, **labels) == 1, f"{name} {labels}")

    async def at_rest(self) -> None:
        await eventually(lambda: not self.count("graphway_requests_in_flight"), "nothing in flight")
        await eventually(lambda: not self.busy, "no connection to a predictor is busy")

    @property
    def busy(self) -> int:
        """Calls on their way."""
        return sum(pool.load for pool in self.plane._upstream._pools.values())

    def close(self) -> None:
        self.plane.close()
        self.socket.close()
