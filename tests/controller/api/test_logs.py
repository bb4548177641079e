"""Following what may never say anything: it ends when nobody listens any more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from controller.api.logs import LogRequest
from tests.controller.api.kit import IRIS, SERVICES, iris, running


@pytest.mark.parametrize("lines", [0, 1])
async def test_who_leaves_a_silent_log_ends_it(tmp_path: Path, lines: int) -> None:
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def silent(_: LogRequest) -> AsyncIterator[bytes]:
        try:
            for _line in range(lines):
                yield b"a line\n"
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(tmp_path, logs=silent) as api, asyncio.timeout(30):
        await api.ok("POST", SERVICES, json=iris())
        patience = ClientTimeout(total=0.2)
        with pytest.raises(TimeoutError):
            async with api.session.get(f"{api.url}{IRIS}/log?follow=true", timeout=patience) as got:
                await got.read()
        await waiting.wait()
        await ended.wait()


async def test_who_follows_is_let_go_when_the_server_ends(tmp_path: Path) -> None:
    async def silent(_: LogRequest) -> AsyncIterator[bytes]:
        yield b"a line\n"
        await asyncio.Event().wait()

    async with running(tmp_path, logs=silent) as api, asyncio.timeout(30):
        await api.ok("POST", SERVICES, json=iris())
        async with api.session.get(f"{api.url}{IRIS}/log?follow=true") as got:
            assert await got.content.readline() == b"a line\n"
            api.store.changes.close()
            assert await got.content.read() == b""  # whole, not broken off
