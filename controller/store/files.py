"""Manifests of files, as objects: what a file says is applied, what it no longer holds is deleted.

Files are one party among others (see `apply`): a label or an annotation that somebody set by other
means stays, a field that a file no longer says goes. Each object carries the name of its file.
Checking and defaulting come before; files that cannot be read now keep the objects that they gave.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from controller.store.apply import apply
from controller.store.errors import ApiError
from controller.store.metadata import folded, is_going
from controller.store.refs import Json, Kind, Ref
from controller.store.store import Store

MANIFEST = "graphway.dev/manifest"
MANAGER = "graphway-files"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a file."""

    file: str
    kind: Kind
    resource: Json


def apply_files(
    store: Store,
    manifests: Iterable[Manifest],
    *,
    unreadable: Collection[str] = (),
    settled: Callable[[Json], Json] = lambda resource: resource,
    needed: Callable[[Json], bool] = lambda resource: False,
) -> list[tuple[Manifest, ApiError]]:
    """All files together, in one transaction. Returns those that the store refuses, and why.

    `settled` gets each object as it would become, and returns it as it is to be kept: defaulted.
    `needed` gets each that no file says any more: it stays as long as somebody needs it.
    """
    refused: list[tuple[Manifest, ApiError]] = []
    wanted: set[Ref] = set()
    with store.transaction():
        for manifest in manifests:
            ref = Ref.of(manifest.kind, manifest.resource)
            wanted.add(ref)
            try:
                _apply(store, ref, manifest, settled)
            except ApiError as error:
                if error.code >= 500:  # the store itself: nothing of this holds
                    raise
                refused.append((manifest, error))
        for kind in store.kinds.values():
            for found in store.list(kind).items:
                file = (found["metadata"].get("annotations") or {}).get(MANIFEST)
                ref = Ref.of(kind, found)
                if file is None or file in unreadable or ref in wanted or is_going(found):
                    continue
                if not needed(found):
                    store.delete(ref)
    return refused


def _apply(store: Store, ref: Ref, manifest: Manifest, settled: Callable[[Json], Json]) -> None:
    said = manifest.resource.get("metadata") or {}
    annotations = (said.get("annotations") or {}) | {MANIFEST: manifest.file}
    metadata = {key: value for key, value in said.items() if key not in ("uid", "resourceVersion")}
    # Folded here, and not only when it is stored: a text that is no longer said must go.
    said_all = folded(manifest.kind, manifest.resource)
    wanted = said_all | {"metadata": metadata | {"annotations": annotations}}

    def changed(live: Json) -> Json:
        return settled(apply(ref, live, wanted, manager=MANAGER, force=True, now=store.now()))

    if store.find(ref) is None:
        store.create(ref.kind, changed({"metadata": {}}))
    else:
        store.edit(ref, changed)
