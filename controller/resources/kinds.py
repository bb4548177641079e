"""The table of kinds: what there is, how it is called, who shows what of it.

A new kind is a model and a line here; parsing, schemas, CRDs and the API follow from it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from controller.resources.credentials import ConfigMap, Secret, ServiceAccount
from controller.resources.inferenceservice import InferenceService
from controller.resources.localmodel import (
    LocalModelCache,
    LocalModelNamespaceCache,
    LocalModelNode,
    LocalModelNodeGroup,
)
from controller.resources.servingruntime import ClusterServingRuntime, ServingRuntime
from controller.resources.storagecontainer import ClusterStorageContainer, StorageContainer
from controller.resources.trainedmodel import TrainedModel
from graph.spec import InferenceGraph

KSERVE = "serving.kserve.io"
GRAPHWAY = "graphway.dev"
CORE = ""
BUILT_IN = "graphway.dev/built-in"  # an annotation of what came with Graphway


@dataclass(frozen=True, slots=True)
class Column:
    """Of a table of such objects. `priority` above 0: only in the wide form."""

    name: str
    path: str  # JSONPath, as in a CRD
    type: str = "string"
    priority: int = 0
    cell: Callable[[dict[str, Any]], Any] | None = None  # what no path can say: not in a CRD


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    group: str
    version: str
    plural: str
    namespaced: bool
    model: type[BaseModel]
    short_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    status: bool = True  # whether status is a subresource

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.name.lower()


def _number_of_keys(item: dict[str, Any]) -> int:
    data = item.get("data")
    return len(data) if isinstance(data, dict) else 0


def _built_in(item: dict[str, Any]) -> str:
    annotations = item["metadata"].get("annotations") or {}
    return "yes" if isinstance(annotations, dict) and BUILT_IN in annotations else ""


_AGE = Column("Age", ".metadata.creationTimestamp", "date")
_DATA = Column("Data", ".data", "integer", cell=_number_of_keys)  # as kubectl: never the values
_READY = Column("Ready", ".status.conditions[?(@.type=='Ready')].status")
_WHY = Column("State", ".status.conditions[?(@.type=='Ready')].reason")
_URL = Column("URL", ".status.url")
_PREVIOUS = ".status.components.predictor.traffic[?(@.tag=='prev')]"
_LATEST = ".status.components.predictor.traffic[?(@.latestRevision==true)]"
_SERVED = (_URL, _READY, _AGE)
_RUNTIME = (
    Column("Disabled", ".spec.disabled", "boolean"),
    Column("ModelType", ".spec.supportedModelFormats[*].name"),
    Column("Containers", ".spec.containers[*].name"),
    Column("BuiltIn", ".metadata.annotations", cell=_built_in),
    _AGE,
)
_CACHE = (
    Column("URI", ".spec.sourceModelUri"),
    Column("Available", ".status.copies.available", "integer"),
    Column("Total", ".status.copies.total", "integer"),
    _WHY,
    Column("Size", ".spec.modelSize", priority=1),
    Column("Users", ".status.inferenceServices[*].name", priority=1),
    Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1),
    _AGE,
)
_SERVICE = (
    _URL,
    _READY,
    Column("Prev", f"{_PREVIOUS}.percent", "integer"),
    Column("Latest", f"{_LATEST}.percent", "integer"),
    Column("PrevRolledoutRevision", f"{_PREVIOUS}.revisionName", priority=1),
    Column("LatestReadyRevision", f"{_LATEST}.revisionName", priority=1),
    _AGE,
)

KINDS: tuple[Kind, ...] = (
    Kind(
        "InferenceService",
        KSERVE,
        "v1beta1",
        "inferenceservices",
        True,
        InferenceService,
        ("isvc",),
        _SERVICE,
    ),
    Kind(
        "InferenceGraph",
        KSERVE,
        "v1alpha1",
        "inferencegraphs",
        True,
        InferenceGraph,
        ("ig",),
        _SERVED,
    ),
    Kind(
        "ServingRuntime",
        KSERVE,
        "v1alpha1",
        "servingruntimes",
        True,
        ServingRuntime,
        columns=_RUNTIME,
        status=False,
    ),
    Kind(
        "ClusterServingRuntime",
        KSERVE,
        "v1alpha1",
        "clusterservingruntimes",
        False,
        ClusterServingRuntime,
        columns=_RUNTIME,
        status=False,
    ),
    Kind("TrainedModel", KSERVE, "v1alpha1", "trainedmodels", True, TrainedModel, ("tm",), _SERVED),
    Kind(
        "ClusterStorageContainer",
        KSERVE,
        "v1alpha1",
        "clusterstoragecontainers",
        False,
        ClusterStorageContainer,
        columns=(_AGE,),
        status=False,
    ),
    Kind(
        "StorageContainer",
        GRAPHWAY,
        "v1alpha1",
        "storagecontainers",
        True,
        StorageContainer,
        columns=(_AGE,),
        status=False,
    ),
    Kind(
        "LocalModelCache",
        KSERVE,
        "v1alpha1",
        "localmodelcaches",
        False,
        LocalModelCache,
        ("lmc",),
        _CACHE,
    ),
    Kind(
        "LocalModelNamespaceCache",
        KSERVE,
        "v1alpha1",
        "localmodelnamespacecaches",
        True,
        LocalModelNamespaceCache,
        ("lmnc",),
        _CACHE,
    ),
    Kind(
        "LocalModelNode",
        KSERVE,
        "v1alpha1",
        "localmodelnodes",
        False,
        LocalModelNode,
        ("lmn",),
        (Column("Models", ".spec.localModels[*].modelName"), _AGE),
    ),
    Kind(
        "LocalModelNodeGroup",
        KSERVE,
        "v1alpha1",
        "localmodelnodegroups",
        False,
        LocalModelNodeGroup,
        ("lmng",),
        (
            Column("Limit", ".spec.storageLimit"),
            Column("Used", ".status.used"),
            Column("Available", ".status.available"),
            _AGE,
        ),
    ),
    Kind(
        "Secret",
        CORE,
        "v1",
        "secrets",
        True,
        Secret,
        columns=(Column("Type", ".type"), _DATA, _AGE),
        status=False,
    ),
    Kind(
        "ServiceAccount",
        CORE,
        "v1",
        "serviceaccounts",
        True,
        ServiceAccount,
        ("sa",),
        (_AGE,),
        status=False,
    ),
    Kind(
        "ConfigMap", CORE, "v1", "configmaps", True, ConfigMap, ("cm",), (_DATA, _AGE), status=False
    ),
)

_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(api_version: str, kind: str) -> Kind | None:
    found = _BY_NAME.get(kind)
    return found if found is not None and found.api_version == api_version else None


def named(kind: str) -> Kind | None:
    """By its name, whatever the version."""
    return _BY_NAME.get(kind)


def by_name(text: str) -> Kind | None:
    """As kubectl takes it: kind, plural, singular or short name, with the group or without."""
    word, _, group = text.lower().partition(".")
    for kind in KINDS:
        if word in names(kind) and group in ("", kind.group, f"{kind.version}.{kind.group}"):
            return kind
    return None


def names(kind: Kind) -> Iterable[str]:
    return (kind.plural, kind.singular, *kind.short_names)
