"""Log files of bounded size, written and read: NAME.log, and NAME.log.1, .2... for what was before.

A reader that follows keeps its place across rotations, however many there were since it last
looked: a rotated file keeps its inode, so its successor is found by number. Lines are bytes until
they are told to somebody; nothing here knows what writes them.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

POLL_S = 0.2  # of a reader that follows; nobody tells it of new lines
CHUNK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class LogLimits:
    file_bytes: int = 10 * 2**20
    files: int = 5  # the current one included


class LogFile:
    def __init__(self, path: Path, limits: LogLimits) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._limits = limits
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        size = self._file.tell()
        if size and size + len(line) + 1 > self._limits.file_bytes:
            self._rotate()
        self._file.write(line + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._limits.files - 1, 0, -1):
            source = numbered(self._path, number - 1)
            if source.exists():
                source.replace(numbered(self._path, number))
        self._path.unlink(missing_ok=True)  # where one file is all: a reader sees it go
        self._file = self._path.open("ab")


def numbered(path: Path, number: int) -> Path:
    return path if number == 0 else path.with_name(f"{path.name}.{number}")


def forget_oldest(folder: Path, keep: int) -> None:
    """Of the logs in a folder, all parts of those that were written to longest ago."""
    found = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in found[keep:]:
        for part in folder.glob(f"{file.name}*"):
            part.unlink(missing_ok=True)


async def lines(
    path: Path, *, tail: int | None = None, follow_while: Callable[[], bool] | None = None
) -> AsyncIterator[str]:
    """The last `tail` lines (None: all that are kept), then new ones as long as that holds."""
    backlog, file, rest = await asyncio.to_thread(_backlog, path, tail)
    for line in backlog:
        yield _text(line)
    try:
        while follow_while is not None:
            ends = not follow_while()  # asked first: what was written before is still read
            file, chunk = _read_on(path, file)
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield _text(line)
            if not chunk:
                if ends:
                    break
                await asyncio.sleep(POLL_S)
    finally:
        if file is not None:
            file.close()
    if rest:
        yield _text(rest)


def _backlog(path: Path, tail: int | None) -> tuple[list[bytes], BinaryIO | None, bytes]:
    """Lines, the newest file at its end, and what it has of a line without end."""
    newest: BinaryIO | None = None
    found: deque[list[bytes]] = deque()
    rest = b""
    seen: set[int] = set()
    for file in _newest_first(path):
        if (inode := os.fstat(file.fileno()).st_ino) in seen:  # rotated between two looks
            file.close()
            continue
        seen.add(inode)
        *whole, last = file.read().split(b"\n")
        found.appendleft(whole)
        if newest is None:
            newest, rest = file, last
        else:
            file.close()
        if tail is not None and sum(map(len, found)) >= tail:
            break
    flat = [line for part in found for line in part]
    return (flat if tail is None else flat[max(0, len(flat) - tail) :]), newest, rest


def _newest_first(path: Path) -> Iterator[BinaryIO]:
    number = 0
    while True:
        try:
            yield numbered(path, number).open("rb")
        except FileNotFoundError:
            if number > 0:  # the current one is away for a moment while it is rotated
                return
        number += 1


def _read_on(path: Path, file: BinaryIO | None) -> tuple[BinaryIO | None, bytes]:
    if file is not None and (chunk := file.read(CHUNK_BYTES)):
        return file, chunk
    following = _after(path, file)
    if following is None:
        return file, b""
    if file is not None:
        # It may have got its last lines after we looked and before it was put aside.
        last = file.read()
        file.close()
        return following, last + following.read(CHUNK_BYTES)
    return following, following.read(CHUNK_BYTES)


def _after(path: Path, file: BinaryIO | None) -> BinaryIO | None:
    """The file after this one; None if it is the newest."""
    files = list(_newest_first(path))
    inodes = [os.fstat(other.fileno()).st_ino for other in files]
    own = os.fstat(file.fileno()).st_ino if file is not None else None
    index = inodes.index(own) if own in inodes else len(files)  # gone: with the oldest
    for place, other in enumerate(files):
        if place != index - 1:
            other.close()
    return files[index - 1] if index else None


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
