"""One process and all that it starts: a group of its own, its output by line, its end.

No policy: when to start, what ready means and when to try again is decided elsewhere.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from pathlib import Path

import psutil

from controller.local.launch import Launch
from controller.local.logfile import LogFile, LogLimits
from controller.local.output import Output
from controller.local.pipe import Pipe

WRAPPER = Path(__file__).with_name("parented.py")
GONE_S = 5.0  # after SIGKILL; a process in uninterruptible sleep is not waited for
LIMITS = LogLimits()
OUTPUT_S = 1.0  # after its end, for the rest of the output; a child that left may hold the pipe


class Process:
    def __init__(
        self,
        process: asyncio.subprocess.Process,
        pipe: Pipe,
        output: Output,
    ) -> None:
        self._process = process
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
        """Until it has ended and its output is read; the exit status, negative for a signal."""
        status = await self._process.wait()
        try:
            async with asyncio.timeout(OUTPUT_S):
                await self._pipe.ended.wait()
        except TimeoutError:
            pass
        return status

    def terminate(self) -> None:
        """Asks the whole group to end."""
        self._signal(signal.SIGTERM)

    async def stop(self, grace_s: float) -> None:
        """Asks the whole group to end, and ends what has not by then."""
        gone = False
        try:
            self.terminate()
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
        except PermissionError:  # a child that became another user: it is there, at least
            return True
        return True


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


async def start(
    launch: Launch,
    log: Path,
    on_line: Callable[[str], None],
    *,
    limits: LogLimits = LIMITS,
    cgroup: Path | None = None,
) -> Process:
    """A command that cannot be run ends with status 127 and says why in its output."""
    launch.folder.mkdir(parents=True, exist_ok=True)
    output = Output(LogFile(log, limits), on_line)
    # A pipe of our own: with asyncio's, some Pythons call a process alive until its children close
    # it too.
    read_end, write_end = os.pipe()
    pipe = Pipe(read_end, output.take)
    try:
        process = await asyncio.create_subprocess_exec(
            *wrapped(launch.argv, cgroup),
            env=launch.env,
            cwd=launch.folder,
            stdin=DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    except BaseException:
        pipe.close()
        output.close()
        raise
    finally:
        os.close(write_end)
    return Process(process, pipe, output)


def wrapped(argv: tuple[str, ...], cgroup: Path | None = None) -> tuple[str, ...]:
    """The command that runs this one so that it ends with us."""
    me = (sys.executable, "-I", "-S", str(WRAPPER), str(os.getpid()))
    return (*me, str(cgroup or ""), *argv)
