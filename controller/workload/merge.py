"""One core/v1 object laid over another, by the rules of Kubernetes' strategic merge. Pure.

Mappings and objects are merged key by key. Lists of the table below are merged by what tells their
items apart, in the order of the object below; every other list is replaced as a whole.

Two rules are ours, where Kubernetes would make an object that it then refuses: of fields that
exclude each other (the handlers of a probe, the sources of a volume) those on top win.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from controller.resources.core import (
    Container,
    EnvVar,
    LifecycleHandler,
    PodSpec,
    Probe,
    Volume,
)

_M = TypeVar("_M", bound=BaseModel)

_KEYS: Mapping[type[BaseModel], Mapping[str, str]] = {
    Container: {
        "env": "name",
        "ports": "container_port",
        "volume_devices": "device_path",
        "volume_mounts": "mount_path",
    },
    PodSpec: {
        "containers": "name",
        "ephemeral_containers": "name",
        "host_aliases": "ip",
        "image_pull_secrets": "name",
        "init_containers": "name",
        "resource_claims": "name",
        "scheduling_gates": "name",
        "topology_spread_constraints": "topology_key",
        "volumes": "name",
    },
}

_HANDLERS = frozenset({"exec", "grpc", "http_get", "sleep", "tcp_socket"})
_EXCLUSIVE: Mapping[type[BaseModel], frozenset[str]] = {
    EnvVar: frozenset({"value", "value_from"}),
    LifecycleHandler: _HANDLERS,
    Probe: _HANDLERS,
    Volume: frozenset(Volume.model_fields) - {"name"},
}


def merged(below: _M, above: _M) -> _M:
    """`above` says what differs; what it does not say stays."""
    values = fields(below)
    exclusive = _EXCLUSIVE.get(type(below), frozenset())
    if exclusive & above.model_fields_set:
        for name in exclusive - above.model_fields_set:
            values.pop(name, None)
    keys = _KEYS.get(type(below), {})
    for name, value in fields(above).items():
        values[name] = _laid(values[name], value, keys.get(name)) if name in values else value
    return type(below)(**values)


def by_name(below: Sequence[_M], above: Sequence[_M]) -> tuple[_M, ...]:
    """Lists of what has a name: environments, containers."""
    return _by_key(below, above, "name", merged)


def fields(said: BaseModel, model: type[BaseModel] | None = None) -> dict[str, Any]:
    """What was said, of the fields that `model` has."""
    known = said.model_fields_set & set((model or type(said)).model_fields)
    return {name: getattr(said, name) for name in type(said).model_fields if name in known}


def _laid(below: Any, above: Any, key: str | None) -> Any:
    if isinstance(below, BaseModel) and isinstance(above, BaseModel):
        return merged(below, above)
    if isinstance(below, dict) and isinstance(above, dict):
        return below | above
    if key is not None:
        return _by_key(below, above, key, merged)
    return above


def _by_key(
    below: Sequence[_M], above: Sequence[_M], key: str, join: Callable[[_M, _M], _M]
) -> tuple[_M, ...]:
    found: dict[object, _M] = {}
    for item in (*below, *above):
        name = getattr(item, key)
        found[name] = join(found[name], item) if name in found else item
    return tuple(found.values())
