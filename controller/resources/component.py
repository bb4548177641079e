"""What predictor, transformer and explainer share: replicas, autoscaling, logging, batching."""

from typing import Literal

from pydantic import Field, StrictStr

from controller.resources.core import (
    DeploymentStrategy,
    HorizontalPodAutoscalerBehavior,
    PodSpec,
)
from controller.resources.model import Int32, Int64, Model, NonEmpty, Quantity

MODEL_MOUNT = "/mnt/models"
ScaleMetric = Literal["cpu", "memory", "concurrency", "rps"]
MetricTargetType = Literal["Utilization", "Value", "AverageValue"]


class MetricTarget(Model):
    type: MetricTargetType | None = None
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: Int32 | None = None


class ResourceMetricSource(Model):
    name: Literal["cpu", "memory"]
    target: MetricTarget


class ExternalMetrics(Model):
    backend: Literal["prometheus", "graphite"] | None = None
    server_address: StrictStr | None = None
    query: StrictStr | None = None
    namespace: StrictStr | None = None


class AuthenticationRefName(Model):
    name: StrictStr


class AuthenticationRef(Model):
    authentication_ref: AuthenticationRefName
    auth_modes: StrictStr | None = None


class ExternalMetricSource(Model):
    metric: ExternalMetrics
    target: MetricTarget
    authentication_ref: AuthenticationRef | None = None


class PodMetrics(Model):
    backend: Literal["opentelemetry"] | None = None
    server_address: StrictStr | None = None
    metric_names: tuple[StrictStr, ...] = ()
    query: StrictStr | None = None
    operation_over_time: StrictStr | None = None


class PodMetricSource(Model):
    metric: PodMetrics
    target: MetricTarget


class MetricsSpec(Model):
    type: Literal["Resource", "External", "PodMetric"]
    resource: ResourceMetricSource | None = None
    external: ExternalMetricSource | None = None
    podmetric: PodMetricSource | None = None


class AutoScalingSpec(Model):
    metrics: tuple[MetricsSpec, ...] = ()
    behavior: HorizontalPodAutoscalerBehavior | None = None


class LoggerStorageSpec(Model):
    path: StrictStr | None = None
    parameters: dict[str, StrictStr] = Field(default_factory=dict)
    key: StrictStr | None = None
    service_account_name: StrictStr | None = None


class LoggerSpec(Model):
    url: StrictStr | None = None
    mode: Literal["all", "request", "response"] | None = None
    metadata_headers: tuple[StrictStr, ...] = ()
    metadata_annotations: tuple[StrictStr, ...] = ()
    storage: LoggerStorageSpec | None = None
    marshaller_url: StrictStr | None = None
    batch_size: Int64 | None = None
    batch_interval: StrictStr | None = None


class Batcher(Model):
    max_batch_size: Int64 | None = None
    max_latency: Int64 | None = None
    timeout: Int64 | None = None


class StorageUri(Model):
    uri: StrictStr = Field(min_length=1)
    mount_path: StrictStr = Field(default=MODEL_MOUNT, pattern=r"^/", max_length=255)


class ComponentExtensionSpec(Model):
    min_replicas: Int32 | None = None
    max_replicas: Int32 | None = None
    scale_target: Int32 | None = None
    scale_metric: ScaleMetric | None = None
    scale_metric_type: MetricTargetType | None = None
    auto_scaling: AutoScalingSpec | None = None
    container_concurrency: Int64 | None = None
    timeout: Int64 | None = None
    canary_traffic_percent: Int64 | None = None
    logger: LoggerSpec | None = None
    batcher: Batcher | None = None
    labels: dict[str, StrictStr] = Field(default_factory=dict)
    annotations: dict[str, StrictStr] = Field(default_factory=dict)
    deployment_strategy: DeploymentStrategy | None = None


class ComponentSpec(PodSpec, ComponentExtensionSpec):
    """A pod of which every part may be left out, and what KServe adds to it."""

    # At least one where it is given: no list is not an empty one.
    storage_uris: NonEmpty[StorageUri] = ()
