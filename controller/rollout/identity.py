"""What makes two units the same one: the text of what they run. Pure.

A unit keeps its name, and so its processes, for as long as its digest stays. How many replicas it
has, how it is scaled, which share of the calls it gets and how its predictor happens to be reached
are not part of that: none of them asks for another process.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from controller.desired import Unit
from controller.resources.annotations import STOP
from controller.resources.model import dump

# Instead of the predictor's address, which says nothing about what is run.
PLACEHOLDER = "predictor:80"

_canonical = msgspec.json.Encoder(order="deterministic").encode
_SCALING = "autoscaling.knative.dev/"
_NO_MATTER = (
    STOP,
    "graphway.dev/manifest",
    "serving.kserve.io/autoscalerClass",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def digest(unit: Unit) -> str:
    """Of a unit that was made with the placeholder."""
    component = unit.component
    said: dict[str, Any] = {
        "name": component.name,
        "role": component.role.value,
        "pod": dump(component.pod),
        "called": component.called,
        "labels": component.labels,
        "annotations": _telling(component.annotations),
        "mounts": [
            [mount.path, mount.uri, dump(mount.storage) if mount.storage else None]
            for mount in component.mounts
        ],
        "folder": str(unit.folder),
        "packages": unit.packages,
    }
    if component.worker is not None:
        said["worker"] = [dump(component.worker.pod), component.worker.nodes]
    return _short(said)


def together(digests: Iterable[str]) -> str:
    """Of a revision: of all its units, in their order."""
    return _short([*digests])


def _telling(annotations: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in annotations.items()
        if name not in _NO_MATTER and not name.startswith(_SCALING)
    }


def _short(said: Any) -> str:
    return sha256(_canonical(said)).hexdigest()[:16]
