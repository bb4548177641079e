"""The revisions of each service, in the store.

The same content again is the same revision, whoever asks for it and when: an older specification
that comes back finds its old one, a canary that is promoted stays what it is. Units are shared
between revisions in the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from controller.desired import Wanted
from controller.resources.model import dump
from controller.rollout.identity import digests, together
from controller.rollout.revision import Named, Revision, named, read, written
from controller.rollout.tracks import STABLE
from controller.store.dependents import owned_by
from controller.store.own_kinds import CONTROLLER_REVISION
from controller.store.refs import Json, Ref
from controller.store.store import Store

_NOT_THE_AUTHORS = ("kubectl.kubernetes.io/last-applied-configuration", "graphway.dev/manifest")


class History:
    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, live: Json) -> list[Revision]:
        """The oldest first."""
        owned = owned_by(self._store, live["metadata"]["uid"])
        kept = [self._store.get(ref) for ref in owned if ref.kind == CONTROLLER_REVISION]
        return sorted(map(read, kept), key=lambda revision: revision.number)

    def add(
        self,
        live: Json,
        known: Sequence[Revision],
        track: str,
        wanted: Wanted,
        routed: bool,
    ) -> Revision:
        """The one that says the same, or a new one. `wanted` was made with the placeholder."""
        content = digests(wanted.units, routed)
        whole = together(content.values())
        for revision in known:
            if revision.digest == whole:
                return self._renewed(live, revision, track, wanted)
        number = known[-1].number + 1 if known else 1
        units = {
            unit.role.value: _named(unit.name, number, unit.role, content[unit.role], known)
            for unit in wanted.units
        }
        metadata = live["metadata"]
        revision = Revision(
            number,
            named(metadata["name"], number),
            track,
            whole,
            units,
            live["spec"],
            _authors(metadata.get("annotations") or {}),
            _kept(wanted),
            routed,
        )
        self._store.create(CONTROLLER_REVISION, written(revision, live))
        return revision

    def _renewed(self, live: Json, revision: Revision, track: str, wanted: Wanted) -> Revision:
        """What is no part of its content (how it is scaled, say) is kept as it was said last: it
        holds for this revision also when a newer one has come.
        """
        if track not in (STABLE, revision.track):
            return revision
        annotations = _authors(live["metadata"].get("annotations") or {})
        now = replace(revision, track=track, spec=live["spec"], annotations=annotations)
        if now == revision:
            return revision
        now = replace(now, runtimes=_kept(wanted))
        self._store.replace(CONTROLLER_REVISION, written(now, live))
        return now

    def prune(
        self, live: Json, known: Sequence[Revision], keep: int, used: Collection[str]
    ) -> None:
        """All but the last `keep`, and those that somebody still needs."""
        for revision in known[:-keep] if keep else known:
            if revision.name not in used:
                namespace = live["metadata"]["namespace"]
                self._store.delete(Ref(CONTROLLER_REVISION, namespace, revision.name))


def _named(base: str, number: int, role: str, content: str, known: Sequence[Revision]) -> Named:
    """Under the name that this content has, if it has one."""
    for revision in reversed(known):
        unit = revision.units.get(role)
        if unit is not None and unit.digest == content:
            return unit
    return Named(f"{base}-{number:05d}", content)


def _kept(wanted: Wanted) -> list[tuple[str, Json]]:
    return [(each.document.file, dump(each.resource)) for each in wanted.runtimes]


def _authors(annotations: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in annotations.items() if name not in _NOT_THE_AUTHORS}
