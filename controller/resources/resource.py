"""What every kind has: a name, perhaps a namespace, and conditions in its status."""

from pydantic import Field, StrictStr

from controller.resources.core import ObjectMeta
from controller.resources.model import Int64, Model

DEFAULT_NAMESPACE = "default"


class Resource(Model):
    """What has a name in a cluster; each kind narrows `api_version` and `kind` to its own."""

    api_version: StrictStr
    kind: StrictStr
    metadata: ObjectMeta

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Of kinds that have none, the default one: nobody looks at it."""
        return self.metadata.namespace or DEFAULT_NAMESPACE

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


class Condition(Model):
    type: StrictStr
    status: StrictStr
    severity: StrictStr | None = None
    last_transition_time: StrictStr | None = None
    reason: StrictStr | None = None
    message: StrictStr | None = None


class Addressable(Model):
    name: StrictStr | None = None
    url: StrictStr | None = None
    ca_certs: StrictStr | None = None
    audience: StrictStr | None = None


class Status(Model):
    """Knative's: what the status of most kinds begins with."""

    observed_generation: Int64 | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, StrictStr] = Field(default_factory=dict)
