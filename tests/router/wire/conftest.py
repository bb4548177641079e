import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """For what asks a loop for the time and nothing else."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()
