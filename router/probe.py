"""How a target is asked whether it is ready, and what its answer says. Pure.

By the path that steps call: V2's has a page of readiness, V1's one that says ready; of any other
URL it is known only whether somebody takes connections.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from graph.document import Document
from graph.effects import Reply
from graph.plan import Target
from router.config import EndpointSource

_V2 = re.compile(r"(?P<base>.*)/v2/models/(?P<model>[^/]+(?:/versions/[^/]+)?)/infer")
_V1 = re.compile(r"(?P<base>.*)/v1/models/(?P<model>[^/:]+):(?:predict|explain)")
_HTTP = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Probe:
    """`url` is where to connect, and what the page lies below. Without a page, that is all."""

    url: str
    page: str = ""
    v2: str = ""  # the page of the model's metadata, where the protocol has one

    @property
    def asked(self) -> str:
        return self.url + self.page


def probe(url: str) -> Probe:
    """Of an http(s) or grpc(s) URL that a step calls."""
    parts = urlsplit(url)
    origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if not url.startswith(_HTTP):
        return Probe(origin)
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
            http = address.startswith(_HTTP)
            yield _by_path(address, revision.path or source.path) if http else Probe(address)


def _by_path(origin: str, path: str) -> Probe:
    if found := _V2.fullmatch(path):
        model = f"/v2/models/{found['model']}"
        return Probe(origin + found["base"], f"{model}/ready", model)
    if found := _V1.fullmatch(path):
        return Probe(origin + found["base"], f"/v1/models/{found['model']}")
    return Probe(origin)


def unready(probe: Probe, answer: Reply) -> str:
    """Why this answer of its page does not say ready, or nothing.

    V2's must be 2xx. V1's page is there on some servers only: 4xx means that one answers, 5xx that
    it cannot.
    """
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
