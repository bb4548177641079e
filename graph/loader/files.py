"""Paths as a user names them -> the bytes of each manifest, each file once.

A folder gives its *.yaml, *.yml and *.json, and those of the folders below, in order of their
names. Hidden entries are passed over. So a mounted ConfigMap reads right: its files are links
through the hidden `..data`, and count under the names that one sees.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graph.codes import Code
from graph.loader.documents import MAX_BYTES
from graph.problems import Located

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"
STDIN_NAME = "<stdin>"
_Identity = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class File:
    """One byte more than the limit is read, for the loader to see that there is too much."""

    name: str
    data: bytes


@dataclass(slots=True)
class Files:
    """Iterate once; `problems` then holds the paths that could not be read."""

    paths: Iterable[str]
    problems: list[Located] = field(default_factory=list)
    _seen: set[_Identity] = field(default_factory=set)

    def __iter__(self) -> Iterator[File]:
        for path in self.paths:
            if path == STDIN:
                yield File(STDIN_NAME, sys.stdin.buffer.read(MAX_BYTES + 1))
            else:
                yield from self._path(path)

    def _path(self, path: str) -> Iterator[File]:
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            self._unreadable(path, error)
            return
        if not stat.S_ISDIR(status.st_mode):
            if self._is_new(status):
                yield from self._file(path)
            return
        if not self._is_new(status):
            return
        before = len(self.problems)
        some = False
        for file in self._folder(path):
            some = True
            yield file
        if not some and len(self.problems) == before:
            message = f"no manifest in this folder; one is named *{', *'.join(SUFFIXES)}"
            self.problems.append(Located(path, 1, 1, Code.NO_DOCUMENTS.at((), message)))

    def _folder(self, folder: str) -> Iterator[File]:
        waiting = [folder]
        while waiting:
            path = waiting.pop()
            try:
                status = os.stat(path)
                if stat.S_ISREG(status.st_mode) and path.endswith(SUFFIXES):
                    if self._is_new(status):
                        yield from self._file(path)
                elif stat.S_ISDIR(status.st_mode) and (path == folder or self._is_new(status)):
                    names = sorted(os.listdir(path), reverse=True)
                    waiting.extend(
                        os.path.join(path, name) for name in names if not name.startswith(".")
                    )
            except OSError as error:
                self._unreadable(path, error)

    def _file(self, path: str) -> Iterator[File]:
        try:
            with open(path, "rb", opener=_open) as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            self._unreadable(path, error)
            return
        yield File(path, data)

    def _is_new(self, status: os.stat_result) -> bool:
        """Whether this file or folder comes for the first time, under whatever name."""
        identity = (status.st_dev, status.st_ino)
        new = identity not in self._seen
        self._seen.add(identity)
        return new

    def _unreadable(self, path: str, error: OSError | ValueError) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"cannot be read: {reason}; give a file or folder that this user may read"
        problem = Code.UNREADABLE_PATH.at((), message)
        self.problems.append(Located(path, 1, 1, problem))


def _open(path: str, flags: int) -> int:
    """Without waiting for somebody to write: a pipe that nobody holds is empty."""
    fd = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(fd, True)
    return fd
