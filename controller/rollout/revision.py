"""A revision: what an InferenceService was at some time, and the units that this came to.

Kept as Kubernetes keeps such things, as a ControllerRevision that belongs to the service: readable
by `kubectl get controllerrevisions`, gone with its owner. What it was rendered with beside the
service (its runtimes) is kept too, so that an older revision can be run again as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.store.owned import metadata_of
from controller.store.refs import Json

CANARY_LABEL = "graphway.dev/canary"


@dataclass(frozen=True, slots=True)
class Named:
    """A unit of a revision, by role."""

    name: str  # predictor-00001
    digest: str


@dataclass(frozen=True, slots=True)
class Revision:
    number: int  # from 1, of its service
    name: str  # iris-00001
    track: str  # the canary that it was made for; "" for the stable one
    digest: str
    units: Mapping[str, Named]  # by role, in the order in which they start
    spec: Json  # of the whole InferenceService, as its author wrote it
    annotations: Mapping[str, str]
    runtimes: Sequence[tuple[str, Json]]  # each with the file that it came from
    routed: bool = False  # its predictor is called through the router


def named(service: str, number: int) -> str:
    return f"{service}-{number:05d}"


def written(revision: Revision, service: Json) -> Json:
    """As a ControllerRevision of this InferenceService."""
    labels = {CANARY_LABEL: revision.track} if revision.track else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata_of(service, revision.name, labels),
        "revision": revision.number,
        "data": {
            "digest": revision.digest,
            "units": {
                role: {"name": unit.name, "digest": unit.digest}
                for role, unit in revision.units.items()
            },
            "routed": revision.routed,
            "spec": revision.spec,
            "annotations": dict(revision.annotations),
            "runtimes": [
                {"file": file, "manifest": manifest} for file, manifest in revision.runtimes
            ],
        },
    }


def read(found: Json) -> Revision:
    """The other way. What is kept is ours alone: over the API it is only read."""
    data = found["data"]
    return Revision(
        found["revision"],
        found["metadata"]["name"],
        (found["metadata"].get("labels") or {}).get(CANARY_LABEL, ""),
        data["digest"],
        {role: Named(unit["name"], unit["digest"]) for role, unit in data["units"].items()},
        data["spec"],
        data["annotations"],
        [(kept["file"], kept["manifest"]) for kept in data["runtimes"]],
        data.get("routed", False),
    )
