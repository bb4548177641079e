"""All settings of the router, read once at start: flags, else environment, else the default.

Each field is the variable GRAPHWAY_<NAME>; `docs/settings.md` is this table, and a test keeps it
so. What the data plane needs leaves here as plain values (`router.config`). Settings know no
files, sockets or processes.
"""

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import msgspec
import re2
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource

from router.config import DataPlaneConfig, GrpcConfig, Limits, LogConfig, UpstreamConfig
from router.cores import default_workers
from router.sockets import server_context

PREFIX = "GRAPHWAY_"
LEAST_HANG_S = 3.0  # a healthy worker shows itself once a second

_LIMITS, _UPSTREAM = Limits(), UpstreamConfig()


def _split(value: object) -> object:
    """`a, b` -> ("a", "b"), as lists are written in environment variables."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _hang_limit(seconds: float) -> float:
    if 0 < seconds < LEAST_HANG_S:
        raise ValueError(f"it should be 0 (never) or at least {LEAST_HANG_S:g}")
    return seconds


HangLimit = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(_hang_limit)]


def _authorities(path: str) -> str:
    """A file that TLS cannot use would fail each call; better to fail the start."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise ValueError(f"it should be a PEM file with certificates: {error}") from error
    return path


AuthorityFile = Annotated[str, AfterValidator(_authorities)]


