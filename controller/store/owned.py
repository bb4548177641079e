"""The metadata of what the controller makes for an InferenceService (Pods, revisions, autoscalers):
who looks for it finds it by a label, and it goes with its owner. Pure.
"""

from collections.abc import Mapping

from controller.store.refs import Json

SERVICE_LABEL = "serving.kserve.io/inferenceservice"  # KServe's, on all that belongs to one


def metadata_of(owner: Json, name: str, labels: Mapping[str, str] | None = None) -> Json:
    """Of an object called so, in the namespace of its owner."""
    metadata = owner["metadata"]
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "name": name,
        "namespace": metadata["namespace"],
        "labels": {SERVICE_LABEL: metadata["name"], **(labels or {})},
        "ownerReferences": [reference],
    }
