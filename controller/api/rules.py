"""What the rules of the resources say of an object, given all that is in the store.

They see the object as it will run: with its defaults. It is kept as it was written: `kubectl get`
shows what somebody said, and to apply the same again changes nothing.
"""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from controller.local.node import this_node
from controller.modelcache.known import held_by
from controller.resources.admission import admit
from controller.resources.codes import Code
from controller.resources.config import NAME as CONFIG_NAME
from controller.resources.config import Config, config_of, is_config
from controller.resources.credentials import ConfigMap
from controller.resources.fields import field_problems
from controller.resources.kinds import named
from controller.resources.model import read
from controller.resources.resource import Resource
from controller.store.metadata import is_going
from controller.store.own_kinds import Open
from controller.store.refs import Json
from controller.store.store import Store
from graph.checks.chain import check
from graph.loader.fields import field_problems as graph_field_problems
from graph.problems import Problem
from graph.spec import KIND as GRAPH
from graph.spec import InferenceGraph

_CACHES = ("LocalModelCache", "LocalModelNamespaceCache")
_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
# Of which kinds others count; there may be thousands of the rest.
_AROUND: Mapping[str, tuple[str, ...]] = {
    "InferenceService": ("StorageContainer", "ClusterStorageContainer", *_CACHES),
    "ServingRuntime": _RUNTIMES,
    "ClusterServingRuntime": _RUNTIMES,
    "LocalModelCache": ("LocalModelCache", "LocalModelNodeGroup"),
    "LocalModelNamespaceCache": ("LocalModelNodeGroup",),
}


class Rules:
    def __init__(self, store: Store, node: str = "") -> None:
        """`node`: this machine, if it is one."""
        self._store = store
        self._node = node or this_node()

    def admit(self, resource: Json, before: Json | None) -> Sequence[Problem]:
        kind = str(resource.get("kind"))
        if named(kind) is None or kind == GRAPH or _only_goes(resource, before):
            problems = _head_problems(resource)
            return problems or (_graph_problems(resource) if kind == GRAPH else ())
        config = self._config()
        around = self._all(config, *_AROUND.get(kind, ()))
        old = admit(before, config=config).resource if before is not None else None
        answer = admit(resource, old=old, others=around, config=config)
        if isinstance(answer.resource, ConfigMap) and is_config(answer.resource):
            return (*answer.problems, *config_of(answer.resource)[1])
        return answer.problems

    def admit_deletion(self, resource: Json) -> Sequence[Problem]:
        return [
            Code.IN_USE.at((), f"InferenceService {name} uses it; delete that first")
            for name in held_by(self._store, self._node, resource)
        ]

    def _all(self, config: Config, *kinds: str) -> list[Resource]:
        """Defaulted, as far as they can be read."""
        stored = {
            kind.name: self._store.list(kind).items
            for kind in self._store.kinds.values()
            if kind.name in kinds
        }
        read = [admit(item, config=config).resource for items in stored.values() for item in items]
        return [resource for resource in read if resource is not None]

    def _config(self) -> Config:
        for kind in self._store.kinds.values():
            if kind.name != "ConfigMap":
                continue
            for item in self._store.list(kind, where=_is_config).items:
                return config_of(read(ConfigMap, item))[0]
        return Config()


def _only_goes(resource: Json, before: Json | None) -> bool:
    """Its finalizers are taken away; what it says was right once, and shall not keep it now."""
    if before is None or not is_going(before):
        return False
    return resource | {"metadata": None} == before | {"metadata": None}


def _is_config(config_map: Json) -> bool:
    return bool(config_map["metadata"]["name"] == CONFIG_NAME)


def _head_problems(resource: Json) -> list[Problem]:
    """Of the metadata: a graph's own model leaves it open."""
    try:
        read(Open, resource)
    except ValidationError as error:
        return [*field_problems(Open, error)]
    return []


def _graph_problems(resource: Json) -> list[Problem]:
    try:
        return check(InferenceGraph.model_validate(resource, by_alias=True, by_name=False))
    except ValidationError as error:
        return [*graph_field_problems(error)]
