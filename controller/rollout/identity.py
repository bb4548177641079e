"""What makes two units the same one: the text of what they run. Pure.

A unit keeps its name, and so its processes, for as long as its digest stays. How many replicas it
has, how it is scaled, which share of the calls it gets and how its predictor happens to be reached
are not part of that: none of them asks for another process. Labels and annotations are where
KServe reads them, or the pod does.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from controller.desired import Unit
from controller.resources.annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    DISABLE_AUTO_UPDATE,
    STOP,
)
from controller.resources.model import dump
from controller.workload import Role

# Instead of the predictor's address, which says nothing about what is run.
PLACEHOLDER = "predictor:80"

_canonical = msgspec.json.Encoder(order="deterministic").encode
_KSERVE = "serving.kserve.io/"
_NO_MATTER = (STOP, AUTOSCALER_CLASS, DEPLOYMENT_MODE, DISABLE_AUTO_UPDATE)
_RESTARTED = "kubectl.kubernetes.io/restartedAt"  # as `kubectl rollout restart` asks for it
_BY_REFERENCE = ("metadata.labels", "metadata.annotations")  # a field path of the downward API


def digests(units: Iterable[Unit], routed: bool) -> dict[str, str]:
    """By role, of the units of one revision that were made with the placeholder. Who calls the
    predictor is another one with another predictor, and if it is called in another way: through
    the router (`routed`) or directly.
    """
    found: dict[str, str] = {}
    for unit in units:
        own = _digest(unit)
        predictor = found.get(Role.PREDICTOR)
        found[unit.role.value] = (
            own
            if predictor is None
            else together((own, predictor, *(["routed"] if routed else [])))
        )
    return found


def _digest(unit: Unit) -> str:
    component = unit.component
    said: dict[str, Any] = {
        "name": component.name,
        "role": component.role.value,
        "pod": dump(component.pod),
        "called": component.called,
        "mounts": [
            [mount.path, _whole(mount.uri, unit), dump(mount.storage) if mount.storage else None]
            for mount in component.mounts
        ],
        "packages": unit.packages,
    }
    said["annotations"] = {
        name: value for name, value in component.annotations.items() if matters(name)
    }
    if any(field in str(said["pod"]) for field in _BY_REFERENCE):
        said["read"] = [dict(component.labels), dict(component.annotations)]
    if component.worker is not None:
        said["worker"] = [dump(component.worker.pod), component.worker.nodes]
    return _short(said)


def matters(annotation: str) -> bool:
    """Whether what is run depends on it."""
    if annotation == _RESTARTED:
        return True
    return annotation.startswith(_KSERVE) and annotation not in _NO_MATTER


def together(digests: Iterable[str]) -> str:
    """One for all of them, in their order."""
    return _short([*digests])


def _whole(uri: str | None, unit: Unit) -> str | None:
    """A path that begins at the manifest; the folder of that matters to nothing else."""
    return str(unit.folder / uri) if uri and "://" not in uri else uri


def _short(said: Any) -> str:
    return sha256(_canonical(said)).hexdigest()[:16]
