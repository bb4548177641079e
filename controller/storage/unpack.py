"""An archive into a folder, so that nothing in it can reach outside or fill the disk.

Files and folders are written by plain names only, into folders that were made here. Links are made
after everything else, so nothing is ever written through one, and each must in the end lead to a
place inside. Devices and pipes are refused. What is written is counted as it is written. Blocking;
`stop` is asked between chunks.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from controller.storage.archive import Entry, Kind, entries
from controller.storage.names import safe_name
from controller.storage.outcome import Fault, Reason, disk_fault, in_words
from controller.storage.settings import StorageSettings
from controller.storage.target import sync_data

_CHUNK_BYTES = 1024 * 1024
_FREE_BYTES = 64 * 1024 * 1024  # a small archive may have any ratio: empty tables pack to nothing


class Stopped(Exception):
    """Nobody wants the result any more."""


def unpack(path: Path, folder: Path, settings: StorageSettings, stop: Callable[[], bool]) -> None:
    """`folder` is new. Fault if the archive is broken, hostile or too large."""
    size = path.stat().st_size
    limit = min(settings.unpacked_size, max(size * settings.unpacked_ratio, _FREE_BYTES))
    work = _Work(path.name, folder, limit, settings.unpacked_files, stop)
    try:
        folder.mkdir()
        with entries(path) as found:
            for entry in found:
                work.take(entry)
        work.link()
    except OSError as error:
        raise disk_fault(error, folder) from error


@dataclass(slots=True)
class _Work:
    archive: str
    folder: Path
    most_bytes: int
    most_entries: int
    stop: Callable[[], bool]
    links: list[tuple[str, str]] = field(default_factory=list)  # name, where it leads
    bytes_written: int = 0
    entry_count: int = 0
    folders: set[Path] = field(default_factory=set)  # that were made

    def take(self, entry: Entry) -> None:
        self._count_entry()
        if entry.kind is Kind.FOLDER and entry.name.strip("./") == "":
            return  # tar's own word for the folder that was packed
        name = safe_name(entry.name)
        if name is None:
            self._hostile(f"{entry.name!a} is no name of a file inside of it")
        path = self.folder / name
        match entry.kind:
            case Kind.FOLDER:
                self._folder(path, name, counted=1)
            case Kind.FILE:
                self._folder(path.parent, name)
                assert entry.content is not None  # every file has one
                self._file(path, name, entry.content, entry.executable)
            case Kind.SYMLINK:
                self._folder(path.parent, name)
                self.links.append((name, entry.link))
            case Kind.HARDLINK:
                self._folder(path.parent, name)
                self._hardlink(path, name, entry.link)
            case Kind.OTHER:
                self._hostile(f"{name} is a device or a pipe")

    def link(self) -> None:
        """Links may lead to links: where each ends is known only when all are there."""
        made = []
        for name, leads_to in self.links:
            path = self.folder / name
            inner = os.path.normpath(os.path.join(os.path.dirname(name), leads_to))
            if not leads_to or leads_to.startswith("/") or inner.split("/")[0] == "..":
                self._hostile(f"the link {name} leads out of its folder")
            try:
                os.symlink(leads_to, path)
            except (FileExistsError, ValueError):
                self._twice(name)
            made.append(path)
        root = os.path.realpath(self.folder)
        for path in made:
            if not (os.path.realpath(path) + "/").startswith(root + "/"):
                self._hostile(f"the link {path.name} leads out of its folder")

    def _folder(self, path: Path, name: str, counted: int = 0) -> None:
        """With those above it, which need no entry of their own: a name may have a thousand."""
        missing = []
        while path != self.folder and path not in self.folders:
            missing.append(path)
            path = path.parent
        for _ in missing[counted:]:
            self._count_entry()
        try:
            for each in reversed(missing):
                each.mkdir(exist_ok=True)
                self.folders.add(each)
        except (FileExistsError, NotADirectoryError):
            self._twice(name)

    def _file(self, path: Path, name: str, content: IO[bytes], executable: bool) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o755 if executable else 0o644)
        except FileExistsError:
            self._twice(name)
        with os.fdopen(descriptor, "wb") as file:
            while chunk := content.read(_CHUNK_BYTES):
                self._count(len(chunk))
                file.write(chunk)
            file.flush()
            sync_data(file.fileno())

    def _hardlink(self, path: Path, name: str, leads_to: str) -> None:
        """To a file that came before, and none through a link: those are made last."""
        inner = safe_name(leads_to)
        try:
            if inner is None or not stat.S_ISREG(os.lstat(self.folder / inner).st_mode):
                self._hostile(f"the link {name} leads to no file of it")
            os.link(self.folder / inner, path, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            self._hostile(f"the link {name} leads to no file of it")
        except FileExistsError:
            self._twice(name)

    def _count_entry(self) -> None:
        self.entry_count += 1
        if self.entry_count > self.most_entries:
            self._too_large(f"{self.most_entries} files and folders")

    def _count(self, size: int) -> None:
        if self.stop():
            raise Stopped
        self.bytes_written += size
        if self.bytes_written > self.most_bytes:
            self._too_large(in_words(self.most_bytes))

    def _too_large(self, limit: str) -> NoReturn:
        message = f"{self.archive} unpacks to more than {limit}; if it really is so large, raise "
        settings = "GRAPHWAY_STORAGE_UNPACKED_SIZE, _RATIO or _FILES"
        raise Fault(Reason.TOO_LARGE, message + settings)

    def _hostile(self, what: str) -> NoReturn:
        raise Fault(Reason.BAD_ARCHIVE, f"{self.archive}: {what}; pack it anew without")

    def _twice(self, name: str) -> NoReturn:
        message = f"{self.archive} has {name} twice, or as a file and as a folder; pack it anew"
        raise Fault(Reason.BAD_ARCHIVE, message)
