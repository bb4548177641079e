"""What the reconciler keeps beside the resources: revisions of an object, and small values by key.

A revision is what an object said at some time, under a number that only grows. The same content
again is no new revision. They go with their owner.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from controller.store.refs import Json
from controller.store.store import Store

_canonical = msgspec.json.Encoder(order="deterministic").encode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Revision:
    number: int  # from 1
    digest: str
    made_at: str
    content: Json


class Revisions:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, owner: str, content: Json) -> Revision:
        """The revision with this content: the last one if that says the same. `owner` is a uid."""
        digest = sha256(_canonical(content)).hexdigest()[:16]
        with self._store.transaction():
            last = self.last(owner)
            if last is not None and last.digest == digest:
                return last
            made = Revision(last.number + 1 if last else 1, digest, self._store.now(), content)
            self._store.database.execute(
                "INSERT INTO revisions VALUES (?, ?, ?, ?, ?)",
                (owner, made.number, digest, made.made_at, _encode(content)),
            )
            return made

    def of(self, owner: str) -> list[Revision]:
        """The oldest first."""
        return [*self._select("WHERE owner = ? ORDER BY number", owner)]

    def last(self, owner: str) -> Revision | None:
        return next(self._select("WHERE owner = ? ORDER BY number DESC LIMIT 1", owner), None)

    def prune(self, owner: str, keep: int) -> None:
        """All but the last `keep`."""
        with self._store.transaction():
            self._store.database.execute(
                "DELETE FROM revisions WHERE owner = ? AND number NOT IN"
                " (SELECT number FROM revisions WHERE owner = ? ORDER BY number DESC LIMIT ?)",
                (owner, owner, keep),
            )

    def _select(self, which: str, *given: str) -> Iterator[Revision]:
        rows = self._store.database.execute(
            f"SELECT number, digest, made_at, body FROM revisions {which}", given
        )
        return (Revision(number, digest, at, _decode(body)) for number, digest, at, body in rows)


class Kept:
    """Values by key: JSON, small, for whoever must know them after a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        """None if there is none."""
        row = self._store.database.execute(
            "SELECT value FROM kept WHERE key = ?", (key,)
        ).fetchone()
        return _decode(row[0]) if row else None

    def put(self, key: str, value: Any) -> None:
        with self._store.transaction():
            self._store.database.execute(
                "INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, _encode(value))
            )

    def remove(self, key: str) -> None:
        with self._store.transaction():
            self._store.database.execute("DELETE FROM kept WHERE key = ?", (key,))

    def under(self, prefix: str) -> dict[str, Any]:
        rows = self._store.database.execute(
            "SELECT key, value FROM kept WHERE substr(key, 1, ?) = ? ORDER BY key",
            (len(prefix), prefix),
        )
        return {key: _decode(value) for key, value in rows}
