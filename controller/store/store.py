"""The resources, as manifests: created, replaced, deleted and watched as Kubernetes would.

JSON in SQLite; what the fields mean is not known here. Synchronous, for one thread; each call is
one transaction, and `transaction()` makes several into one. What is returned belongs to the caller.
Refusals are `ApiError`s. A write that changes nothing is none: no version, no change to watch.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from controller.store import dependents, metadata
from controller.store.changes import Change, Changes, ChangeType
from controller.store.database import Database
from controller.store.dependents import FOREGROUND_FINALIZER, Aftermath, Propagation
from controller.store.errors import already_exists, not_found
from controller.store.refs import Json, Kind, Ref, resource_name

Edit = Callable[[Json], Json]
Where = Callable[[Json], bool]
Place = tuple[str, str]  # namespace and name

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Listing:
    items: list[Json]
    version: int  # watch from here to miss nothing


@dataclass(frozen=True, slots=True)
class Deleted:
    """`gone` is False while finalizers hold the object."""

    object: Json
    gone: bool


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_uid() -> str:
    return str(uuid.uuid4())


class Store:
    def __init__(
        self,
        path: Path,
        kinds: Iterable[Kind],
        *,
        clock: Callable[[], datetime] = _utc_now,
        new_uid: Callable[[], str] = _new_uid,
    ) -> None:
        """Raises `CannotOpen`."""
        self.database = Database.open(path)
        self.kinds = {resource_name(kind): kind for kind in kinds}
        (version,) = self.database.execute("SELECT version FROM counter").fetchone()
        self.changes = Changes(version)
        self.clock = clock
        self._new_uid = new_uid
        self._pending: list[Change] = []
        self._aftermath = Aftermath()
        self._settling = False

    def close(self) -> None:
        self.changes.close()
        self.database.close()

    @contextmanager
    def transaction(self, *, dry_run: bool = False, flush: bool = True) -> Iterator[None]:
        """Several calls as one write: all of them or none, and one wait for the disk."""
        outermost = not self.database.connection.in_transaction
        before = len(self._pending)
        try:
            with self.database.transaction(dry_run=dry_run, flush=flush):
                yield
        except BaseException:
            del self._pending[before:]
            self._aftermath = Aftermath()
            raise
        if dry_run:
            del self._pending[before:]
        if outermost:
            made, self._pending = self._pending, []
            self.changes.publish(made)

    def now(self) -> str:
        """As Kubernetes writes times."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def version(self) -> int:
        return self.changes.version

    def find(self, ref: Ref) -> Json | None:
        row = self.database.execute(
            "SELECT body FROM objects WHERE kind = ? AND namespace = ? AND name = ?", _place(ref)
        ).fetchone()
        return _decode(row[0]) if row else None

    def get(self, ref: Ref) -> Json:
        found = self.find(ref)
        if found is None:
            raise not_found(ref)
        return found

    def list(self, kind: Kind, namespace: str | None = None, where: Where | None = None) -> Listing:
        """By namespace and name; of all namespaces if none is given."""
        items = self.walk(kind, namespace)
        return Listing([item for item in items if where is None or where(item)], self.version)

    def walk(
        self, kind: Kind, namespace: str | None = None, after: Place | None = None
    ) -> Iterator[Json]:
        """As `list`, one by one; who writes meanwhile must not go on. `after`: beyond this one."""
        asked = "SELECT body FROM objects WHERE kind = ?"
        given = [resource_name(kind)]
        if namespace is not None:
            asked += " AND namespace = ?"
            given.append(namespace)
        if after is not None:
            asked += " AND (namespace, name) > (?, ?)"
            given += after
        rows = self.database.execute(asked + " ORDER BY namespace, name", given)
        return (_decode(body) for (body,) in rows)

    def create(self, kind: Kind, resource: Json, *, dry_run: bool = False) -> Json:
        with self.transaction(dry_run=dry_run):
            made = metadata.created(kind, resource, now=self.now(), uid=self._new_uid())
            ref = Ref.of(kind, made)
            if self.find(ref) is not None:
                raise already_exists(ref)
            written = self._write(ref, made, None)
            return _unwritten(written, None) if dry_run else written

    def replace(self, kind: Kind, resource: Json, *, dry_run: bool = False) -> Json:
        """All but the status; its `uid` and `resourceVersion`, if it has them, must be the live."""
        return self.edit(Ref.of(kind, resource), lambda _: resource, dry_run=dry_run)

    def edit(self, ref: Ref, change: Edit, *, dry_run: bool = False) -> Json:
        """`change` gets the live object and returns the whole that it shall be, without status."""
        with self.transaction(dry_run=dry_run):
            live = self.get(ref)
            wanted = change(_copy(live))
            _check_version(ref, live, wanted)
            after = metadata.updated(ref.kind, live, wanted)
            if metadata.is_going(after) and not metadata.finalizers(after):
                last = self._remove(ref, after)
                self._settle()
                return last
            written = self._write(ref, after, live)
            return _unwritten(written, live) if dry_run else written

    def edit_status(self, ref: Ref, change: Edit, *, dry_run: bool = False) -> Json:
        """As `edit`, but it is the status alone that changes."""
        with self.transaction(dry_run=dry_run, flush=False):
            live = self.get(ref)
            wanted = change(_copy(live))
            _check_version(ref, live, wanted)
            after = metadata.with_status(live, wanted.get("status") or {})
            written = self._write(ref, after, live)
            return _unwritten(written, live) if dry_run else written

    def replace_status(self, ref: Ref, status: Json) -> Json:
        return self.edit_status(ref, lambda live: live | {"status": status})

    def delete(
        self,
        ref: Ref,
        *,
        uid: str | None = None,
        version: str | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> Deleted:
        """With finalizers it is only marked, and goes when the last of them is taken away."""
        with self.transaction(dry_run=dry_run):
            live = self.get(ref)
            metadata.check_preconditions(ref, live, uid, version)
            owned = dependents.owned_by(self, live["metadata"]["uid"])
            owned = [each for each in owned if each != ref]  # its own owner: waits for nobody
            held = metadata.finalizers(live)
            if propagation is Propagation.ORPHAN:
                for each in owned:
                    dependents.release(self, each, live)
            elif propagation is Propagation.FOREGROUND and owned:
                held = [*dict.fromkeys([*held, FOREGROUND_FINALIZER])]
                self._aftermath.doomed += owned
            if held:
                last = self._write(ref, metadata.going(live, self.now(), held), live)
            else:
                last = self._remove(ref, live)
            self._settle()
            return Deleted(last, gone=self.find(ref) is None)

    def _write(self, ref: Ref, after: Json, before: Json | None) -> Json:
        if before is not None and after == before:
            return _decode(_encode(before))  # type: ignore[no-any-return]
        kind = ChangeType.ADDED if before is None else ChangeType.MODIFIED
        body = self._record(kind, ref, after, before)
        self.database.execute(
            "INSERT INTO objects (kind, namespace, name, uid, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET body = excluded.body",
            (*_place(ref), after["metadata"]["uid"], body),
        )
        if before is None or dependents.owners(before) != dependents.owners(after):
            dependents.index(self.database, ref, after)
        return _decode(body)  # type: ignore[no-any-return]

    def _remove(self, ref: Ref, last: Json) -> Json:
        self.database.execute(
            "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", _place(ref)
        )
        body = self._record(ChangeType.DELETED, ref, last, last)
        self._aftermath.gone.append(last)
        return _decode(body)  # type: ignore[no-any-return]

    def _settle(self) -> None:
        if self._settling:  # whoever settles sees the new work too
            return
        self._settling = True
        try:
            dependents.settle(self, self._aftermath)
        finally:
            self._settling = False

    def _record(self, kind: ChangeType, ref: Ref, after: Json, before: Json | None) -> bytes:
        """The body to keep, with its new version."""
        (version,) = self.database.execute(
            "UPDATE counter SET version = version + 1 RETURNING version"
        ).fetchone()
        body = _encode(after | {"metadata": after["metadata"] | {"resourceVersion": str(version)}})
        change = Change(version, kind, ref, _decode(body), _copy(before), len(body))
        self._pending.append(change)
        return body


def _place(ref: Ref) -> tuple[str, str, str]:
    return resource_name(ref.kind), ref.namespace, ref.name


def _check_version(ref: Ref, live: Json, wanted: Json) -> None:
    given = wanted.get("metadata") or {}
    metadata.check_preconditions(ref, live, given.get("uid"), given.get("resourceVersion"))


def _unwritten(after: Json, live: Json | None) -> Json:
    """What a dry run answers: no version but one that there is, or a diff would show it."""
    kept = {key: value for key, value in after["metadata"].items() if key != "resourceVersion"}
    if live is not None:
        kept["resourceVersion"] = live["metadata"]["resourceVersion"]
    return after | {"metadata": kept}


def _copy(value: Any) -> Any:
    return _decode(_encode(value))
