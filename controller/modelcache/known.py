"""The caches and groups of a store, as this machine sees them: what the pure rules want of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from controller.modelcache.rules import Placed, User, cache_name, is_on, placed, users
from controller.resources.config import NAME as CONFIG_NAME
from controller.resources.config import config_of
from controller.resources.credentials import ConfigMap
from controller.resources.kinds import Kind, named
from controller.resources.localmodel import AnyLocalModelCache, LocalModelNodeGroup
from controller.resources.parse import parse_object
from controller.resources.resource import Resource
from controller.store.files import MANIFEST
from controller.store.metadata import is_going
from controller.store.refs import Json
from controller.store.store import Store

R = TypeVar("R", bound=Resource)


def kind(name: str) -> Kind:
    found = named(name)
    assert found is not None, name
    return found


SERVICE = kind("InferenceService")
CACHE, NAMESPACE_CACHE = kind("LocalModelCache"), kind("LocalModelNamespaceCache")
CACHES = (CACHE, NAMESPACE_CACHE)
CONFIG_MAP = kind("ConfigMap")
GROUP, NODE = kind("LocalModelNodeGroup"), kind("LocalModelNode")


@dataclass(frozen=True, slots=True)
class Known:
    """By `cache_name`; `going` are on their way out, and keep nothing any more."""

    placed: Mapping[str, Placed] = field(default_factory=dict)
    going: Mapping[str, AnyLocalModelCache] = field(default_factory=dict)
    live: Mapping[str, Json] = field(default_factory=dict)  # as they are stored, both of these
    groups: Mapping[str, LocalModelNodeGroup] = field(default_factory=dict)
    here: frozenset[str] = frozenset()  # groups that this machine belongs to
    binds: bool = True

    @property
    def caches(self) -> list[AnyLocalModelCache]:
        """Those that services may use."""
        if not self.binds:
            return []
        return [each.cache for each in self.placed.values() if not each.problem]


def known(store: Store, node: str) -> Known:
    """What cannot be read, as a later version may have written it, is as good as absent."""
    stored = [live for each in CACHES for live in store.list(each).items]
    if not stored and not store.list(GROUP).items:
        return Known()
    found = [(cache, live) for live in stored if (cache := _read(live, AnyLocalModelCache))]
    groups = {
        group.name: group
        for live in store.list(GROUP).items
        if (group := _read(live, LocalModelNodeGroup)) and not is_going(live)
    }
    staying = [cache for cache, live in found if not is_going(live)]
    here = placed(staying, groups, node)
    return Known(
        {cache_name(each.cache): each for each in here},
        {cache_name(cache): cache for cache, live in found if is_going(live)},
        {cache_name(cache): live for cache, live in found},
        groups,
        frozenset(name for name, group in groups.items() if is_on(group, node)),
        _binds(store),
    )


def _binds(store: Store) -> bool:
    """As KServe's switch says; here it is on until it is switched off, since a machine that has
    caches needs nothing more to use them.
    """
    for live in store.list(CONFIG_MAP, where=_is_config).items:
        if (config_map := _read(live, ConfigMap)) is not None:
            said = config_of(config_map)[0].local_model
            return said.enabled or "enabled" not in said.model_fields_set
    return True


def _is_config(live: Json) -> bool:
    return bool(live["metadata"]["name"] == CONFIG_NAME)


def services_by_cache(store: Store, caches: Known) -> dict[str, tuple[User, ...]]:
    return users(store.list(SERVICE).items, caches.caches) if caches.placed else {}


def held_by(store: Store, node: str, live: Json) -> tuple[str, ...]:
    """The services for whose sake this cache cannot be deleted."""
    if live["kind"] not in (each.name for each in CACHES):
        return ()
    caches = known(store, node)
    found = services_by_cache(store, caches)
    uid = live["metadata"]["uid"]
    name = next((n for n, each in caches.live.items() if each["metadata"]["uid"] == uid), "")
    return tuple(user.key for user in found.get(name, ()))


def counts(live: Json | None) -> object:
    """What of an object matters to caches: not its status, which is often ours."""
    metadata = live["metadata"] if live is not None else {}
    keys = ("uid", "generation", "annotations", "deletionTimestamp", "finalizers")
    return [metadata.get(key) for key in keys]


def folder_of(cache: AnyLocalModelCache) -> Path:
    """Where a relative path begins: beside its file, if it came from one."""
    file = cache.metadata.annotations.get(MANIFEST)
    return Path(file).parent if file else Path.cwd()


def _read(live: Json, model: type[R]) -> R | None:
    resource, _ = parse_object({key: value for key, value in live.items() if key != "status"})
    return resource if isinstance(resource, model) else None
