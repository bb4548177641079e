"""Models that are kept on nodes (serving.kserve.io/v1alpha1): what to keep (LocalModelCache, and
LocalModelNamespaceCache for one namespace), where (LocalModelNodeGroup), and what each node has
(LocalModelNode).
"""

from typing import Literal

from pydantic import Field, StrictStr
from pydantic.config import JsonDict

from controller.resources.core import PersistentVolumeClaimSpec, PersistentVolumeSpec
from controller.resources.model import Int64, Model, NonEmpty, Quantity
from controller.resources.resource import Condition, Resource

NodeState = Literal[
    "",
    "NodeNotReady",
    "NodeDownloadPending",
    "NodeDownloading",
    "NodeDownloaded",
    "NodeDownloadError",
]
LocalModelState = Literal[
    "", "ModelDownloadPending", "ModelDownloading", "ModelDownloaded", "ModelDownloadError"
]


_STAYS: JsonDict = {
    "x-kubernetes-validations": [
        {"rule": "self == oldSelf", "message": "the model of a cache stays; create another one"}
    ]
}


class LocalModelStorageSpec(Model):
    key: StrictStr | None = None
    parameters: dict[str, StrictStr] = Field(default_factory=dict)


class LocalModelCacheSpec(Model):
    source_model_uri: StrictStr = Field(json_schema_extra=_STAYS)
    model_size: Quantity
    node_groups: NonEmpty[StrictStr]
    service_account_name: StrictStr | None = None
    storage: LocalModelStorageSpec | None = None


class NamespacedName(Model):
    namespace: StrictStr | None = None
    name: StrictStr | None = None


class Copies(Model):
    available: Int64 | None = None
    total: Int64 | None = None
    failed: Int64 | None = None


class LocalModelCacheStatus(Model):
    node_status: dict[str, NodeState] = Field(default_factory=dict)
    copies: Copies | None = None
    inference_services: tuple[NamespacedName, ...] = ()
    llm_inference_services: tuple[NamespacedName, ...] = ()
    conditions: tuple[Condition, ...] = ()


class AnyLocalModelCache(Resource):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    spec: LocalModelCacheSpec
    status: LocalModelCacheStatus | None = None


class LocalModelCache(AnyLocalModelCache):
    kind: Literal["LocalModelCache"] = "LocalModelCache"


class LocalModelNamespaceCache(AnyLocalModelCache):
    kind: Literal["LocalModelNamespaceCache"] = "LocalModelNamespaceCache"


class LocalModelNodeGroupSpec(Model):
    storage_limit: Quantity
    persistent_volume_spec: PersistentVolumeSpec
    persistent_volume_claim_spec: PersistentVolumeClaimSpec


class LocalModelNodeGroupStatus(Model):
    used: Quantity | None = None
    available: Quantity | None = None


class LocalModelNodeGroup(Resource):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["LocalModelNodeGroup"] = "LocalModelNodeGroup"
    spec: LocalModelNodeGroupSpec
    status: LocalModelNodeGroupStatus | None = None


class LocalModelInfo(Model):
    source_model_uri: StrictStr
    model_name: StrictStr
    namespace: StrictStr | None = None
    node_group: StrictStr | None = None
    service_account_name: StrictStr | None = None
    storage: LocalModelStorageSpec | None = None


class LocalModelNodeSpec(Model):
    local_models: tuple[LocalModelInfo, ...]


class LocalModelNodeStatus(Model):
    model_status: dict[str, LocalModelState] = Field(default_factory=dict)


class LocalModelNode(Resource):
    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["LocalModelNode"] = "LocalModelNode"
    spec: LocalModelNodeSpec
    status: LocalModelNodeStatus | None = None
