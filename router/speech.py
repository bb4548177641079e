"""What a target speaks, as far as one can tell before asking: by its URL, or by what the endpoint
table says of a service.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from graph.plan import Target
from graph.tensors.convert import Protocol
from router.config import EndpointSource

# Paths of inference, whatever stands before them.
V1 = re.compile(r"(?P<base>.*)/v1/models/(?P<model>[^/]+):(?:predict|explain)")
V2 = re.compile(r"(?P<base>.*)/v2/models/(?P<model>[^/]+(?:/versions/[^/]+)?)/infer")


@dataclass(frozen=True, slots=True)
class Speech:
    protocol: Protocol | None  # None: nobody knows, so it gets what there is
    origin: str = ""  # of a URL, with what stands before the path of V2
    base: str = ""  # of a service: what stands before the path of V2


UNKNOWN = Speech(None)
INNER = Speech(None, "inner")  # a graph of this router, which takes whatever there is


def of_url(url: str) -> Speech:
    parts = urlsplit(url)
    if parts.scheme in {"grpc", "grpcs"}:
        return Speech(Protocol.GRPC)
    protocol, base = _of_path(parts.path)
    return Speech(protocol, f"{parts.scheme}://{parts.netloc}{base}")


def of_service(source: EndpointSource) -> Speech:
    """All revisions of a service speak alike, so the first one tells."""
    for address in source.addresses[:1]:
        if address.startswith("grpc"):
            return Speech(Protocol.GRPC)
    paths = (each.path for each in source.revisions if each.path)
    protocol, base = _of_path(next(paths, source.path))
    return Speech(protocol, base=base)


def _of_path(path: str) -> tuple[Protocol | None, str]:
    for pattern, protocol in ((V2, Protocol.V2), (V1, Protocol.V1)):
        found = pattern.fullmatch(path)
        if found is not None:
            return protocol, found["base"]
    return None, ""


def where_to_ask(target: Target, speech: Speech) -> tuple[Target, bytes]:
    """Whom, and with which path, to ask for V2's metadata of the server."""
    if target.url is None:
        return target, f"{speech.base}/v2".encode()
    return Target(speech.origin, speech.origin), b"/v2"
