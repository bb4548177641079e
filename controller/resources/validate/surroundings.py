"""What there is already, as far as one more resource has to fit in.

Some things only one may have: a rank among the runtimes for a model, the keeping of a model in the
cluster. Those are claims, looked up rather than compared, so thousands of resources cost what
their number explains.
"""

from collections.abc import Hashable, Iterable, Iterator

from controller.resources.localmodel import LocalModelCache
from controller.resources.resource import Resource
from controller.resources.servingruntime import AnyServingRuntime
from controller.resources.storagecontainer import AnyStorageContainer
from graph.problems import Path

Claim = tuple[Hashable, ...]
_SPEC: Path = ("spec",)


class Surroundings:
    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self.containers: list[AnyStorageContainer] = []
        self.node_groups: set[str] = set()
        self._owners: dict[Claim, Resource] = {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        if isinstance(resource, AnyStorageContainer):
            self.containers.append(resource)
        if resource.kind == "LocalModelNodeGroup":
            self.node_groups.add(resource.name)
        for _, claim in claims(resource):
            self._owners[claim] = resource

    def taken(self, resource: Resource) -> Iterator[tuple[Path, Resource]]:
        """Its claims that another one has; one place is told once."""
        told: set[Path] = set()
        for path, claim in claims(resource):
            other = self._owners.get(claim)
            if other is not None and other.name != resource.name and path not in told:
                told.add(path)
                yield path, other


def claims(resource: Resource) -> Iterator[tuple[Path, Claim]]:
    match resource:
        case LocalModelCache():
            yield (*_SPEC, "sourceModelUri"), ("cache", resource.spec.source_model_uri)
        case AnyServingRuntime() if not resource.spec.disabled:
            yield from _ranks(resource)


def _ranks(runtime: AnyServingRuntime) -> Iterator[tuple[Path, Claim]]:
    """Where nobody could tell which of two runtimes is chosen for a model, one has to give way."""
    spec = runtime.spec
    scope = None if runtime.is_cluster_wide else runtime.namespace
    for index, item in enumerate(spec.supported_model_formats):
        if not item.auto_select or item.priority is None:
            continue
        model = item.name.casefold(), item.version or None, item.priority
        for protocol in spec.protocol_versions:
            path = (*_SPEC, "supportedModelFormats", index)
            yield path, ("runtime", scope, spec.multi_model, protocol, *model)
