"""The folder that a model is fetched into: complete or absent, whenever the machine or the process
ends.

Beside TARGET lie TARGET.lock (one writer at a time, among processes too: the kernel releases it
however its holder ends), TARGET.partial (what has come so far, to be resumed) and TARGET.json (what
it is, written before it appears). Work is done in the partial folder; one rename publishes it.
Blocking calls run in threads.
"""

import asyncio
import fcntl
import json
import os
import shutil
import stat
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from controller.storage.outcome import Fault, Fetched, Reason, disk_fault, in_words
from controller.storage.threads import made_in_thread

POLL_S = 0.2  # for the lock: asked often enough; a blocking call could not be cancelled

sync_data = getattr(os, "fdatasync", os.fsync)  # which macOS lacks

_LOCK, _PARTIAL, _RECORD = ".lock", ".partial", ".json"


class Target:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = beside(path, _PARTIAL)
        self.tree = self.partial / "model"  # what will be published
        self.unpacked = self.partial / "unpacked"  # or this, if the model is one archive
        self.journal = self.partial / "journal"
        self._record = beside(path, _RECORD)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[int]:
        """The lock's descriptor: a child that inherits it keeps others out to its own end."""
        descriptor = await made_in_thread(self.open_lock, os.close)
        try:
            while not try_lock(descriptor):  # noqa: ASYNC110 - the kernel has no other word for it
                await asyncio.sleep(POLL_S)
            yield descriptor
        finally:
            os.close(descriptor)

    def open_lock(self) -> int:
        lock = beside(self.path, _LOCK)
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise disk_fault(error, lock) from error

    def existing(self, uri_digest: str) -> Fetched | None:
        """What was fetched before; Fault if something else lies there."""
        if not os.path.lexists(self.path):
            return None
        try:
            record = json.loads(self._record.read_text())
            if record["uri"] == uri_digest:
                return Fetched(self.path, record["size_bytes"], record["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no record of ours: not our folder
        message = f"{self.path} holds something else; remove it, or fetch to another folder"
        raise Fault(Reason.TARGET_TAKEN, message)

    def begin(self) -> None:
        """A folder to work in; what an earlier try left there stays."""
        try:
            self.tree.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.unpacked, ignore_errors=True)
        except OSError as error:
            raise disk_fault(error, self.partial) from error

    def check_room(self, size_bytes: int) -> None:
        free = shutil.disk_usage(self.partial).free
        if size_bytes > free:
            message = f"the model needs {in_words(size_bytes)}, and the disk of {self.path} has "
            raise Fault(Reason.DISK_FULL, f"{message}{in_words(free)} free; make room there")

    def publish(self, tree: Path, uri_digest: str, digest: str | None) -> Fetched:
        """`tree` becomes the target. Its files are on the disk already; here their names follow."""
        try:
            size_bytes = _measure(tree)
            record = {"uri": uri_digest, "size_bytes": size_bytes, "digest": digest}
            _write(self._record, json.dumps(record))
            os.rename(tree, self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise disk_fault(error, self.path) from error
        self.discard()
        return Fetched(self.path, size_bytes, digest)

    def discard(self) -> None:
        """What has come so far."""
        shutil.rmtree(self.partial, ignore_errors=True)


def sweep(root: Path, wanted: Collection[Path] = ()) -> list[Path]:
    """Removes what cut-off fetches into `root` have left and nobody works on; blocking.

    `wanted` are targets that will be fetched: theirs is kept, to be resumed.
    """
    removed = []
    for partial in root.glob(f"*{_PARTIAL}"):
        path = partial.with_name(partial.name.removesuffix(_PARTIAL))
        if path in wanted:
            continue
        target = Target(path)
        descriptor = target.open_lock()
        try:
            if try_lock(descriptor):
                target.discard()
                removed.append(partial)
        finally:
            os.close(descriptor)
    return removed


def sync_files(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                sync_data(descriptor)
            finally:
                os.close(descriptor)


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def try_lock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _measure(tree: Path) -> int:
    """The size of all files, every folder's names safe on the disk on the way."""
    size_bytes = 0
    for folder, _, names in os.walk(tree):
        for name in names:
            size_bytes += os.lstat(os.path.join(folder, name)).st_size
        sync_folder(Path(folder))
    return size_bytes


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    draft = beside(path, ".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
