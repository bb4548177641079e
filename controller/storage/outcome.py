"""What a fetch comes to: `Fetched`, or `FetchFailed` with a reason from a closed list.

Inside the room a failure travels as the exception `Fault`, because it has to leave loops, streams
and task groups; `fetch` turns it into the value. Messages are for people: they never hold a secret,
so nothing that a library or a server said is passed on as it came.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Progress = Callable[[int, int | None], None]  # bytes done, bytes in all (None: nobody knows)


class Reason(StrEnum):
    BAD_URI = "BadURI"
    UNSUPPORTED = "Unsupported"  # nothing here fetches this scheme
    NO_LIBRARY = "NoLibrary"  # the extra `storage` is not installed
    BAD_CREDENTIALS = "BadCredentials"  # they cannot be read, before anybody was asked
    NOT_FOUND = "NotFound"
    DENIED = "Denied"
    UNREACHABLE = "Unreachable"  # no connection, no answer in time, or an answer of 429 or 5xx
    INTERRUPTED = "Interrupted"  # connections broke again and again
    CHANGED = "Changed"  # the model changed while it was fetched
    CORRUPT = "Corrupt"  # the bytes do not have the checksum that the store gives
    BAD_ANSWER = "BadAnswer"  # no download, or one whose end nobody could tell
    BAD_NAME = "BadName"  # a file name that would leave the folder, or two that clash
    BAD_ARCHIVE = "BadArchive"
    TOO_LARGE = "TooLarge"  # an archive that unpacks to more than the limits
    DISK_FULL = "DiskFull"
    NO_PERMISSION = "NoPermission"
    DISK = "Disk"  # any other fault of it
    TARGET_TAKEN = "TargetTaken"  # something else is there
    COMMAND_FAILED = "CommandFailed"  # that of a StorageContainer


TRANSIENT = frozenset({Reason.UNREACHABLE, Reason.INTERRUPTED})
_PASSING = TRANSIENT | {Reason.CHANGED, Reason.CORRUPT, Reason.DISK_FULL, Reason.COMMAND_FAILED}


@dataclass(frozen=True, slots=True)
class Fetched:
    path: Path  # a folder; of a local URI whatever it names
    size_bytes: int | None  # None: a local path, which nobody measured
    digest: str | None  # the same for the same content at the source; None: it gives no such thing


@dataclass(frozen=True, slots=True)
class FetchFailed:
    reason: Reason
    message: str

    @property
    def retry(self) -> bool:
        """Whether a later try may succeed though nobody changes the manifest."""
        return self.reason in _PASSING


class Fault(Exception):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.failed = FetchFailed(reason, message)

    @property
    def reason(self) -> Reason:
        return self.failed.reason


def disk_fault(error: OSError, path: Path) -> Fault:
    """What a failed read or write of `path` means to its owner."""
    match error.errno:
        case errno.ENOSPC:
            return Fault(Reason.DISK_FULL, f"the disk of {path} is full; make room there")
        case errno.EDQUOT:
            return Fault(Reason.DISK_FULL, f"the quota of {path} is used up; make room there")
        case errno.EFBIG:
            message = f"{path} may not hold so large a file; see `ulimit -f` and its file system"
            return Fault(Reason.DISK_FULL, message)
        case errno.EACCES | errno.EPERM:
            message = f"{path} may not be written; give this user the right to"
            return Fault(Reason.NO_PERMISSION, message)
        case errno.EROFS:
            return Fault(Reason.NO_PERMISSION, f"{path} is on a disk that is read-only")
        case errno.ENAMETOOLONG:
            return Fault(Reason.BAD_NAME, f"{path} is too long a name for its disk")
    return Fault(Reason.DISK, f"{path}: {error.strerror or type(error).__name__}")


def in_words(size_bytes: int) -> str:
    """1,234,567 -> 1.2 MB."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
