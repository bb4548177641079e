"""What became of an InferenceService: addresses, components, its model, conditions."""

from typing import Literal

from pydantic import ConfigDict, Field, StrictBool, StrictStr

from controller.resources.model import Int32, Int64, Model, Time
from controller.resources.resource import Addressable, Status

ModelState = Literal["", "Pending", "Standby", "Loading", "Loaded", "FailedToLoad"]
TransitionStatus = Literal["", "UpToDate", "InProgress", "BlockedByFailedLoad", "InvalidSpec"]
FailureReason = Literal[
    "ModelLoadFailed",
    "RuntimeUnhealthy",
    "RuntimeDisabled",
    "NoSupportingRuntime",
    "RuntimeNotRecognized",
    "InvalidPredictorSpec",
]


class TrafficTarget(Model):
    tag: StrictStr | None = None
    revision_name: StrictStr | None = None
    configuration_name: StrictStr | None = None
    latest_revision: StrictBool | None = None
    percent: Int64 | None = None
    url: StrictStr | None = None


class ComponentStatusSpec(Model):
    latest_ready_revision: StrictStr | None = None
    latest_created_revision: StrictStr | None = None
    previous_rolledout_revision: StrictStr | None = None
    latest_rolledout_revision: StrictStr | None = None
    traffic: tuple[TrafficTarget, ...] = ()
    url: StrictStr | None = None
    rest_url: StrictStr | None = None
    grpc_url: StrictStr | None = None
    address: Addressable | None = None


class FailureInfo(Model):
    location: StrictStr | None = None
    reason: FailureReason | None = None
    message: StrictStr | None = None
    model_revision_name: StrictStr | None = None
    time: Time | None = None
    exit_code: Int32 | None = None


class ModelRevisionStates(Model):
    active_model_state: ModelState = "Pending"
    target_model_state: ModelState = ""


class ModelCopies(Model):
    failed_copies: Int64 = 0
    total_copies: Int64 | None = None


class ModelStatus(Model):
    transition_status: TransitionStatus = "UpToDate"
    states: ModelRevisionStates | None = None
    last_failure_info: FailureInfo | None = None
    copies: ModelCopies | None = None


class CanaryStatus(Model):
    name: StrictStr
    ready: StrictBool
    traffic_percent: Int32
    model_status: ModelStatus | None = None


class InferenceServiceStatus(Status):
    """As its controller writes it; one of another version may know more."""

    model_config = ConfigDict(extra="allow")

    url: StrictStr | None = None
    address: Addressable | None = None
    components: dict[str, ComponentStatusSpec] = Field(default_factory=dict)
    model_status: ModelStatus | None = None
    canary_statuses: tuple[CanaryStatus, ...] = ()
    deployment_mode: StrictStr | None = None
    serving_runtime_name: StrictStr | None = None
    cluster_serving_runtime_name: StrictStr | None = None
