"""ServingRuntime and ClusterServingRuntime (serving.kserve.io/v1alpha1): how a model of some
format is served.
"""

from typing import Literal

from pydantic import Field, StrictBool, StrictStr

from controller.resources.core import (
    Affinity,
    Container,
    EnvVar,
    LocalObjectReference,
    PodResourceClaim,
    Toleration,
    Volume,
)
from controller.resources.model import Int64, Model, Positive32
from controller.resources.resource import Resource

SERVING_CONTAINER = "kserve-container"


class SupportedModelFormat(Model):
    name: StrictStr
    version: StrictStr | None = None
    auto_select: StrictBool = False
    priority: Positive32 | None = None


class StorageHelper(Model):
    disabled: StrictBool | None = None


class BuiltInAdapter(Model):
    server_type: StrictStr | None = None
    runtime_management_port: Int64 | None = None
    mem_buffer_bytes: Int64 | None = None
    model_loading_timeout_millis: Int64 | None = None
    env: tuple[EnvVar, ...] = ()


class ServingRuntimePodSpec(Model):
    """What a runtime may say of the pods that it will run in."""

    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...] = ()
    node_selector: dict[str, StrictStr] = Field(default_factory=dict)
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    labels: dict[str, StrictStr] = Field(default_factory=dict)
    annotations: dict[str, StrictStr] = Field(default_factory=dict)
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    host_ipc: StrictBool | None = None
    scheduler_name: StrictStr | None = None
    resource_claims: tuple[PodResourceClaim, ...] = ()


class RuntimeWorkerSpec(ServingRuntimePodSpec):
    pipeline_parallel_size: Int64 | None = None
    tensor_parallel_size: Int64 | None = None


class ServingRuntimeSpec(ServingRuntimePodSpec):
    supported_model_formats: tuple[SupportedModelFormat, ...] = ()
    protocol_versions: tuple[StrictStr, ...] = ()
    multi_model: StrictBool = False
    disabled: StrictBool = False
    worker_spec: RuntimeWorkerSpec | None = None
    grpc_endpoint: StrictStr | None = None
    grpc_data_endpoint: StrictStr | None = None
    http_data_endpoint: StrictStr | None = None
    replicas: Int64 | None = None
    storage_helper: StorageHelper | None = None
    built_in_adapter: BuiltInAdapter | None = None


class ServingRuntimeStatus(Model):
    """Nothing is said of a runtime."""


class AnyServingRuntime(Resource):
    """The two differ in who may use them: their namespace, or everybody."""

    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["ServingRuntime", "ClusterServingRuntime"]
    spec: ServingRuntimeSpec
    status: ServingRuntimeStatus | None = None

    @property
    def is_cluster_wide(self) -> bool:
        return self.kind == "ClusterServingRuntime"

    @property
    def container(self) -> Container:
        """The one that serves."""
        containers = self.spec.containers
        return next((c for c in containers if c.name == SERVING_CONTAINER), containers[0])


class ServingRuntime(AnyServingRuntime):
    kind: Literal["ServingRuntime"] = "ServingRuntime"


class ClusterServingRuntime(AnyServingRuntime):
    kind: Literal["ClusterServingRuntime"] = "ClusterServingRuntime"
