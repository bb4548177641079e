"""Asks a server whether it is ready."""

import asyncio

import aiohttp

from controller.workload import Probe


async def answers(session: aiohttp.ClientSession, probe: Probe, port: int) -> bool:
    """`port` is the real one. Anything but a timely success is a no."""
    try:
        async with asyncio.timeout(probe.timeout_s):
            if probe.path is None:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            url = f"http://127.0.0.1:{port}{probe.path}"
            async with session.get(url, allow_redirects=False) as answer:
                return 200 <= answer.status < 400  # as the kubelet counts
    except (OSError, TimeoutError, aiohttp.ClientError):
        return False
