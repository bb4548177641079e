"""Faults of disks in words, checksums of stores, sizes for people."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from controller.storage.checksum import Checksum, agrees, from_headers
from controller.storage.outcome import FetchFailed, Reason, disk_fault, in_words

DISK = {
    "no room": (errno.ENOSPC, Reason.DISK_FULL, "make room"),
    "a quota": (errno.EDQUOT, Reason.DISK_FULL, "quota"),
    "too large a file": (errno.EFBIG, Reason.DISK_FULL, "ulimit"),
    "no right": (errno.EACCES, Reason.NO_PERMISSION, "right"),
    "read-only": (errno.EROFS, Reason.NO_PERMISSION, "read-only"),
    "too long a name": (errno.ENAMETOOLONG, Reason.BAD_NAME, "too long"),
    "a broken disk": (errno.EIO, Reason.DISK, "Input/output"),
}


@pytest.mark.parametrize(("number", "reason", "words"), DISK.values(), ids=DISK)
def test_disk_fault(number: int, reason: Reason, words: str) -> None:
    fault = disk_fault(OSError(number, os.strerror(number)), Path("/models/m"))
    assert fault.reason is reason
    assert words in fault.failed.message
    assert "/models/m" in fault.failed.message


def test_who_mends_it() -> None:
    assert FetchFailed(Reason.UNREACHABLE, "").retry
    assert not FetchFailed(Reason.BAD_URI, "").retry


SIZES = {0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1_234_567: "1.2 MB", 5 * 10**12: "5.0 TB"}


@pytest.mark.parametrize(("size", "words"), SIZES.items())
def test_sizes(size: int, words: str) -> None:
    assert in_words(size) == words


CONTENT = b"weights" * 1000
CHECKSUMS = {
    "SHA-256": Checksum("sha256", hashlib.sha256(CONTENT).hexdigest().upper()),
    "MD5": Checksum("md5", hashlib.md5(CONTENT).hexdigest()),
    "git's": Checksum("git", hashlib.sha1(b"blob 7000\0" + CONTENT).hexdigest()),
}


@pytest.mark.parametrize("checksum", CHECKSUMS.values(), ids=CHECKSUMS)
def test_checksum(checksum: Checksum, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(CONTENT)
    assert agrees(path, checksum, lambda: False)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert not agrees(path, checksum, lambda: False)


HEADERS: dict[str, tuple[dict[str, str], Checksum | None]] = {
    "a digest": ({"Repr-Digest": "sha-256=:AAEC:"}, Checksum("sha256", "000102")),
    "among others": ({"Repr-Digest": "md5=:AA==:, sha-256=:AAEC:"}, Checksum("sha256", "000102")),
    "Google's": ({"X-Goog-Hash": "crc32c=AAAAAA==,md5=AAEC"}, Checksum("md5", "000102")),
    "Google's, of what is stored packed": (
        {"X-Goog-Hash": "md5=AAEC", "X-Goog-Stored-Content-Encoding": "gzip"},
        None,
    ),
    "no base64": ({"Repr-Digest": "sha-256=:A:"}, None),
    "none": ({}, None),
}


@pytest.mark.parametrize(("headers", "checksum"), HEADERS.values(), ids=HEADERS)
def test_checksum_of_an_answer(headers: dict[str, str], checksum: Checksum | None) -> None:
    assert from_headers(headers) == checksum
