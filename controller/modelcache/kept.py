"""Caches that no file says any more and that services still use: they stay, and it is said once.

A client of the API is refused such a deletion; a file cannot be refused what it no longer says.
"""

import logging

from controller.modelcache.known import SERVICE, counts, held_by
from controller.store.changes import Change, ChangeType
from controller.store.refs import Json
from controller.store.store import Store

log = logging.getLogger("graphway.modelcache")


class KeptCaches:
    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node
        self._names: set[str] = set()
        self._told: set[str] = set()

    def begin(self) -> None:
        """The files are read anew."""
        self._told, self._names = self._names, set()

    def add(self, live: Json) -> bool:
        """Whether this one is in use; then it is remembered."""
        users = held_by(self._store, self._node, live)
        if not users:
            return False
        name = f"{live['kind']} {live['metadata']['name']}"
        self._names.add(name)
        if name not in self._told:
            by = ", ".join(users)
            log.warning("%s is in no file any more, and stays while it is used by %s", name, by)
        return True

    def may_go(self, change: Change) -> bool:
        """One may be used no more."""
        if not self._names or change.ref.kind.name != SERVICE.name:
            return False
        return change.type is not ChangeType.MODIFIED or counts(change.before) != counts(
            change.object
        )
