"""The command of a StorageContainer, run on this machine as KServe runs its container: the URI and
the folder are its last arguments, credentials are in its environment, exit status 0 means done.

It has a process group of its own, which ends with it, with the fetch, and with this process. Of its
output the last lines are kept to say why it failed, without the secrets that it was given.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from controller.local import parented
from controller.storage.containers import Command
from controller.storage.credentials import GOOGLE_FILE, Credentials, family_of
from controller.storage.outcome import Fault, Reason
from controller.storage.settings import StorageSettings
from controller.storage.threads import in_thread

LAST_LINES = 5
LONGEST_LINE = 500  # characters, in a message
STOP_GRACE_S = 5.0
NO_CGROUP = ""
_READ_BYTES = 65_536


async def run_command(
    command: Command,
    uri: str,
    folder: Path,
    *,
    environ: Mapping[str, str],
    credentials: Credentials,
    key_file: Path,
    lock: int,
    settings: StorageSettings,
) -> None:
    """Fault if it fails. `key_file` is for a Google key, and gone afterwards."""
    inherited = {
        name: value
        for name, value in environ.items()
        if family_of(name) is None and not name.startswith("GRAPHWAY_")
    }
    own = {**inherited, **command.env, **credentials.env}
    try:
        if credentials.google_key:
            await in_thread(_write_private, key_file, credentials.google_key)
            own[GOOGLE_FILE] = str(key_file)
        status, lines = await _run([*command.argv, uri, str(folder)], own, folder, lock, settings)
    finally:
        await in_thread(key_file.unlink, missing_ok=True)
    if status != 0:
        given = Credentials({name: command.env[name] for name in command.secrets})
        told = given.scrub(credentials.scrub(" / ".join(lines))).replace(uri, "its URI")
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise Fault(Reason.COMMAND_FAILED, f"{command.argv[0]} {how}: {told or 'it said nothing'}")


async def _run(
    argv: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    lock: int,
    settings: StorageSettings,
) -> tuple[int, Sequence[str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", parented.__file__, str(os.getpid()), NO_CGROUP, *argv),
        env=env,
        cwd=folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
        pass_fds=(lock,),  # should it outlive us, nobody else writes into the folder
    )
    assert process.stdout is not None  # asked for
    try:
        async with asyncio.timeout(settings.command_seconds):
            lines = await _last_lines(process.stdout)
            status = await process.wait()
    except TimeoutError:
        message = f"{argv[0]} was not done within {settings.command_seconds:g} s"
        raise Fault(Reason.COMMAND_FAILED, message) from None
    finally:
        await _end(process)
    return status, lines


async def _last_lines(output: asyncio.StreamReader) -> Sequence[str]:
    lines: deque[str] = deque(maxlen=LAST_LINES)
    rest = b""
    while chunk := await output.read(_READ_BYTES):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        if len(rest) > _READ_BYTES:
            whole, rest = [*whole, rest], b""
        lines.extend(map(_shown, filter(bytes.strip, whole)))
    if rest.strip():
        lines.append(_shown(rest))
    return lines


def _shown(line: bytes) -> str:
    return line.decode(errors="replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """The group, children that its first process left behind too."""
    if process.returncode is None and _signal(process.pid, signal.SIGTERM):
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await process.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            _signal(process.pid, signal.SIGKILL)
            raise
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
