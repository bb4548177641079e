"""Many clients at once, each with its connection."""

import contextlib
from collections.abc import AsyncIterator

from tests.kit.client import Client


@contextlib.asynccontextmanager
async def crowd(port: int, count: int) -> AsyncIterator[list[Client]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Client.to(port)) for _ in range(count)]
