"""The folder that has a folder for each model: what lies there, who uses it, and how one leaves.

Beside a model (see `target`) lies NAME.use. Who needs the model holds a shared lock on it, whatever
process he is in, and the kernel releases it however he ends; its time is that of the last use. Only
who gets that lock alone may evict: the model is renamed aside, and that name is on the disk before
its first file goes. So a model is whole or absent here too, and these files are all the index that
there is. Calls block, except `hold`.
"""

import asyncio
import fcntl
import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controller.storage.outcome import disk_fault
from controller.storage.target import POLL_S, Target, beside, sweep, sync_folder, try_lock
from controller.storage.threads import in_thread, made_in_thread

_USE, _EVICTED, _RECORD, _PARTIAL = ".use", ".evicted", ".json", ".partial"

RESUMED_S = 86_400.0  # a download that was cut off may be gone on with
_NEVER = 0.0  # the time of a file whose model was only kept so far


@dataclass(frozen=True, slots=True)
class Copy:
    """A model of a shelf. Of one that is gone its size is known while somebody may want it again;
    `used_at` is None if nobody has used it.
    """

    name: str
    size_bytes: int
    fetched_at: float
    used_at: float | None = None
    here: bool = True


def scan(shelf: Path) -> list[Copy]:
    """What lies there as a whole, and what is known of others; OSError if nobody may look."""
    found = []
    with suppress(FileNotFoundError):
        for record in sorted(shelf.glob(f"*{_RECORD}")):
            path = record.with_suffix("")
            try:
                size_bytes = int(json.loads(record.read_bytes())["size_bytes"])
                fetched_at = record.stat().st_mtime
            except (OSError, ValueError, KeyError, TypeError):
                continue  # gone meanwhile, or none of ours
            found.append(Copy(path.name, size_bytes, fetched_at, _used_at(path), path.is_dir()))
    return found


def evict(path: Path, *, remember: bool = False) -> bool:
    """False: somebody uses it, or fetches it. What has come of it so far goes too.

    `remember`: its size stays known, for who may want it again. OSError if the disk refuses.
    """
    target = Target(path)
    lock = target.open_lock()
    try:
        if not try_lock(lock):
            return False
        use = _open(path)
        try:
            if not try_lock(use):
                return False
            aside = beside(path, f".{secrets.token_hex(4)}{_EVICTED}")
            if os.path.lexists(path):
                os.rename(path, aside)
                sync_folder(path.parent)
            if not remember:
                beside(path, _RECORD).unlink(missing_ok=True)
        finally:
            os.close(use)
        target.discard()
    finally:
        os.close(lock)
    shutil.rmtree(aside, ignore_errors=True)
    return True


def clear(shelf: Path, now: float) -> None:
    """What evictions that were cut off have left, and downloads that nobody has gone on with for a
    day; until then somebody may.
    """
    for aside in shelf.glob(f"*{_EVICTED}"):
        shutil.rmtree(aside, ignore_errors=True)
    fresh = [
        partial.with_name(partial.name.removesuffix(_PARTIAL))
        for partial in shelf.glob(f"*{_PARTIAL}")
        if _changed_at(partial) > now - RESUMED_S
    ]
    sweep(shelf, fresh)


def _changed_at(folder: Path) -> float:
    """Of the newest thing in it."""
    dates = [0.0]
    for found in (folder, *folder.rglob("*")):
        with suppress(OSError):
            dates.append(found.lstat().st_mtime)
    return max(dates)


class Hold:
    """While it is open, nobody evicts the model, be it there or yet to come."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def used_now(self) -> None:
        os.utime(self._descriptor)

    def release(self) -> None:
        os.close(self._descriptor)


async def hold(path: Path) -> Hold:
    """Fault if the disk refuses. An eviction that is under way is waited for: a moment."""
    descriptor = await made_in_thread(lambda: _opened(path), os.close)
    try:
        while not try_lock(descriptor, fcntl.LOCK_SH):  # noqa: ASYNC110 - as in `Target.locked`
            await asyncio.sleep(POLL_S)
    except BaseException:
        os.close(descriptor)
        raise
    return Hold(descriptor)


async def scanned(shelf: Path) -> list[Copy]:
    return await in_thread(scan, shelf)


def _used_at(path: Path) -> float | None:
    try:
        at = beside(path, _USE).stat().st_mtime
    except OSError:
        return None
    return at if at > _NEVER else None


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _open(path)
    except OSError as error:
        raise disk_fault(error, beside(path, _USE)) from error


def _open(path: Path) -> int:
    use = beside(path, _USE)
    with suppress(FileExistsError):
        descriptor = os.open(use, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        os.utime(descriptor, (_NEVER, _NEVER))
        return descriptor
    return os.open(use, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
