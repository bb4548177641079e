"""The settings that a worker needs, as plain frozen values.

`router.settings` reads them from flags, environment and files in the parent; they travel to workers
over the channel, so a worker never parses configuration. Sizes are bytes, times are seconds; None
means no limit.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """What a client or a predictor may take of us before it is refused."""

    header_bytes: int = 65_536  # whole head; nginx has 32 KiB, Go 1 MiB
    header_count: int = 128
    body_bytes: int = 100 * 1024 * 1024  # 413 beyond
    answer_bytes: int = 100 * 1024 * 1024  # 502 beyond
    head_timeout_s: float = 60.0  # first byte of a request to the end of its head
    body_timeout_s: float = 60.0  # between two reads of a body
    idle_timeout_s: float = 180.0  # between two requests of a connection
    # a client that takes no byte of its answer for this long is dropped
    write_timeout_s: float = 60.0
    connections: int = 10_000  # a worker's client connections; more wait in the listen queue


class UpstreamConfig(msgspec.Struct, frozen=True):
    """How we treat predictors."""

    connections: int = 1024  # per address and worker
    queued: int = 4096  # calls waiting for one of these; more fail with 503
    queue_timeout_s: float = 10.0
    held: int = 1000  # calls to one service, per worker, that wait for its first replica; else 503
    hold_timeout_s: float = 120.0  # a model of some GiB is loaded by then, or never
    idle_timeout_s: float = 4.0  # below uvicorn's 5 s, which most Python model servers run on
    connect_timeout_s: float = 5.0
    dns_refresh_s: float = 30.0
    call_timeout_s: float | None = None  # for graphs that set no routerTimeouts.serviceClient
    stream_idle_timeout_s: float | None = 300.0  # between two pieces of a body that streams
    verify_tls: bool = True
    ca_file: str | None = None


class GrpcConfig(msgspec.Struct, frozen=True):
    """The gRPC port. Without a certificate it is plain text."""

    tls_cert: str | None = None  # PEM files
    tls_key: str | None = None


class LogConfig(msgspec.Struct, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = True
    format: Literal["json", "text"] = "json"


class DataPlaneConfig(msgspec.Struct, frozen=True):
    limits: Limits = Limits()
    upstream: UpstreamConfig = UpstreamConfig()
    log: LogConfig = LogConfig()
    grpc: GrpcConfig = GrpcConfig()
    # Go regular expressions, searched in the canonical name
    propagate_headers: tuple[str, ...] = ()
    # beside Content-Type, Content-Encoding, inference header length
    pass_response_headers: tuple[str, ...] = ()
    compat: bool = False  # KServe's status codes for every graph
    default_graph: str | None = None  # namespace/name
    data_port: int = 0  # as it was bound, for graphs that call one another by it
    grpc_port: int = 0  # likewise, to know calls that lead back
    explain: bool = True  # requests may ask which way they went
    explain_kept: int = 100  # records of such requests
    # who gets tensors in binary; by origin or by service, "" is everybody else
    binary_tensors: dict[str, Literal["auto", "always", "never"]] = msgspec.field(
        default_factory=lambda: {"": "auto"}
    )


class GraphSource(msgspec.Struct, frozen=True):
    """One graph for a worker to compile: the whole InferenceGraph manifest, as JSON."""

    key: str  # namespace/name
    manifest: bytes


class RevisionSource(msgspec.Struct, frozen=True):
    """One revision of a service, its share of the traffic, and its ready replicas: origins
    (`http://host:port`, `unix:/path`). `path`: what a step POSTs to, if it is not the service's.
    """

    name: str
    percent: int
    addresses: tuple[str, ...]
    path: str = ""


class EndpointSource(msgspec.Struct, frozen=True):
    """Where a service lives now. `path` is what a step POSTs to, for example
    `/v1/models/iris:predict`. The percents of the revisions sum to 100, or there is no revision.

    A call whose revision has no address waits for one if `hold` says so, else it fails (503).
    """

    path: str
    revisions: tuple[RevisionSource, ...] = ()
    hold: bool = False

    @classmethod
    def of(cls, addresses: Iterable[str], path: str, hold: bool = False) -> "EndpointSource":
        """A service that knows no revisions: one without a name takes all."""
        return cls(path, (RevisionSource("", 100, tuple(addresses)),), hold)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of all revisions, each once."""
        return tuple(dict.fromkeys(a for each in self.revisions for a in each.addresses))
