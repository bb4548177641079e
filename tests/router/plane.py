"""A data plane of one process on a loopback port, with the graphs and services a test names."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping

from router.config import DataPlaneConfig, EndpointSource, GraphSource, LogConfig
from router.counters import Block, Counters, Ledger
from router.data_plane import DataPlane
from tests.kit.client import Client, request
from tests.kit.message import Response

QUIET = LogConfig(access=False)


class Plane:
    def __init__(self, config: DataPlaneConfig | None = None) -> None:
        self.ledger = Ledger()
        block = Block.create(1 << 20)
        self.ledger.open(1, block)
        config = config or DataPlaneConfig(log=QUIET)
        self.plane = DataPlane(config, Counters(block), asyncio.get_running_loop())
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.plane.listen([self.socket])

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls,
        *graphs: GraphSource,
        services: Mapping[str, EndpointSource] | None = None,
        config: DataPlaneConfig | None = None,
    ) -> AsyncIterator["Plane"]:
        plane = cls(config)
        try:
            assert await plane.plane.install(graphs, services or {}) == ()
            yield plane
        finally:
            plane.plane.close()
            plane.socket.close()

    async def ask(
        self,
        path: str,
        body: bytes = b"{}",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        host: str = "test",
    ) -> Response:
        async with Client.to(self.port) as client:
            await client.send(request(path, body, method, headers, host))
            return await client.response(to_head=method == "HEAD")

    async def get(self, path: str, host: str = "test") -> Response:
        return await self.ask(path, b"", "GET", host=host)
