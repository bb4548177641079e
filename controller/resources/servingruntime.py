"""ServingRuntime and ClusterServingRuntime (serving.kserve.io/v1alpha1): how a model of some
format is served.
"""

from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from controller.resources.pods import Container, Metadata, Model

SERVING_CONTAINER = "kserve-container"


class SupportedFormat(Model):
    name: StrictStr
    version: StrictStr | None = None
    auto_select: StrictBool = False
    priority: StrictInt | None = Field(None, ge=1)


class ServingRuntimeSpec(Model):
    containers: tuple[Container, ...] = Field(min_length=1)
    supported_model_formats: tuple[SupportedFormat, ...] = ()
    protocol_versions: tuple[StrictStr, ...] = ()
    multi_model: StrictBool = False
    disabled: StrictBool = False
    annotations: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    labels: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    worker_spec: dict[str, Any] | None = None


class ServingRuntime(Model):
    kind: Literal["ServingRuntime", "ClusterServingRuntime"]
    metadata: Metadata
    spec: ServingRuntimeSpec

    @property
    def is_cluster_wide(self) -> bool:
        return self.kind == "ClusterServingRuntime"

    @property
    def container(self) -> Container:
        """The one that serves."""
        containers = self.spec.containers
        return next((c for c in containers if c.name == SERVING_CONTAINER), containers[0])
