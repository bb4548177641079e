"""What somebody wants fetched, and by what it equals the wish of another. Pure."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from controller.storage.containers import Command
from controller.storage.credentials import NONE_GIVEN, Credentials
from controller.storage.locations import scheme_of
from controller.storage.names import EVERYTHING, Patterns


@dataclass(frozen=True, slots=True)
class Request:
    uri: str = field(repr=False)  # may hold a signature
    target: Path  # made by the fetch; stays away if that fails
    folder: Path = Path()  # where a relative path begins: the manifest's
    credentials: Credentials = NONE_GIVEN
    command: Command | None = None
    patterns: Patterns = EVERYTHING
    inside: str = ""  # what of it is wanted, a path below; equal wishes may want other parts


def identity(request: Request) -> str:
    """Equal for what brings the same. Credentials belong to it: they decide what one may see."""
    command = request.command
    by = [[*command.argv], sorted(command.env.items())] if command else None
    named = request.uri if scheme_of(request.uri) else str(request.folder / request.uri)
    wanted = [named, request.patterns.allow, request.patterns.ignore, by]
    text = json.dumps([wanted, request.credentials.fingerprint])
    return hashlib.sha256(text.encode()).hexdigest()


def folder_name(
    uri: str,
    credentials: Credentials,
    command: Command | None = None,
    patterns: Patterns = EVERYTHING,
) -> str:
    """For a target in a folder of many: equal wishes meet there, and only they."""
    wish = Request(uri, Path(), credentials=credentials, command=command, patterns=patterns)
    return identity(wish)[:16]
