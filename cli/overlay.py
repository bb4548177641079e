"""Which graphs the router takes from the store, and not from the files: those that no file says,
and those that somebody has changed, stopped or deleted since. Pure.
"""

import json
from collections.abc import Iterable, Mapping

from controller.stopped import is_stopped
from controller.store.files import MANIFEST
from controller.store.metadata import is_going
from controller.store.refs import DEFAULT_NAMESPACE, Json
from router.files import Beside

_NOT_SAID = (MANIFEST, "kubectl.kubernetes.io/last-applied-configuration")


def overlay(stored: Iterable[Json], said: Mapping[str, Json] | None) -> Beside:
    """`said`: graphs of the files by key; None before they are known, so that what came from files
    in a run before this one is left to them.
    """
    texts: dict[str, str] = {}
    left = dict(said or {})
    hidden: set[str] = set()
    for live in stored:
        metadata, key = live["metadata"], key_of(live)
        of_file = left.pop(key, None)
        from_files = MANIFEST in (metadata.get("annotations") or {})
        if is_stopped(live) or is_going(live):
            hidden.add(key)
        elif (said is None and from_files) or (of_file is not None and _same(live, of_file)):
            continue
        else:
            hidden.add(key)
            texts[f"api:{key}"] = json.dumps(_manifest(live))
    return Beside(texts, frozenset(hidden | left.keys()))


def key_of(graph: Json) -> str:
    """Also of one that leaves its namespace out."""
    metadata = graph["metadata"]
    return f"{metadata.get('namespace') or DEFAULT_NAMESPACE}/{metadata['name']}"


def _same(live: Json, of_file: Json) -> bool:
    return _counts(live) == _counts(of_file)


def _counts(graph: Json) -> tuple[object, object]:
    annotations = (graph.get("metadata") or {}).get("annotations") or {}
    own = {key: value for key, value in annotations.items() if key not in _NOT_SAID}
    return graph.get("spec"), own


def _manifest(live: Json) -> Json:
    metadata = {
        key: live["metadata"][key]
        for key in ("name", "namespace", "labels", "annotations")
        if key in live["metadata"]
    }
    return {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": metadata,
        "spec": live["spec"],
    }
