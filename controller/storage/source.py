"""What a download needs of a store: which files there are, and the bytes of each.

The one seam between fetching and the stores (`objects`, `web`, `hub`). A source raises `Fault` for
everything that a store, the network or a user can do wrong; it retries nothing.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.storage.checksum import Checksum


@dataclass(frozen=True, slots=True)
class Item:
    """One file. `name` is a safe one, relative to the model; `place` is the source's own word."""

    name: str
    place: str
    size: int | None  # None: known at the end only
    etag: str | None  # same etag, same bytes; None: nobody can tell, so it is never resumed
    checksum: Checksum | None = None
    ranges: bool = True  # the source can begin in the middle


class Source(Protocol):
    async def items(self) -> Sequence[Item]:
        """Never empty."""
        ...

    def read(self, item: Item, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        """Bytes from `start` to before `end`; Fault CHANGED if they are not of `item.etag`."""
        ...


def digest(items: Sequence[Item]) -> str | None:
    """Stands for the content at the source; None if one of the files has no etag."""
    if any(item.etag is None for item in items):
        return None
    rows = sorted([item.name, item.size, item.etag] for item in items)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
