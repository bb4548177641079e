"""Load from many keep-alive connections at once, with the fate of each request: answered, lost or
refused.

    async with Load(router.port, request("/graphs/test/g"), connections=16) as load:
        await load.answers(200)          # until so many more have been answered
        ...
    assert load.lost == [] and set(load.statuses) == {200}

A client that is told `Connection: close` opens a new connection, as any client does.
"""

import asyncio
from collections import Counter
from types import TracebackType
from typing import Self

from tests.kit.client import DEADLINE_S, Client, Ended
from tests.kit.eventually import eventually
from tests.kit.message import Malformed, Response


class Load:
    def __init__(self, port: int, data: bytes, connections: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.seen: Counter[tuple[bytes, bytes]] = Counter()  # revision and body of the answers
        self.lost: list[str] = []  # sent and not wholly answered: why
        self.refused = 0  # connections that could not be made
        self._port = port
        self._data = data
        self._connections = connections
        self._stopping = False
        self._tasks = asyncio.TaskGroup()

    @property
    def answered(self) -> int:
        return self.statuses.total()

    async def answers(self, count: int) -> None:
        """Wait until so many more have been answered."""
        wanted = self.answered + count
        await eventually(lambda: self.answered >= wanted, f"{count} more answers", 3 * DEADLINE_S)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for _ in range(self._connections):
            self._tasks.create_task(self._ask_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Every client finishes the request that it has sent."""
        self._stopping = True
        await self._tasks.__aexit__(kind, error, trace)

    async def _ask_on(self) -> None:
        while not self._stopping:
            try:
                async with Client.to(self._port) as client:
                    await self._ask_until_closed(client)
            except OSError:
                self.refused += 1
                return

    async def _ask_until_closed(self, client: Client) -> None:
        while not self._stopping:
            try:
                response = await client.ask(self._data)
            except (Ended, Malformed, OSError, TimeoutError) as fault:
                self.lost.append(repr(fault))
                return
            self._count(response)
            if response.closes:
                return

    def _count(self, response: Response) -> None:
        self.statuses[response.status] += 1
        self.seen[response.header(b"x-graphway-revision") or b"", response.body] += 1
