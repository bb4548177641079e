"""What an archive holds, as one sequence of entries, whatever its format: tar, tar.gz, zip.

An archive is hostile until read: names, links, sizes and the tables in front may all lie. Formats
are told apart by name, as KServe does. Nothing is written here, and no entry's own word about its
size is believed. Blocking.
"""

import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

from controller.storage.outcome import Fault, Reason

TAR, TAR_GZ, ZIP = (".tar",), (".tgz", ".tar.gz"), (".zip",)

MOST_HEADER_BYTES = 1024 * 1024  # of one entry's long name or attributes; a reader takes it whole
MOST_HEADERS_BYTES = 4 * MOST_HEADER_BYTES  # of one entry, all together
MOST_TABLE_BYTES = 64 * 1024 * 1024  # of a zip's list of entries; zipfile takes it whole
_END_OF_ZIP = struct.Struct("<4s4H2LH")
_END_OF_ZIP64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_BYTES = 20  # between the two
_END_SEARCH_BYTES = 65_536 + _END_OF_ZIP.size  # a comment may follow it


class Kind(Enum):
    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    OTHER = "other"  # a device, a pipe: nothing for a model


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    kind: Kind
    executable: bool = False
    link: str = ""  # where a link leads
    content: IO[bytes] | None = None  # of a file, to be read before the next entry is asked for


def is_archive(name: str) -> bool:
    return name.lower().endswith(TAR + TAR_GZ + ZIP)


@contextmanager
def entries(path: Path) -> Iterator[Iterator[Entry]]:
    """Fault BAD_ARCHIVE, also while the entries are read, if it is broken or of another format."""
    name = path.name.lower()
    try:
        with path.open("rb") as raw:
            if name.endswith(ZIP):
                yield _zip(raw)
            elif name.endswith(TAR_GZ):
                with gzip.GzipFile(fileobj=raw) as unzipped:
                    yield _tar(cast(BinaryIO, unzipped))
                    unzipped.read(MOST_HEADER_BYTES)  # the padding, and the checksum behind it
            else:
                yield _tar(raw)
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        message = f"{path.name} is a broken archive, or one of another format; upload it anew"
        raise Fault(Reason.BAD_ARCHIVE, message) from error
    except (NotImplementedError, RuntimeError, ValueError, OverflowError, struct.error) as error:
        message = f"{path.name} is packed in a way that is not known here; pack it as tar.gz"
        raise Fault(Reason.BAD_ARCHIVE, message) from error


class _Info(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        info = super().frombuf(buf, encoding, errors)
        # Such a header is read into memory by its own word for its size.
        if not (info.isreg() or info.isdir()) and info.size > MOST_HEADER_BYTES:
            raise tarfile.ReadError("a header of such a size is an attack")
        return info


class _Counted:
    """What `tarfile` reads from; `left` is how much it may read before the next entry."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.left: int | None = MOST_HEADERS_BYTES

    def read(self, size: int) -> bytes:
        data = self._raw.read(size)
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise tarfile.ReadError("headers of such a size are an attack")
        return data


def _tar(raw: BinaryIO) -> Iterator[Entry]:
    # Headers may go on and on (maps of holes, one long name after another), and are kept in memory.
    counted = _Counted(raw)
    with tarfile.open(fileobj=counted, mode="r|", tarinfo=_Info) as archive:  # type: ignore[call-overload]
        for info in archive:
            counted.left = None
            archive.members = []  # it keeps them all, for look-ups that nobody makes
            archive.pax_headers = {}  # global ones: they pile up, and say nothing that counts here
            yield _tar_entry(archive, info)
            counted.left = MOST_HEADERS_BYTES


def _tar_entry(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Entry:
    if info.isdir():
        return Entry(info.name, Kind.FOLDER)
    if info.issym():
        return Entry(info.name, Kind.SYMLINK, link=info.linkname)
    if info.islnk():
        return Entry(info.name, Kind.HARDLINK, link=info.linkname)
    if info.isreg():
        content = archive.extractfile(info)
        return Entry(info.name, Kind.FILE, bool(info.mode & stat.S_IXUSR), content=content)
    return Entry(info.name, Kind.OTHER)


def _zip(raw: BinaryIO) -> Iterator[Entry]:
    _check_table(raw)
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if info.is_dir():
                yield Entry(info.filename, Kind.FOLDER)
                continue
            with archive.open(info) as content:
                if stat.S_ISLNK(mode):
                    link = content.read(MOST_HEADER_BYTES).decode(errors="surrogateescape")
                    yield Entry(info.filename, Kind.SYMLINK, link=link)
                elif mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                    yield Entry(info.filename, Kind.OTHER)
                else:
                    executable = bool(mode & stat.S_IXUSR)
                    yield Entry(info.filename, Kind.FILE, executable, content=content)


def _check_table(raw: BinaryIO) -> None:
    size = raw.seek(0, 2)
    raw.seek(max(size - _END_SEARCH_BYTES, 0))
    tail = raw.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END_OF_ZIP.size:
        raise zipfile.BadZipFile("no end of it")
    table_bytes = max(_END_OF_ZIP.unpack_from(tail, at)[5], _large_table_bytes(raw, size, tail, at))
    if table_bytes > MOST_TABLE_BYTES:
        raise zipfile.BadZipFile("a table of such a size is an attack")
    raw.seek(0)


def _large_table_bytes(raw: BinaryIO, size: int, tail: bytes, at: int) -> int:
    """What a zip64 record says; zipfile believes it whatever the smaller record says."""
    end = size - len(tail) + at
    start = end - _LOCATOR_BYTES - _END_OF_ZIP64.size
    if start < 0:
        return 0
    raw.seek(start)
    record = raw.read(_END_OF_ZIP64.size)
    locator = raw.read(_LOCATOR_BYTES)
    if not locator.startswith(b"PK\6\7") or not record.startswith(b"PK\6\6"):
        return 0
    return int(_END_OF_ZIP64.unpack(record)[8])
