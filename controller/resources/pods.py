"""The parts of Kubernetes' pods that we interpret; every other field is kept as it was written.

Written in camelCase, read in snake_case. Values are never coerced: Kubernetes refuses `value: 1`
for a string too.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True
    )


def _default_namespace(given: object) -> object:
    return given or "default"


class Metadata(Model):
    name: StrictStr
    namespace: Annotated[StrictStr, BeforeValidator(_default_namespace)] = "default"
    labels: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    annotations: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    creation_timestamp: Any = None


class EnvVar(Model):
    name: StrictStr
    value: StrictStr | None = None
    value_from: dict[str, Any] | None = None


class ContainerPort(Model):
    container_port: StrictInt = Field(ge=1, le=65535)
    name: StrictStr | None = None


class HttpGet(Model):
    port: StrictInt | StrictStr
    path: StrictStr = "/"


class TcpSocket(Model):
    port: StrictInt | StrictStr


class ProbeSpec(Model):
    """Which of the four ways, and how often; Kubernetes' defaults."""

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    exec: dict[str, Any] | None = None
    grpc: dict[str, Any] | None = None
    timeout_seconds: StrictInt = Field(1, ge=1)
    failure_threshold: StrictInt = Field(3, ge=1)


class Container(Model):
    name: StrictStr | None = None
    image: StrictStr | None = None
    command: tuple[StrictStr, ...] = ()
    args: tuple[StrictStr, ...] = ()
    env: tuple[EnvVar, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    working_dir: StrictStr | None = None
    readiness_probe: ProbeSpec | None = None

    def env_value(self, name: str) -> str | None:
        """The last one wins, as in a process."""
        return next((item.value for item in reversed(self.env) if item.name == name), None)

    def argument(self, flag: str) -> str | None:
        """The value of `--flag=value` or `--flag value`; the last one wins, as in argparse."""
        found = None
        for index, word in enumerate(self.args):
            if word.startswith(f"{flag}="):
                found = word.removeprefix(f"{flag}=")
            elif word == flag and index + 1 < len(self.args):
                found = self.args[index + 1]
        return found
