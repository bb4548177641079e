"""`graphway serve` as a process, for live tests: started on free ports, watched through its log
and admin port.

    async with Router.serving(folder, manifest, "--workers", "2") as router:
        async with Client.to(router.port) as client: ...
        router.write(edited)             # the watcher sees it; or router.signal(SIGHUP) with
        --no-watch os.kill(router.worker_pids()[0], SIGKILL)

Knows the router only from outside: its command line, files, signals, ports and log lines.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.kit.client import Client, request
from tests.kit.eventually import eventually

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "serve")
START_DEADLINE_S = 30.0
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)\Z")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Labels = Mapping[str, str]


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: list[tuple[str, Labels, float]] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                sample = SAMPLE.match(line)
                assert sample, f"no sample: {line!r}"
                labels = dict(LABEL.findall(sample[2] or ""))
                self.samples.append((sample[1], labels, float(sample[3])))

    def total(self, name: str, **labels: str) -> float:
        """The sum of all series of the name that have these labels; 0 if there is none."""
        wanted = labels.items()
        return sum(
            value for found, has, value in self.samples if found == name and wanted <= has.items()
        )


class Router:
    def __init__(self, folder: Path, manifest: str, *flags: str, env: Labels | None = None) -> None:
        self.manifest = folder / "graphs.yaml"
        self.manifest.write_text(manifest)
        self.log: list[str] = []
        self._events: list[dict[str, Any]] = []  # the lines of the log that are JSON
        ports = ("--host", "127.0.0.1", "--port", "0", "--admin-port", "0")
        self.process = subprocess.Popen(
            [*COMMAND, str(self.manifest), *ports, *flags],
            cwd=PROJECT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that whatever is left can be ended as one group
        )
        assert self.process.stdout
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(
        cls, folder: Path, manifest: str, *flags: str, env: Labels | None = None
    ) -> AsyncIterator["Router"]:
        """Ready to be asked; killed at the end with all its workers if the test has not ended
        it.
        """
        router = cls(folder, manifest, *flags, env=env)
        try:
            await eventually(
                lambda: router.events("serving") or router.exit_code is not None,
                "the router serves",
                START_DEADLINE_S,
            )
            assert router.exit_code is None, router.text()
            yield router
        finally:
            router.kill()

    # what it says

    @property
    def port(self) -> int:
        return self._port("data")

    @property
    def grpc(self) -> str:
        """host:port"""
        return str(self.events("serving")[0]["grpc"])

    @property
    def admin_port(self) -> int:
        return self._port("admin")

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def events(self, message: str) -> list[dict[str, Any]]:
        """Lines of the parent's log with this message."""
        return [event for event in list(self._events) if event.get("message") == message]

    def access_log(self) -> list[dict[str, Any]]:
        return [event for event in list(self._events) if event.get("event") == "request"]

    def text(self) -> str:
        return "".join(self.log)

    async def admin(self, path: str) -> str:
        async with Client.to(self.admin_port) as client:
            response = await client.ask(request(path, b"", "GET"))
        return response.body.decode()

    async def metrics(self) -> Metrics:
        return Metrics(await self.admin("/metrics"))

    # what can be done to it

    def write(self, manifest: str) -> None:
        """Replace the manifest at once, as editors do."""
        new = self.manifest.with_suffix(".new")
        new.write_text(manifest)
        new.replace(self.manifest)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def worker_pids(self) -> list[int]:
        """Living workers, by what the kernel says of the parent's children."""
        folder = Path(f"/proc/{self.process.pid}/task")
        with contextlib.suppress(FileNotFoundError):
            children = " ".join(
                task.joinpath("children").read_text() for task in folder.iterdir()
            ).split()
            return [int(pid) for pid in children if b"router.worker" in _command_line(pid)]
        return []

    async def ended(self, deadline_s: float = START_DEADLINE_S) -> int:
        """Its exit code."""
        await eventually(lambda: self.exit_code is not None, "the router ends", deadline_s)
        code = self.exit_code
        assert code is not None
        await asyncio.to_thread(self._reader.join, deadline_s)
        return code

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()

    def _port(self, which: str) -> int:
        port = urlsplit(str(self.events("serving")[0][which])).port
        assert port
        return port

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self.log.append(line)
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self._events.append(event)


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
