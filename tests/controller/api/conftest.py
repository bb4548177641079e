from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.controller.api.kit import Api, running


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running(tmp_path) as api:
        yield api
