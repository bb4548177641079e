"""What goes when its owner goes: `ownerReferences`, as Kubernetes' garbage collector reads them.

An object whose last owner is gone is deleted. In the foreground the owner waits for that, held by a
finalizer; orphans lose the reference and stay. All of it happens in the transaction of the delete,
as a list of work: references may form long chains, and circles.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.store import metadata
from controller.store.database import Database
from controller.store.refs import Json, Ref, resource_name

if TYPE_CHECKING:
    from controller.store.store import Store

FOREGROUND_FINALIZER = "foregroundDeletion"


class Propagation(StrEnum):
    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


@dataclass(slots=True)
class Aftermath:
    """What deletions have left to do."""

    doomed: list[Ref] = field(default_factory=list)  # to be deleted
    gone: list[Json] = field(default_factory=list)  # deleted, and their dependents do not know


def index(database: Database, ref: Ref, after: Json) -> None:
    """Keep who owns this object, to find it from there."""
    (row,) = database.execute(
        "SELECT id FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
        (resource_name(ref.kind), ref.namespace, ref.name),
    ).fetchone()
    database.execute("DELETE FROM owners WHERE dependent = ?", (row,))
    for owner in owners(after):
        database.execute("INSERT INTO owners VALUES (?, ?)", (owner, row))


def owned_by(store: "Store", uid: str) -> list[Ref]:
    rows = store.database.execute(
        "SELECT kind, namespace, name FROM objects JOIN owners ON dependent = id"
        " WHERE owner = ? ORDER BY id",
        (uid,),
    )
    return [Ref(store.kinds[kind], namespace, name) for kind, namespace, name in rows]


def settle(store: "Store", left: Aftermath) -> None:
    while left.doomed or left.gone:
        if left.doomed:
            ref = left.doomed.pop()
            found = store.find(ref)
            if found is not None and not metadata.is_going(found):
                store.delete(ref)
            continue
        gone = left.gone.pop()
        for ref in owned_by(store, gone["metadata"]["uid"]):
            if owners(store.get(ref)) == {gone["metadata"]["uid"]}:
                left.doomed.append(ref)
            else:
                release(store, ref, gone)
        for uid in owners(gone):
            _let_go(store, uid)


def release(store: "Store", ref: Ref, owner: Json) -> None:
    """Take its reference to this owner away."""

    def without(resource: Json) -> Json:
        references = resource["metadata"]["ownerReferences"]
        kept = [one for one in references if one["uid"] != owner["metadata"]["uid"]]
        return resource | {"metadata": resource["metadata"] | {"ownerReferences": kept}}

    store.edit(ref, without)


def owners(resource: Json) -> set[str]:
    references = resource["metadata"].get("ownerReferences") or ()
    return {reference["uid"] for reference in references}


def _let_go(store: "Store", uid: str) -> None:
    """An owner that waited for its dependents, if none is left."""
    row = store.database.execute(
        "SELECT kind, namespace, name FROM objects WHERE uid = ?", (uid,)
    ).fetchone()
    if row is None or owned_by(store, uid):
        return
    ref = Ref(store.kinds[row[0]], row[1], row[2])
    held = metadata.finalizers(store.get(ref))
    if FOREGROUND_FINALIZER in held:
        held.remove(FOREGROUND_FINALIZER)
        store.edit(ref, lambda found: metadata.with_finalizers(found, held))
