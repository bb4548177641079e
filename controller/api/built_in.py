"""Objects that come with Graphway, shown beside those of the store: its runtimes.

They are marked, and nobody can change or delete them. Who writes an object of the same kind and
name has it in their place; when that goes, they are back.
"""

from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from controller.resources.kinds import BUILT_IN as MARK
from controller.store.changes import Change, ChangeType
from controller.store.errors import ApiError
from controller.store.refs import Json, Kind, Ref, resource_name
from controller.store.store import Place

_OWN = ("uid", "resourceVersion", "generation", "creationTimestamp")
_NO_VERSION = "1"  # before any version that a store has


class BuiltIn:
    def __init__(self, manifests: Iterable[Json] = (), since: str = "") -> None:
        """`since`: their creationTimestamp."""
        made = [_marked(manifest, since) for manifest in manifests]
        self._objects = {(each["kind"], each["metadata"]["name"]): each for each in made}

    def find(self, ref: Ref) -> Json | None:
        return self._objects.get((ref.kind.name, ref.name))

    def of(self, kind: Kind) -> dict[Place, Json]:
        return {("", name): each for (of, name), each in self._objects.items() if of == kind.name}

    def around(self, change: Change) -> tuple[Json | None, Json | None]:
        """What was there before the change and what is there after it, built in or not."""
        shipped = self.find(change.ref)
        after = None if change.type is ChangeType.DELETED else change.object
        if shipped is None:
            return change.before, after
        version = {"resourceVersion": str(change.version)}  # from here on a client watches
        shown = shipped | {"metadata": shipped["metadata"] | version}
        return change.before or shown, after or shown

    def check_deletion(self, ref: Ref) -> None:
        """Raises Forbidden: asked of what the store does not have."""
        if self.find(ref) is not None:
            message = f'{resource_name(ref.kind)} "{ref.name}" is built in and cannot be deleted'
            how = "apply one of this name with spec.disabled: true to switch it off"
            raise ApiError(403, "Forbidden", f"{message}; {how}")


def written(item: Json) -> Json:
    """A built-in one as somebody would write it."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _OWN}
    return unmarked(item | {"metadata": metadata})


def unmarked(item: Json) -> Json:
    """Whoever copies a built-in one copies its mark."""
    annotations = item["metadata"].get("annotations")
    if not isinstance(annotations, dict) or MARK not in annotations:
        return item
    kept = {key: value for key, value in annotations.items() if key != MARK}
    return item | {"metadata": item["metadata"] | {"annotations": kept}}


def _marked(manifest: Json, since: str) -> Json:
    metadata = manifest["metadata"]
    name = f"graphway.dev/{manifest['kind']}/{metadata['name']}"
    return manifest | {
        "metadata": metadata
        | {
            "annotations": (metadata.get("annotations") or {}) | {MARK: "true"},
            "uid": str(uuid5(NAMESPACE_URL, name)),
            "resourceVersion": _NO_VERSION,
            "generation": 1,
            "creationTimestamp": since,
        }
    }
