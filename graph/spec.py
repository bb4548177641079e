"""What the user wrote: KServe's InferenceGraph (serving.kserve.io/v1alpha1), field by field.

The models mirror the wire form: camelCase in YAML, snake_case in Python, unknown keys refused,
values never coerced. They hold no rules beyond types; what a graph must satisfy stands in `checks`.
Fields that we do not interpret (pod scheduling, status conditions) are kept as they are, so that a
manifest round-trips.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic.alias_generators import to_camel

API_VERSION = "serving.kserve.io/v1alpha1"
KIND = "InferenceGraph"


def _whole(value: object) -> object:
    """20.0 is 20: on its way through JSON a cluster loses the difference, so it takes both."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Int32 = Annotated[StrictInt, Field(ge=-(2**31), lt=2**31), BeforeValidator(_whole)]
Int64 = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63), BeforeValidator(_whole)]


class Model(BaseModel):
    """Frozen, strict about keys, written in camelCase."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class RouterType(StrEnum):
    SEQUENCE = "Sequence"
    SPLITTER = "Splitter"
    ENSEMBLE = "Ensemble"
    SWITCH = "Switch"


class Dependency(StrEnum):
    UNSET = ""  # KServe reads it as Soft
    SOFT = "Soft"
    HARD = "Hard"


class Forward(StrEnum):
    """Ours: what of the caller's request line a call carries."""

    CALLER = "Caller"  # method, path and query


class Combine(StrEnum):
    """Ours: what an Ensemble makes of its answers, instead of an object by step."""

    MEAN = "mean"
    WEIGHTED_MEAN = "weightedMean"
    VOTE = "vote"
    FIRST = "first"
    CONCAT = "concat"


class StepHeaders(Model):
    """Ours: what a call carries beside the headers that describe its body."""

    set_: dict[StrictStr, StrictStr] | None = Field(None, alias="set")
    remove: tuple[StrictStr, ...] | None = None
    copy_: tuple[StrictStr, ...] | None = Field(None, alias="copy")  # of the caller's


class Respond(Model):
    """Ours: the answer of a step that asks nobody. A text is sent as it is, other JSON as JSON."""

    status: Annotated[StrictInt, Field(ge=200, le=599), BeforeValidator(_whole)] = 200
    headers: dict[StrictStr, StrictStr] | None = None
    body: Any = None


class Step(Model):
    """One edge of a node: where to go (exactly one of three) and under which circumstances."""

    name: StrictStr | None = None
    node_name: StrictStr | None = None
    service_name: StrictStr | None = None
    service_url: StrictStr | None = None
    data: StrictStr | None = None
    map_predictions_to_instances: StrictBool | None = None
    weight: Int64 | None = None
    condition: StrictStr | None = None
    dependency: Dependency | None = None
    forward: Forward | None = None
    headers: StepHeaders | None = None
    respond: Respond | None = None


class Node(Model):
    router_type: RouterType
    steps: tuple[Step, ...] | None = None
    combine: Combine | None = None
    quorum: Int32 | None = None
    deadline_seconds: Annotated[float, Field(ge=0, strict=True)] | None = None


class RouterTimeouts(Model):
    """Whole seconds; KServe's defaults are 60 (read), 60 (write), 180 (idle), none (client)."""

    server_read: Int64 | None = None
    server_write: Int64 | None = None
    server_idle: Int64 | None = None
    service_client: Int64 | None = None


class GraphSpec(Model):
    nodes: dict[StrictStr, Node]
    resources: dict[str, Any] | None = None
    affinity: dict[str, Any] | None = None
    timeout: Int64 | None = None
    router_timeouts: RouterTimeouts | None = None
    min_replicas: Int32 | None = None
    max_replicas: Int32 | None = None
    scale_target: Int32 | None = None
    scale_metric: Literal["cpu", "memory", "concurrency", "rps"] | None = None
    tolerations: tuple[dict[str, Any], ...] | None = None
    node_selector: dict[str, StrictStr] | None = None
    node_name: StrictStr | None = None
    service_account_name: StrictStr | None = None
    propagate_headers: tuple[StrictStr, ...] | None = None


# What KServe's schema does not know, by the names of YAML.
OUR_FIELDS: dict[type[Model], frozenset[str]] = {
    GraphSpec: frozenset({"propagateHeaders"}),
    Node: frozenset({"combine", "quorum", "deadlineSeconds"}),
    Step: frozenset({"forward", "headers", "respond"}),
}


class Condition(Model):
    """A knative condition of the status."""

    type: StrictStr
    status: StrictStr
    severity: StrictStr | None = None
    last_transition_time: StrictStr | None = None
    reason: StrictStr | None = None
    message: StrictStr | None = None


class GraphStatus(Model):
    observed_generation: Int64 | None = None
    conditions: tuple[Condition, ...] | None = None
    annotations: dict[str, StrictStr] | None = None
    url: StrictStr | None = None
    deployment_mode: StrictStr | None = None


class Metadata(BaseModel):
    """Kubernetes' ObjectMeta: what we read by name, the rest kept untouched."""

    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True
    )

    name: StrictStr
    namespace: StrictStr | None = None
    labels: dict[str, StrictStr] | None = None
    annotations: dict[str, StrictStr] | None = None


class InferenceGraph(Model):
    """A whole manifest."""

    api_version: Literal["serving.kserve.io/v1alpha1"] = "serving.kserve.io/v1alpha1"
    kind: Literal["InferenceGraph"] = "InferenceGraph"
    metadata: Metadata
    spec: GraphSpec
    status: GraphStatus | None = None

    @property
    def namespace(self) -> str:
        return self.metadata.namespace or "default"

    @property
    def key(self) -> str:
        """`namespace/name`, the name by which everything else knows this graph."""
        return f"{self.namespace}/{self.metadata.name}"
