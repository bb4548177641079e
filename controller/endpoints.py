"""Where the InferenceService behind a graph's `serviceName` is called: KServe's path rules.

Pure. `cluster_endpoints` tells addresses as a cluster has them; a backend that runs services
itself knows better addresses, and takes only the path from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.resources.codes import Code
from controller.resources.containers import argument, env_value
from controller.resources.core import Container
from controller.resources.inferenceservice import InferenceService, model_of, serves_many
from controller.resources.parse import Resources, Runtime
from controller.resources.servingruntime import AnyServingRuntime
from controller.runtimes import find, protocol_of
from graph.problems import Located, Problem

# KServe appends nothing in these cases, and its HTTP client then asks for the root.
ROOT = "/"
GRPC = "grpc-v2"  # KServe's router cannot call it; ours takes the model's name for the path


@dataclass(frozen=True, slots=True)
class Route:
    """What one revision of a service gets of its calls. `addresses` are origins
    (`http://127.0.0.1:8080`), one a replica; none means that none is ready. `path`: if it has one
    of its own.
    """

    revision: str
    percent: int
    addresses: tuple[str, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`routes` are 100 percent in all, or none: then nobody is ready. `hold`: calls for a revision
    that has no address wait until it has one.
    """

    path: str
    routes: tuple[Route, ...] = ()
    hold: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(address for route in self.routes for address in route.addresses)


def inner_key(service: str, unit: str) -> str:
    """As which the router knows a unit that only its own service calls. No service has a dot in its
    name, so none is called so (`iris-predictor-00001` may be one).
    """
    return f"{service}.{unit}"


def whole(addresses: tuple[str, ...], path: str) -> Endpoint:
    """Of a service without revisions."""
    return Endpoint(path, (Route("", 100, addresses),))


def cluster_endpoints(resources: Resources) -> tuple[dict[str, Endpoint], list[Located]]:
    """Every InferenceService by `namespace/name`, at the address that KServe gives it."""
    endpoints: dict[str, Endpoint] = {}
    problems: list[Located] = []
    for key, service in resources.services.items():
        path = service_path(service.resource, resources.runtimes.values())
        if isinstance(path, Problem):
            problems.append(service.document.located(path))
        else:
            address = _cluster_address(service.resource)
            if speaks_grpc(service.resource, resources.runtimes.values()):
                address = "grpc" + address.removeprefix("http")
            endpoints[key] = whole((address,), path)
    return endpoints, problems


def _cluster_address(service: InferenceService) -> str:
    name, namespace, spec = service.name, service.namespace, service.spec
    if spec.transformer is not None:
        return f"http://{name}-transformer.{namespace}.svc.cluster.local"
    variant = f"-{spec.predictor.name}" if spec.predictor.name else ""
    return f"http://{name}{variant}-predictor.{namespace}.svc.cluster.local"


def speaks_grpc(service: InferenceService, runtimes: Iterable[Runtime]) -> bool:
    """Whether it is called by gRPC; its path is then the model's name."""
    return _protocol(service, runtimes) == GRPC


def service_path(service: InferenceService, runtimes: Iterable[Runtime]) -> str | Problem:
    protocol = _protocol(service, runtimes)
    if isinstance(protocol, Problem):
        return protocol
    if protocol == GRPC:
        return f"/{model_name(service)}"
    match protocol:
        case "v1":
            return f"/v1/models/{model_name(service)}:predict"
        case "v2":
            return f"/v2/models/{model_name(service)}/infer"
    return ROOT


def _protocol(service: InferenceService, runtimes: Iterable[Runtime]) -> str | Problem | None:
    predictor = service.spec.predictor
    if service.spec.transformer is not None:
        first = _first(service.spec.transformer.containers)
        return (env_value(first, "PROTOCOL") if first else None) or "v1"
    model = model_of(predictor)
    if serves_many(predictor):
        return None  # the caller names the model
    if model is None:
        return env_value(predictor.containers[0], "PROTOCOL") or "v1"
    if model.runtime is not None:
        runtime = find(model.runtime, service.namespace, runtimes)
        if runtime is not None and runtime.resource.spec.protocol_versions:
            return _first_rest(runtime.resource)
    return protocol_of(model) or "v1"


def _first_rest(runtime: AnyServingRuntime) -> str | Problem:
    for protocol in runtime.spec.protocol_versions:
        if protocol in ("v1", "v2"):
            return protocol
    return Code.NO_REST_PROTOCOL.at(
        ("spec", "predictor", "model", "runtime"),
        f"runtime {runtime.metadata.name} speaks {', '.join(runtime.spec.protocol_versions)}, "
        "and a graph calls v1 or v2; name another runtime",
    )


def model_name(service: InferenceService) -> str:
    """What the server calls its model, in the order in which KServe looks."""
    predictor, transformer = service.spec.predictor, service.spec.transformer
    model = model_of(predictor)
    container = model or _first(predictor.containers)
    first = _first(transformer.containers) if transformer else None
    candidates = (
        argument(first, "--model_name") if first else None,
        env_value(model, "MLSERVER_MODEL_NAME") if model else None,
        argument(container, "--model_name") if container else None,
    )
    return next((name for name in candidates if name), service.metadata.name)


def _first(containers: tuple[Container, ...]) -> Container | None:
    return containers[0] if containers else None
