"""Where the services that graphs name are: what the user said, else what the files declare, else
where a cluster would have them.

Pure. `declared` comes from whoever knows InferenceServices; the router does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from graph.codes import Code
from graph.loader import Document
from graph.problems import Located, Path, Problem
from router.config import EndpointSource
from router.upstream.origin import parse_origin, parse_url


@dataclass(frozen=True, slots=True)
class GivenService:
    """`--service NAME=URL`. Without a path in the URL, the path is that of the service."""

    name: str  # NAME, in any namespace, or NAMESPACE/NAME
    address: str
    path: str | None

    @classmethod
    def parse(cls, text: str) -> "GivenService":
        """Raises ValueError with words for the user."""
        name, found, url = text.partition("=")
        if not found or not name or name.count("/") > 1 or not all(name.split("/")):
            raise ValueError(
                f"--service {text}: write NAME=URL or NAMESPACE/NAME=URL, as in "
                "--service iris=http://127.0.0.1:9000"
            )
        try:
            if url.startswith("unix:"):
                return cls(name, str(parse_origin(url)), None)
            origin, path = parse_url(url)
        except ValueError as error:
            raise ValueError(f"--service {text}: {error}; write http://HOST:PORT") from error
        has_path = urlsplit(url).path not in ("", "/")
        return cls(name, str(origin), path.decode() if has_path else None)


def endpoints_of(
    graphs: Iterable[Document],
    given: Iterable[GivenService],
    declared: Mapping[str, EndpointSource],
) -> tuple[dict[str, EndpointSource], list[Located]]:
    """The endpoint of each service that a graph names, or the user with its namespace, by
    `namespace/name`, and warnings about those that nobody knows.
    """
    by_name = {service.name: service for service in given}
    endpoints = {
        key: EndpointSource.of((service.address,), service.path or _usual_path(key))
        for key, service in by_name.items()
        if "/" in key
    }
    warnings: list[Located] = []
    for graph in graphs:
        for name, path in _named(graph):
            key = f"{graph.namespace}/{name}"
            known = declared.get(key)
            service = by_name.get(key) or by_name.get(name)
            usual = known or EndpointSource.of(
                (f"http://{name}-predictor.{graph.namespace}.svc.cluster.local",),
                _usual_path(key),
            )
            if service is not None:
                endpoints[key] = EndpointSource.of((service.address,), service.path or usual.path)
                continue
            endpoints[key] = usual
            if known is None:
                warnings.append(graph.located(_unknown(path, name, usual)))
    return endpoints, warnings


def _usual_path(key: str) -> str:
    return f"/v1/models/{key.partition('/')[2]}:predict"


def _named(graph: Document) -> Iterator[tuple[str, Path]]:
    nodes = graph.graph.spec.nodes if graph.graph is not None else {}
    for node, content in nodes.items():
        for index, step in enumerate(content.steps or ()):
            if step.service_name:
                yield step.service_name, ("spec", "nodes", node, "steps", index, "serviceName")


def _unknown(path: Path, name: str, usual: EndpointSource) -> Problem:
    message = (
        f"no InferenceService {name} in these files; calling {usual.addresses[0]}{usual.path}."
        f" Add its manifest, or --service {name}=URL"
    )
    return Code.UNKNOWN_SERVICE.at(path, message)
