"""The ConfigMap `inferenceservice-config`: each of its keys holds JSON text, and here a type.

What a key does not say is as KServe ships it, and so is everything without such a ConfigMap. KServe
passes over words that it does not know; so do we, with a warning.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationError

from controller.resources.credentials import ConfigMap
from controller.resources.fields import field_problems, without_unknown
from controller.resources.model import Int64, Model, QuantityText, QuantityTextOrEmpty, read
from graph.codes import Code
from graph.problems import Path, Problem
from graph.wording import Speller, shown

NAME = "inferenceservice-config"

# Never copied to what an InferenceService makes; `inferenceService` adds to them.
DISALLOWED_ANNOTATIONS = (
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/max-scale",
    "internal.serving.kserve.io/storage-initializer-sourceuri",
    "kubectl.kubernetes.io/last-applied-configuration",
    "modelFormat",
)
DISALLOWED_LABELS = ("networking.knative.dev/visibility",)


class ARTExplainerConfig(Model):
    image: StrictStr = "kserve/art-explainer"
    default_image_version: StrictStr = "latest"


class ExplainersConfig(Model):
    art: ARTExplainerConfig = ARTExplainerConfig()


class ResourceConfig(Model):
    """Empty text means no such request or limit."""

    cpu_limit: QuantityTextOrEmpty = "1"
    memory_limit: QuantityTextOrEmpty = "2Gi"
    cpu_request: QuantityTextOrEmpty = "1"
    memory_request: QuantityTextOrEmpty = "2Gi"


class InferenceServicesConfig(Model):
    resource: ResourceConfig = ResourceConfig()
    service_annotation_disallowed_list: tuple[StrictStr, ...] = ()
    service_label_disallowed_list: tuple[StrictStr, ...] = ()


class SidecarConfig(Model):
    """An image, and what it may take."""

    image: StrictStr = "kserve/agent:latest"
    cpu_request: QuantityText = "100m"
    cpu_limit: QuantityText = "1"
    memory_request: QuantityText = "100Mi"
    memory_limit: QuantityText = "1Gi"


class StorageInitializerConfig(SidecarConfig):
    image: StrictStr = "kserve/storage-initializer:latest"
    ca_bundle_config_map_name: StrictStr = ""
    ca_bundle_volume_mount_path: StrictStr = "/etc/ssl/custom-certs"
    enable_modelcar: StrictBool = True
    cpu_modelcar: QuantityText = "10m"
    memory_modelcar: QuantityText = "15Mi"
    uid_modelcar: Int64 | None = 1010
    enable_oci_model_support: StrictBool | None = None
    oci_model_mode: Literal["modelcar", "native", "fetch"] | None = None
    oci_insecure_registry: StrictBool | None = None


class GCSConfig(Model):
    gcs_credential_file_name: StrictStr = "gcloud-application-credentials.json"


class S3Config(Model):
    s3_access_key_id_name: StrictStr = "AWS_ACCESS_KEY_ID"
    s3_secret_access_key_name: StrictStr = "AWS_SECRET_ACCESS_KEY"
    s3_endpoint: StrictStr = ""
    s3_use_https: StrictStr = ""
    s3_region: StrictStr = ""
    s3_verify_ssl: StrictStr = ""
    s3_use_virtual_bucket: StrictStr = ""
    s3_use_accelerate: StrictStr = ""
    s3_use_anonymous_credential: StrictStr = ""
    s3_ca_bundle_config_map: StrictStr = ""
    s3_ca_bundle: StrictStr = ""


class CredentialConfig(Model):
    storage_spec_secret_name: StrictStr = "storage-config"
    storage_secret_name_annotation: StrictStr = "serving.kserve.io/storageSecretName"
    gcs: GCSConfig = GCSConfig()
    s3: S3Config = S3Config()


class IngressConfig(Model):
    enable_gateway_api: StrictBool = False
    kserve_ingress_gateway: StrictStr = "kserve/kserve-ingress-gateway"
    ingress_gateway: StrictStr = "knative-serving/knative-ingress-gateway"
    local_gateway: StrictStr = "knative-serving/knative-local-gateway"
    local_gateway_service: StrictStr = "knative-local-gateway.istio-system.svc.cluster.local"
    knative_local_gateway_service: StrictStr = ""  # that of the local gateway
    ingress_domain: StrictStr = "example.com"
    additional_ingress_domains: tuple[StrictStr, ...] = ()
    ingress_class_name: StrictStr = "istio"
    domain_template: StrictStr = "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"
    url_scheme: StrictStr = "http"
    path_template: StrictStr = ""
    disable_istio_virtual_host: StrictBool = False
    disable_ingress_creation: StrictBool = False
    disable_http_route_timeout: StrictBool = False


class RolloutConfig(Model):
    max_surge: StrictStr | None = None
    max_unavailable: StrictStr | None = None


class DeploymentRolloutStrategy(Model):
    default_rollout: RolloutConfig | None = None


class DeployConfig(Model):
    # Serverless and RawDeployment are what Knative and Standard were called before.
    default_deployment_mode: Literal[
        "Knative", "Standard", "ModelMesh", "Serverless", "RawDeployment"
    ] = "Knative"
    deployment_rollout_strategy: DeploymentRolloutStrategy | None = None


class LoggerStorageConfig(Model):
    path: StrictStr | None = None
    parameters: dict[str, StrictStr] = Field(default_factory=dict)
    key: StrictStr | None = None
    service_account_name: StrictStr | None = None


class LoggerConfig(SidecarConfig):
    default_url: StrictStr = "http://default-broker"
    ca_bundle: StrictStr | None = None
    ca_cert_file: StrictStr | None = None
    tls_skip_verify: StrictBool = False
    storage: LoggerStorageConfig | None = None
    marshaller_url: StrictStr | None = None
    batch_size: Int64 | None = None
    batch_interval: StrictStr | None = None


class BatcherConfig(SidecarConfig):
    cpu_request: QuantityText = "1"
    memory_request: QuantityText = "1Gi"
    max_batch_size: StrictStr = "32"
    max_latency: StrictStr = "5000"


class RouterHeaders(Model):
    propagate: tuple[StrictStr, ...] = ()


class RouterConfig(SidecarConfig):
    image: StrictStr = "kserve/router:latest"
    image_pull_policy: StrictStr = "IfNotPresent"
    image_pull_secrets: tuple[StrictStr, ...] = ()
    headers: RouterHeaders = RouterHeaders()


class MetricsAggregatorConfig(Model):
    enable_metric_aggregation: StrictStr = "false"
    enable_prometheus_scraping: StrictStr = "false"


class AutoscalerConfig(Model):
    scale_up_stabilization_window_seconds: StrictStr = "0"
    scale_down_stabilization_window_seconds: StrictStr = "300"


class OtelResourceConfig(ResourceConfig):
    cpu_request: QuantityTextOrEmpty = "200m"
    memory_request: QuantityTextOrEmpty = "512Mi"


class OtelCollectorConfig(Model):
    scrape_interval: StrictStr = "5s"
    metric_receiver_endpoint: StrictStr = "keda-otel-scaler.keda.svc:4317"
    metric_scaler_endpoint: StrictStr = "keda-otel-scaler.keda.svc:4318"
    resource: OtelResourceConfig = OtelResourceConfig()


class LocalModelConfig(Model):
    enabled: StrictBool = False
    job_namespace: StrictStr = "kserve-localmodel-jobs"
    default_job_image: StrictStr = "kserve/storage-initializer:latest"
    fs_group: Int64 | None = 1000
    job_ttl_seconds_after_finished: Int64 | None = 3600
    reconcilation_frequency_in_secs: Int64 | None = 60
    disable_volume_management: StrictBool = False


class SecurityConfig(Model):
    auto_mount_service_account_token: StrictBool = True


class ServiceConfig(Model):
    service_cluster_ip_none: StrictBool = False


class MultiNodeConfig(Model):
    custom_gpu_resource_type_list: tuple[StrictStr, ...] = ()


class Config(Model):
    """All keys; `Config()` is what KServe ships."""

    explainers: ExplainersConfig = ExplainersConfig()
    inference_service: InferenceServicesConfig = InferenceServicesConfig()
    storage_initializer: StorageInitializerConfig = StorageInitializerConfig()
    credentials: CredentialConfig = CredentialConfig()
    ingress: IngressConfig = IngressConfig()
    deploy: DeployConfig = DeployConfig()
    logger: LoggerConfig = LoggerConfig()
    batcher: BatcherConfig = BatcherConfig()
    agent: SidecarConfig = SidecarConfig()
    router: RouterConfig = RouterConfig()
    metrics_aggregator: MetricsAggregatorConfig = MetricsAggregatorConfig()
    autoscaler: AutoscalerConfig = AutoscalerConfig()
    opentelemetry_collector: OtelCollectorConfig = OtelCollectorConfig()
    local_model: LocalModelConfig = LocalModelConfig()
    security: SecurityConfig = SecurityConfig()
    service: ServiceConfig = ServiceConfig()
    multi_node: MultiNodeConfig = MultiNodeConfig()

    @property
    def disallowed_annotations(self) -> frozenset[str]:
        own = self.inference_service.service_annotation_disallowed_list
        return frozenset((*DISALLOWED_ANNOTATIONS, *own))

    @property
    def disallowed_labels(self) -> frozenset[str]:
        own = self.inference_service.service_label_disallowed_list
        return frozenset((*DISALLOWED_LABELS, *own))

    @property
    def deployment_mode(self) -> str:
        given = self.deploy.default_deployment_mode
        return {"Serverless": "Knative", "RawDeployment": "Standard"}.get(given, given)


def is_config(config_map: ConfigMap) -> bool:
    return config_map.name == NAME


def config_of(config_map: ConfigMap) -> tuple[Config, list[Problem]]:
    """Its keys; one that cannot be read is as KServe ships it, beside the problem."""
    known = {field.alias or name: (name, field) for name, field in Config.model_fields.items()}
    said: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, text in config_map.data.items():
        path: Path = ("data", key)
        if key in known:
            name, field = known[key]
            value, faults = _section(type(field.default), text, path)
            problems += faults
            if value is not None:
                said[name] = value
        elif not key.startswith("_"):  # KServe ships an `_example` beside them
            hint = Speller(known).hint(key)
            message = f"unknown key {shown(key)} is passed over{hint or '; remove it'}"
            problems.append(Code.IGNORED_FIELD.at(path, message))
    return Config(**said), problems


def _section(model: type[Model], text: str, path: Path) -> tuple[Model | None, list[Problem]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{shown(str(path[-1]))} holds no JSON ({error}); mend it"
        return None, [Code.BAD_VALUE.at(path, message)]
    try:
        return read(model, data), []
    except ValidationError as error:
        problems = list(_placed(field_problems(model, error), path))
        rest = without_unknown(data, error)
        return (None if rest is None else read(model, rest)), problems


def _placed(problems: Iterable[Problem], path: Path) -> Iterable[Problem]:
    """Text inside a ConfigMap has no places of its own: all stand at its key."""
    for problem in problems:
        where = ".".join(str(part) for part in problem.path)
        if problem.code == Code.UNKNOWN_FIELD.text:
            yield Code.IGNORED_FIELD.at(path, f"{problem.message} (it is passed over)")
        else:
            yield replace(problem, path=path, message=f"{where}: {problem.message}")
