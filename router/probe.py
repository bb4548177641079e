"""How a target is asked whether it is ready, and what its answer says. Pure.

By the path that steps call: V2's has a page of readiness, gRPC a method, V1's path a page that says
ready; of any other URL it is known only whether somebody takes connections.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from graph.document import Document
from graph.effects import Reply
from graph.plan import Target
from router.config import EndpointSource
from router.speech import V1, V2
from router.wire.grpc.fields import MODEL_NAME, text

_SERVICE = "/inference.GRPCInferenceService"
_READY = b"\x08\x01"  # field 1: true


@dataclass(frozen=True, slots=True)
class Probe:
    """`url` is where to connect, and what the page lies below. Without a page, that is all."""

    url: str
    page: str = ""  # or a method of gRPC
    v2: str = ""  # the page of the model's metadata, where the protocol has one
    message: bytes | None = None  # of gRPC

    @property
    def asked(self) -> str:
        return self.url + self.page


def probe(url: str) -> Probe:
    """Of an http(s) or grpc(s) URL that a step calls."""
    parts = urlsplit(url)
    origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if parts.scheme in {"grpc", "grpcs"}:
        return _by_grpc(origin, unquote_to_bytes(parts.path[1:]))
    return _by_path(origin, parts.path)


def probes(target: Target, endpoints: Mapping[str, EndpointSource]) -> list[Probe] | str:
    """One of them has to be ready. Or, of a service, what the table says: nothing if it is ready,
    else why not.

    Who is in the table is ready: its keeper sees to that. Only a service that knows no revisions
    was put there by hand.
    """
    if target.url is not None:
        return [probe(target.url)]
    key = target.name.removeprefix("service:")
    source = endpoints.get(key)
    if source is None:
        return f"service {key} is not known here"
    if not source.addresses:
        return "" if source.hold else f"service {key} has no ready replica"
    if any(revision.name for revision in source.revisions):
        return ""
    return list(_of_addresses(source))


def described(target: Target, endpoints: Mapping[str, EndpointSource]) -> Probe | None:
    """Where the target's metadata is, if its protocol has some and somebody is there to tell."""
    if target.url is not None:
        found = [probe(target.url)]
    else:
        source = endpoints.get(target.name.removeprefix("service:"))
        found = [] if source is None else list(_of_addresses(source))
    return next((each for each in found if each.v2), None)


def _of_addresses(source: EndpointSource) -> Iterator[Probe]:
    for revision in source.revisions:
        for address in revision.addresses:
            if address.startswith(("grpc://", "grpcs://")):
                yield _by_grpc(address, b"")
            elif address.startswith("unix:"):
                yield Probe(address)
            else:
                yield _by_path(address, revision.path or source.path)


def _by_path(origin: str, path: str) -> Probe:
    if found := V2.fullmatch(path):
        model = f"/v2/models/{found['model']}"
        return Probe(origin + found["base"], f"{model}/ready", model)
    if found := V1.fullmatch(path):
        return Probe(origin + found["base"], f"/v1/models/{found['model']}")
    return Probe(origin)


def _by_grpc(origin: str, model: bytes) -> Probe:
    if model:
        return Probe(origin, f"{_SERVICE}/ModelReady", message=text(MODEL_NAME, model))
    return Probe(origin, f"{_SERVICE}/ServerReady", message=b"")


def unready(probe: Probe, answer: Reply) -> str:
    """Why this answer of its page does not say ready, or nothing.

    V2's must be 2xx. V1's page is there on some servers only: 4xx means that one answers, 5xx that
    it cannot. So is gRPC's method: where it is not known (501), somebody has said so.
    """
    if probe.message is not None:
        if answer.ok and not answer.document.body.startswith(_READY):
            return f"{probe.asked} says that it is not ready"
        return "" if answer.ok or answer.status == 501 else f"{probe.asked} answers {answer.status}"
    if probe.v2:
        return "" if answer.ok else f"{probe.asked} answers {answer.status}"
    if answer.status >= 500:
        return f"{probe.asked} answers {answer.status}"
    if answer.ok and _says_no(answer.document):
        return f"{probe.asked} says that it is not ready"
    return ""


def _says_no(document: Document) -> bool:
    said = document.value.get("ready") if isinstance(document.value, dict) else None
    return said is False or (isinstance(said, str) and said.lower() == "false")
