"""Who listens for long shares a bounded number of places; whoever wants an answer needs none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from controller.api.logs import LogRequest
from tests.controller.api.kit import IRIS, SERVICES, iris, running
from tests.kit.eventually import eventually_awaited


async def silent(_: LogRequest) -> AsyncIterator[bytes]:
    yield b"a line\n"
    await asyncio.Event().wait()


async def test_one_more_is_refused_until_another_leaves(tmp_path: Path) -> None:
    async with running(tmp_path, logs=silent, max_streams=2) as api, asyncio.timeout(30):
        await api.ok("POST", SERVICES, json=iris())
        watch, follow = f"{api.url}{SERVICES}?watch=true", f"{api.url}{IRIS}/log?follow=true"
        async with api.session.get(watch) as first:
            assert first.status == 200
            async with api.session.get(follow) as second:
                assert second.status == 200
                for url in (watch, follow):
                    async with api.session.get(url) as refused:
                        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
                        assert (await refused.json())["reason"] == "TooManyRequests"
                await api.ok("GET", IRIS)  # an answer is to be had all the same
                second.close()

                async def there_is_room() -> bool:
                    async with api.session.get(watch) as again:
                        return again.status == 200

                await eventually_awaited(there_is_room, "room for one more")
