"""What a store says about a file's content, and whether the bytes on the disk agree. Blocking."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_CHUNK_BYTES = 1024 * 1024
_REPR_DIGEST = re.compile(r"\bsha-256=:([A-Za-z0-9+/=]+):")  # RFC 9530
_GOOGLE_MD5 = re.compile(r"\bmd5=([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Checksum:
    kind: Literal["sha256", "md5", "git"]  # git: of a file as git stores it
    hexadecimal: str


def agrees(path: Path, checksum: Checksum, stop: Callable[[], bool]) -> bool:
    """`stop` is asked between chunks; the answer is then of no use."""
    match checksum.kind:
        case "git":
            found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        case kind:
            found = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while not stop() and (chunk := file.read(_CHUNK_BYTES)):
            found.update(chunk)
    return found.hexdigest() == checksum.hexadecimal.lower()


def from_headers(headers: Mapping[str, str]) -> Checksum | None:
    """Of the whole file, even where an answer holds a part of it."""
    if (given := _REPR_DIGEST.search(headers.get("Repr-Digest", ""))) and (text := _hex(given[1])):
        return Checksum("sha256", text)
    # A proxy between may have sent it unpacked; the checksum is of what is stored.
    stored = headers.get("X-Goog-Stored-Content-Encoding", "identity") == "identity"
    if stored and (given := _GOOGLE_MD5.search(headers.get("X-Goog-Hash", ""))):
        text = _hex(given[1])
        return Checksum("md5", text) if text else None
    return None


def _hex(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).hex()
    except binascii.Error:
        return ""