def _readable(path: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as error:
        raise ValueError(f"it should be a PEM file: {error.strerror}") from error


CertificateFile = Annotated[str, AfterValidator(_readable)]


def _graph_key(text: str) -> str:
    if not re.fullmatch(r"[^/\s]+/[^/\s]+", text):
        raise ValueError("it should be NAMESPACE/NAME, as in default/iris")
    return text


GraphKey = Annotated[str, AfterValidator(_graph_key)]


def _binary_tensors(value: object) -> object:
    """`auto, http://host:9000=never` -> {"": "auto", "http://host:9000": "never"}."""
    if not isinstance(value, str):
        return value
    said = {"": "auto"}
    for word in (each.strip() for each in value.split(",")):
        whom, _, which = word.rpartition("=")
        if which not in {"auto", "always", "never"} or (whom and "/" not in whom):
            raise ValueError(
                "it should be auto, always or never, and ORIGIN=... or NAMESPACE/NAME=... for some"
            )
        said[whom.rstrip("/")] = which
    return said


BinaryTensors = Annotated[
    dict[str, Literal["auto", "always", "never"]], NoDecode, BeforeValidator(_binary_tensors)
]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    # where and how many
    host: str = Field(
        "0.0.0.0", description="Address of the data port; a name, IPv4 or IPv6 (`::`: both)."
    )
    port: Port = Field(8080, description="Data port; 0 picks a free one and prints it.")
    admin_host: str = Field("127.0.0.1", description="Address of the admin port.")
    admin_port: Port = Field(9902, description="Admin port; 0 picks a free one and prints it.")
    admin_connections: Count = Field(
        1024,
        description="Connections to the admin port; half of them may be watches and followed logs.",
    )
    workers: int = Field(
        default_factory=default_workers,
        ge=1,
        le=1024,
        description="Worker processes; by default the cores that affinity and CPU quota leave, at "
        "most 32, and one for each 64 MiB of a memory limit.",
    )
    grpc_port: Port = Field(
        8081,
        description="gRPC port; 0 picks a free one and prints it, and so does a data port of 0.",
    )
    grpc_workers: int = Field(
        1,
        ge=0,
        le=1024,
        description="Worker processes for gRPC, beside the others; 0: none. They need the extra "
        "`grpc`.",
    )
    grpc_tls_cert: CertificateFile | None = Field(
        None, description="PEM file of the gRPC port's certificate and its chain; else plain text."
    )
    grpc_tls_key: CertificateFile | None = Field(None, description="PEM file of its private key.")
    # life
    watch: bool = Field(True, description="Reload when files change (SIGHUP always reloads).")
    drain_seconds: float = Field(
        30.0,
        ge=0,
        allow_inf_nan=False,
        description="After SIGTERM: still accepting, with /readyz answering 503.",
    )
    finish_seconds: Seconds = Field(
        60.0, description="After that: how long requests in flight may take to finish."
    )
    worker_hang_seconds: HangLimit = Field(
        60.0,
        description="A worker that shows no sign of life for so long is killed and replaced; 0: "
        "never. At least 3 otherwise: the sign comes once a second.",
    )
    # log
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="JSON lines, or text for people; auto: text on a terminal."
    )
    access_log: bool = Field(True, description="One line for each request.")
    # graphs
    default_graph: GraphKey | None = Field(
        None,
        description="namespace/name of the graph that answers when neither path nor Host names "
        "one; by default the only one at start.",
    )
    compat: Literal["kserve", "none"] = Field(
        "none", description="kserve: the outcomes and status codes of KServe's router."
    )
    pass_response_headers: Names = Field(
        (), description="Further headers of the answering step that reach the caller, by comma."
    )
    binary_tensors: BinaryTensors = Field(
        {"": "auto"},
        description="Which V2 servers get tensors in binary form: auto asks each (GET /v2), "
        "always, never; others for some by comma, as in `auto, http://127.0.0.1:9000=never, "
        "default/iris=always`.",
    )
    explain: bool = Field(
        True,
        description="Requests may ask for their route (X-Graphway-Explain: true).",
    )
    explain_kept: Count = Field(
        100, description="Of how many such requests the admin port's /explain tells everything."
    )
    # limits on clients
    limit_header_bytes: ByteSize = Field(
        ByteSize(_LIMITS.header_bytes), ge=1024, description="Whole head of a request."
    )
    limit_header_count: Count = Field(_LIMITS.header_count, description="Headers of a request.")
    limit_body_bytes: ByteSize = Field(
        ByteSize(_LIMITS.body_bytes), ge=0, description="Body of a request; 413 beyond."
    )
    limit_answer_bytes: ByteSize = Field(
        ByteSize(_LIMITS.answer_bytes), ge=0, description="Body of a predictor's answer; else 502."
    )
    limit_head_timeout_seconds: Seconds = Field(
        _LIMITS.head_timeout_s, description="From the first byte of a request to its whole head."
    )
    limit_body_timeout_seconds: Seconds = Field(
        _LIMITS.body_timeout_s, description="Between two reads of a request's body."
    )
    limit_idle_timeout_seconds: Seconds = Field(
        _LIMITS.idle_timeout_s, description="Between two requests of a connection."
    )
    limit_write_timeout_seconds: Seconds = Field(
        _LIMITS.write_timeout_s, description="A client that takes nothing for so long is dropped."
    )
    limit_connections: Count = Field(
        _LIMITS.connections,
        description="Client connections of a worker, at most half its descriptors; more wait.",
    )
    # predictors
    upstream_connections: Count = Field(
        _UPSTREAM.connections, description="Connections to one address, per worker."
    )
    upstream_queued: int = Field(
        _UPSTREAM.queued, ge=0, description="Calls that wait for one of these; 503 beyond."
    )
    upstream_queue_timeout_seconds: Seconds = Field(
        _UPSTREAM.queue_timeout_s, description="How long they wait; then 503."
    )
    upstream_held: int = Field(
        _UPSTREAM.held,
        ge=0,
        description="Calls to one service that wait, in a worker, for its first replica (scale "
        "from zero); 503 beyond.",
    )
    upstream_hold_timeout_seconds: Seconds = Field(
        _UPSTREAM.hold_timeout_s, description="How long they wait; then 503."
    )
    upstream_idle_timeout_seconds: Seconds = Field(
        _UPSTREAM.idle_timeout_s,
        description="Pooled connections idle for so long are closed (uvicorn closes at 5 s).",
    )
    upstream_connect_timeout_seconds: Seconds = Field(
        _UPSTREAM.connect_timeout_s, description="To connect, TLS included."
    )
    upstream_dns_refresh_seconds: Seconds = Field(
        _UPSTREAM.dns_refresh_s, description="How long a resolved name is used."
    )
    upstream_call_timeout_seconds: Seconds | None = Field(
        _UPSTREAM.call_timeout_s,
        description="A call, where the graph sets no routerTimeouts.serviceClient.",
    )
    upstream_stream_idle_timeout_seconds: Annotated[float, Field(ge=0)] | None = Field(
        _UPSTREAM.stream_idle_timeout_s,
        description="Between two pieces of a body that streams, from or to it; 0: no limit.",
    )
    upstream_verify_tls: bool = Field(
        _UPSTREAM.verify_tls, description="Verify certificates of https predictors."
    )
    upstream_ca_file: AuthorityFile | None = Field(
        _UPSTREAM.ca_file, description="PEM file of authorities to trust beside the system's."
    )

    @model_validator(mode="after")
    def _certificate_and_key(self) -> "Settings":
        if (self.grpc_tls_cert is None) != (self.grpc_tls_key is None):
            raise ValueError("GRAPHWAY_GRPC_TLS_CERT and GRAPHWAY_GRPC_TLS_KEY: give both")
        if self.grpc_tls_cert is not None and self.grpc_tls_key is not None:
            try:
                server_context(self.grpc_tls_cert, self.grpc_tls_key)
            except (OSError, ValueError) as error:
                raise ValueError(
                    f"GRAPHWAY_GRPC_TLS_CERT, GRAPHWAY_GRPC_TLS_KEY: they cannot be used: {error}"
                ) from error
        return self

    def asks_for_grpc(self) -> bool:
        """Whether somebody said so, rather than the default."""
        named = {name for name in self.model_fields_set if name.startswith("grpc_")}
        return self.grpc_workers > 0 and bool(named)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    def data_plane(
        self, *, propagate_headers: tuple[str, ...] = (), terminal: bool = False
    ) -> DataPlaneConfig:
        """What a worker needs. `terminal`: whether people read the access log."""
        return DataPlaneConfig(
            limits=_struct(Limits, "limit_", self),
            upstream=_struct(UpstreamConfig, "upstream_", self),
            log=LogConfig(
                level=self.log_level, access=self.access_log, format=self.format_on(terminal)
            ),
            grpc=GrpcConfig(self.grpc_tls_cert, self.grpc_tls_key),
            propagate_headers=propagate_headers,
            pass_response_headers=self.pass_response_headers,
            compat=self.compat == "kserve",
            default_graph=self.default_graph,
            explain=self.explain,
            explain_kept=self.explain_kept,
            binary_tensors=dict(self.binary_tensors),
        )

    def format_on(self, terminal: bool) -> Literal["json", "text"]:
        if self.log_format == "auto":
            return "text" if terminal else "json"
        return self.log_format


