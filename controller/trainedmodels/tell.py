"""What became of a TrainedModel, in KServe's words and one of ours: its status. Pure.

KServe's three conditions say whether it may be served; `Loaded` says whether it is. Ready needs all
four, so that whoever waits for Ready can call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from controller.conditions import FALSE, TRUE, Told, conditions

Json = dict[str, Any]

UNKNOWN = "Unknown"
SERVICE_READY = "InferenceServiceReady"
IS_MULTI_MODEL = "IsMMSPredictor"
MEMORY = "MemoryResourceAvailable"
LOADED = "Loaded"

NOT_FOUND = "InferenceServiceNotFound"
NOT_READY = "InferenceServiceNotReady"
NOT_MULTI_MODEL = "PredictorIsNotMMS"
NO_MEMORY = "InsufficientMemory"
LOADING = "Loading"
LOAD_FAILED = "ModelLoadFailed"


@dataclass(frozen=True, slots=True)
class Parent:
    """The InferenceService of a model. `url` and `address`: where callers find it."""

    exists: bool = False
    ready: bool = False
    multi_model: bool = False
    protocol: str = "v2"
    url: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Servers:
    """How far its servers are with it. `failures`: by server, in its words; `placed`: its files are
    where servers load it from.
    """

    total: int = 0
    loaded: int = 0
    placed: bool = False
    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    doing: str = ""  # what is done now


def status(
    name: str,
    generation: int,
    parent: Parent,
    refused: str | None,
    servers: Servers,
    before: Json,
    now: float,
) -> Json:
    """Equal to the one before if nothing has changed. `refused`: why there is no memory for it."""
    told = [_service(parent), _multi_model(parent), _memory(parent, refused)]
    told.append(_loaded(parent, refused, servers))
    bad = next((each for each in told if each.status != TRUE), None)
    ready = Told("Ready", TRUE) if bad is None else Told("Ready", FALSE, bad.reason, bad.message)
    said: Json = {
        "observedGeneration": generation,
        "conditions": conditions([*told, ready], before, now),
    }
    if parent.multi_model:
        if parent.url:
            said["url"] = parent.url.rstrip("/") + path(name, parent.protocol)
        if parent.address:
            said["address"] = {"url": parent.address.rstrip("/") + path(name, parent.protocol)}
    return said


def path(name: str, protocol: str) -> str:
    return f"/v1/models/{name}:predict" if protocol == "v1" else f"/v2/models/{name}/infer"


def _service(parent: Parent) -> Told:
    if not parent.exists:
        message = "there is no such InferenceService; apply it, or name another"
        return Told(SERVICE_READY, FALSE, NOT_FOUND, message)
    if not parent.ready:
        return Told(SERVICE_READY, FALSE, NOT_READY, "the InferenceService is not ready")
    return Told(SERVICE_READY, TRUE)


def _multi_model(parent: Parent) -> Told:
    if not parent.exists:
        return Told(IS_MULTI_MODEL, UNKNOWN)
    if parent.multi_model:
        return Told(IS_MULTI_MODEL, TRUE)
    message = "the predictor serves one model; take its storageUri away, or name another service"
    return Told(IS_MULTI_MODEL, FALSE, NOT_MULTI_MODEL, message)


def _memory(parent: Parent, refused: str | None) -> Told:
    if not parent.multi_model:
        return Told(MEMORY, UNKNOWN)
    if refused is not None:
        return Told(MEMORY, FALSE, NO_MEMORY, refused)
    return Told(MEMORY, TRUE)


def _loaded(parent: Parent, refused: str | None, servers: Servers) -> Told:
    if not parent.multi_model or refused is not None:
        return Told(LOADED, FALSE, "", "")
    if servers.failures:
        message = "; ".join(f"{server}: {why}" for server, why in servers.failures.items())
        return Told(LOADED, FALSE, LOAD_FAILED, message)
    if servers.loaded < servers.total or not servers.placed:
        of = f"{servers.loaded} of {servers.total} servers have it"
        return Told(LOADED, FALSE, LOADING, servers.doing or of)
    if servers.total == 0 and not parent.ready:
        return Told(LOADED, FALSE, LOADING, "no server runs")
    return Told(LOADED, TRUE)
