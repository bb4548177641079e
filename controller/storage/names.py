"""File names that came from elsewhere: which are safe below a folder, which are wanted.

Object stores and archives may name anything. A name is taken only if every part of it is an
ordinary one, so that no reader of the result can be led out of the folder. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from controller.storage.outcome import Fault, Reason

LONGEST_PART = 255  # bytes; what Linux file systems take
LONGEST_NAME = 2048  # bytes; PATH_MAX less what stands before it

ALLOW, IGNORE = "STORAGE_ALLOW_PATTERNS", "STORAGE_IGNORE_PATTERNS"


def safe_name(name: str) -> str | None:
    """The name in its plain form (`a//./b` is `a/b`), None if it is none to be written."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    plain = "/".join(parts)
    bad = (
        not parts
        or name.startswith("/")
        or ".." in parts
        or any(ord(letter) < 32 for letter in name)
        or not _is_short(plain)
    )
    return None if bad else plain


def _is_short(name: str) -> bool:
    try:
        raw = name.encode()
    except UnicodeEncodeError:  # half a surrogate pair: no name in UTF-8
        return False
    return len(raw) <= LONGEST_NAME and all(len(p) <= LONGEST_PART for p in raw.split(b"/"))


def clash(names: Iterable[str]) -> str | None:
    """A name that stands there twice, or that is a file and a folder as well."""
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        if name in files:
            return name
        files.add(name)
        folders.update(str(parent) for parent in PurePosixPath(name).parents)
    return min(files & folders, default=None)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Which files of a model are wanted; without `allow` all that `ignore` leaves."""

    allow: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        allowed = not self.allow or any(fnmatchcase(name, pattern) for pattern in self.allow)
        return allowed and not any(fnmatchcase(name, pattern) for pattern in self.ignore)


EVERYTHING = Patterns()


def read_patterns(environ: Mapping[str, str]) -> Patterns:
    """Fault if one of the two variables begins a JSON list and is none."""
    return Patterns(
        _listed(ALLOW, environ.get(ALLOW, "")), _listed(IGNORE, environ.get(IGNORE, ""))
    )


def _listed(variable: str, text: str) -> tuple[str, ...]:
    if not text.lstrip().startswith("["):
        return tuple(word.strip() for word in text.split(",") if word.strip())
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        message = f'{variable} is no list of patterns; write ["*.bin", "*.json"] or *.bin,*.json'
        raise Fault(Reason.BAD_URI, message)
    return tuple(found)
