"""A router that runs somewhere, known by its process and its log alone.

`tests.kit.router` starts it on files with ports of its choice; here the command line is what is
tested, so whoever starts it decides.
"""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.message import Response

DEADLINE_S = 60.0
READYZ = request("/readyz", b"", "GET")


class Serving:
    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @classmethod
    @contextlib.asynccontextmanager
    async def until_killed(
        cls, process: subprocess.Popen[bytes], log: Path
    ) -> AsyncIterator["Serving"]:
        """Ready to be asked, or ended."""
        router = cls(process, log)
        try:
            await eventually(lambda: router.port or router.has_ended, "it serves", DEADLINE_S)
            yield router
        finally:
            process.kill()  # workers die with their parent
            await asyncio.to_thread(process.wait)

    def text(self) -> str:
        return self._log.read_text()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def port(self) -> int:
        """Of the data port; 0 until it serves."""
        for line in self.text().splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event.get("message") == "serving":
                    return int(event["data"].rpartition(":")[2])
        return 0

    async def ask(self, data: bytes) -> Response:
        assert self.port, self.text()
        async with Client.to(self.port) as client:
            return await client.ask(data)

    async def shuts_down(self) -> None:
        """After SIGTERM: /readyz says so."""

        async def unready() -> bool:
            answer = await self.ask(READYZ)
            return (answer.status, answer.body) == (503, b"shutting down\n")

        await eventually_awaited(unready, "/readyz says 503")

    async def ended(self) -> int:
        """The exit code."""
        return await asyncio.to_thread(self.process.wait, DEADLINE_S)
