"""Revisions as their readers want them: beside what each is, its share of the calls, its replicas
and how it fares. Pure: services, revisions and pods in, as the API has them.

A replica belongs to a revision by its name, `SERVICE-UNIT-NUMBER`; two revisions may share one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.rollout.revision import CANARY_LABEL
from controller.store.owned import SERVICE_LABEL
from controller.store.pod_cells import word_of

Json = dict[str, Any]
Place = tuple[str, str]  # namespace and name

READY, IDLE, STARTING, NOT_READY = "Ready", "Idle", "Starting", "NotReady"
TERMINATING = "Terminating"
_PREDICTOR = "predictor"


@dataclass(frozen=True, slots=True)
class SeenRevision:
    """`share` is None for who gets no calls; `state` is empty for one that does not run."""

    namespace: str
    service: str
    name: str
    number: int
    canary: str
    created: str
    share: int | None
    ready: int  # of the predictor's replicas
    wanted: int
    state: str

    @property
    def runs(self) -> bool:
        return self.share is not None or self.wanted > 0 or bool(self.state)


def seen(
    services: Iterable[Json], revisions: Iterable[Json], pods: Iterable[Json]
) -> list[SeenRevision]:
    """The newest first, service by service."""
    shares = {
        (service["metadata"]["namespace"], name): percent
        for service in services
        for name, percent in shares_of(service).items()
    }
    running: Mapping[Place, list[Json]] = defaultdict(list)
    for pod in pods:
        # Without the number of the replica, it is the unit's.
        of = pod["metadata"]["name"].rpartition("-")[0]
        running[pod["metadata"]["namespace"], of].append(pod)
    found = [_seen(revision, shares, running) for revision in revisions]
    return sorted(found, key=lambda each: (each.namespace, each.service, -each.number))


def shares_of(service: Json) -> dict[str, int]:
    """By revision; one that is called and gets 0 % for now is among them."""
    components = (service.get("status") or {}).get("components") or {}
    traffic = (components.get(_PREDICTOR) or {}).get("traffic") or ()
    return {share["revisionName"]: share["percent"] for share in traffic}


def _seen(
    revision: Json, shares: Mapping[Place, int], running: Mapping[Place, Sequence[Json]]
) -> SeenRevision:
    metadata, labels = revision["metadata"], revision["metadata"].get("labels") or {}
    namespace, service = metadata["namespace"], labels.get(SERVICE_LABEL, "")
    share = shares.get((namespace, metadata["name"]))
    units = {
        role: [
            pod
            for pod in running.get((namespace, f"{service}-{unit['name']}"), ())
            if word_of(pod) != TERMINATING
        ]
        for role, unit in revision["data"]["units"].items()
    }
    predictors = units.get(_PREDICTOR, [])
    return SeenRevision(
        namespace,
        service,
        metadata["name"],
        revision["revision"],
        labels.get(CANARY_LABEL, ""),
        metadata["creationTimestamp"],
        share,
        sum(map(is_ready, predictors)),
        len(predictors),
        _state(share, [*units.values()]),
    )


def _state(share: int | None, units: Sequence[Sequence[Json]]) -> str:
    """Of its worst unit."""
    if not any(units):
        return IDLE if share else ""
    for pods in units:
        if not any(map(is_ready, pods)):
            return _why(pods)
    return READY


def _why(pods: Sequence[Json]) -> str:
    """None of these is ready."""
    words = [word_of(pod) for pod in pods]
    if any(word != "Running" for word in words):
        return next(word for word in words if word != "Running")
    states = [each for pod in pods for each in pod["status"].get("containerStatuses") or ()]
    return NOT_READY if any(each.get("started") for each in states) or not pods else STARTING


def replicas(pods: Iterable[Json]) -> dict[Place, tuple[int, int]]:
    """Of each service's predictors: how many are ready, how many there are."""
    found: dict[Place, tuple[int, int]] = {}
    for pod in pods:
        labels = pod["metadata"].get("labels") or {}
        if labels.get("component") == _PREDICTOR and word_of(pod) != TERMINATING:
            place = pod["metadata"]["namespace"], labels.get(SERVICE_LABEL, "")
            ready, all_of_them = found.get(place, (0, 0))
            found[place] = ready + is_ready(pod), all_of_them + 1
    return found


def is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