class BadSettings(Exception):
    """Values that cannot be used. `lines` has one for each: which variable or flag, what is wrong,
    what is allowed.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def read(flags: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Settings:
    """The settings, flags before environment; a flag of None was not given. `defaults` take the
    place of those that the settings have.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    for name, value in (defaults or {}).items():
        if not os.environ.get(variable(name)):
            given.setdefault(name, value)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadSettings([_say(fault, given) for fault in error.errors()]) from error


def misspelt(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Warnings about variables that are nearly, but not quite, ours."""
    known = [variable(field) for field in Settings.model_fields]
    return [
        f"{name} is not a setting; did you mean {close[0]}?"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known
        if (close := get_close_matches(name, known, n=1, cutoff=0.9))
    ]


def variable(field: str) -> str:
    return PREFIX + field.upper()


def flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def _say(fault: Any, given: Mapping[str, Any]) -> str:
    if not fault["loc"]:  # about several
        return str(fault["msg"]).removeprefix("Value error, ")
    field = str(fault["loc"][0])
    name = flag(field) if field in given else variable(field)
    meaning = Settings.model_fields[field].description
    wrong = fault["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"{name}={fault['input']!r}: {wrong}. {name} is: {meaning}"


class _Environment(EnvSettingsSource):
    """The environment without what Kubernetes puts there.

    For a Service called `graphway` it sets GRAPHWAY_PORT=tcp://10.0.0.7:80 in each container of
    the namespace: the address of a service, not a setting of ours.
    """

    def _load_env_vars(self) -> Mapping[str, str | None]:
        variables = super()._load_env_vars()
        return {
            name: value
            for name, value in variables.items()
            if not (value or "").startswith(("tcp://", "udp://", "sctp://"))
        }


def _struct(kind: type[Any], prefix: str, settings: Settings) -> Any:
    """Limits.head_timeout_s is the setting limit_head_timeout_seconds, and so on."""
    return kind(
        **{
            field.name: _plain(getattr(settings, prefix + setting_suffix(field.name)))
            for field in msgspec.structs.fields(kind)
        }
    )


def setting_suffix(field: str) -> str:
    return field.removesuffix("_s") + "_seconds" if field.endswith("_s") else field


def _plain(value: object) -> object:
    return int(value) if isinstance(value, ByteSize) else value


def propagated_headers(environment: Mapping[str, str] = os.environ) -> tuple[list[str], list[str]]:
    """KServe's PROPAGATE_HEADERS: (patterns, warnings).

    A comma-split list of Go regular expressions. Absent: none. Present but empty: one empty
    pattern, which matches every header; KServe's ConfigMap makes that of `"propagate": []`. What is
    no regular expression is left out, and the others still apply.
    """
    if "PROPAGATE_HEADERS" not in environment:
        return [], []
    return usable_patterns(environment["PROPAGATE_HEADERS"].split(","))


def usable_patterns(patterns: Iterable[str]) -> tuple[list[str], list[str]]:
    good: list[str] = []
    warnings: list[str] = []
    options = re2.Options()
    options.log_errors = False
    for pattern in patterns:
        try:
            re2.compile(pattern, options)
        except re2.error as error:
            warnings.append(
                f"PROPAGATE_HEADERS: {pattern!r} is left out, it is no regular expression: {error}"
            )
        else:
            good.append(pattern)
    return good, warnings
