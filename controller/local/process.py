"""One process and all that it starts: a group of its own, its output by line, its end.

No policy: when to start, what ready means and when to try again is decided elsewhere.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil

from controller.local.launch import Launch

WRAPPER = Path(__file__).with_name("parented.py")
LAST_LINES = 20  # kept for whoever asks why it ended
LONGEST_LINE = 1_000_000  # bytes; cut beyond, so that output without line ends is no leak
GONE_S = 5.0  # after SIGKILL; a process in uninterruptible sleep is not waited for
OUTPUT_S = 1.0  # after its end, for the rest of the output; a child that left may hold the pipe


class Output:
    """Bytes -> lines: into the log file, and to whoever watches."""

    def __init__(self, log: Path, on_line: Callable[[str], None]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._file = log.open("ab")
        self._on_line = on_line
        self._rest = b""
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)

    def take(self, data: bytes) -> None:
        # Progress bars return to the beginning of the line instead of ending it.
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for raw in filter(bytes.strip, lines):
            self._file.write(raw + b"\n")
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            self._on_line(line)
        self._file.flush()

    def close(self) -> None:
        self.take(b"\n")
        self._file.close()


class Process:
    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        pipe: asyncio.ReadTransport,
        output: Output,
    ) -> None:
        self._process = process
        self._reader = reader
        self._pipe = pipe
        self._output = output

    @property
    def pid(self) -> int:
        """Also the id of its group and session."""
        return self._process.pid

    @property
    def last_lines(self) -> list[str]:
        return list(self._output.last_lines)

    async def run(self) -> int:
        """Reads its output until it ends; the exit status, negative for a signal."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read())
            status = await self._process.wait()
            await asyncio.wait((reading,), timeout=OUTPUT_S)
            reading.cancel()
        return status

    async def _read(self) -> None:
        while chunk := await self._reader.read(65_536):
            self._output.take(chunk)

    async def stop(self, grace_s: float) -> None:
        """Asks the whole group to end, and ends what has not by then."""
        gone = False
        try:
            self._signal(signal.SIGTERM)
            gone = await self._gone_within(grace_s)
        finally:
            if not gone:
                self.kill()
            self._pipe.close()
            self._output.close()
        if not gone:
            await self._gone_within(GONE_S)

    def kill(self) -> None:
        """The whole group, now."""
        self._signal(signal.SIGKILL)

    async def _gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
                while self._has_members():  # noqa: ASYNC110 - nobody tells us of their end
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    def _has_members(self) -> bool:
        """Whether children of it live. The dead may stay in the group: not every init asks for
        them.
        """
        if not self._signal(0):
            return False
        return any(
            process.info["status"] != psutil.STATUS_ZOMBIE and _group(process.pid) == self.pid
            for process in psutil.process_iter(["status"])
        )

    def _signal(self, number: int) -> bool:
        """False if nobody of the group is left."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


async def start(launch: Launch, log: Path, on_line: Callable[[str], None]) -> Process:
    """A command that cannot be run ends with status 127 and says why in its output."""
    launch.folder.mkdir(parents=True, exist_ok=True)
    # A pipe of our own: with asyncio's, some Pythons call a process alive until its children close
    # it too.
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(WRAPPER),
            str(os.getpid()),
            *launch.argv,
            env=launch.env,
            cwd=launch.folder,
            stdin=DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    except BaseException:
        transport.close()
        raise
    finally:
        os.close(write_end)
    return Process(process, reader, transport, Output(log, on_line))
