"""Which models a server of many is to hold: who fits into its memory, who comes, who goes. Pure.

Memory is what TrainedModels say of themselves, against the limit of the server's container. Who has
a place keeps it: a model that is served does not go because another came. The rest is served in the
order in which it was created, each that still fits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Model:
    """What somebody wants to be served. Equal digests need no load."""

    name: str
    digest: str
    memory_bytes: int
    created: str = ""
    allocated: bool = False  # it has a place already


@dataclass(frozen=True, slots=True)
class Decision:
    """For one server. `refused`: by name, why there is no place."""

    load: tuple[str, ...] = ()
    unload: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def decide(wanted: Sequence[Model], loaded: Mapping[str, str], limit_bytes: int | None) -> Decision:
    """`loaded`: digests by name. Who goes makes room, so it is unloaded first. `limit_bytes`: None
    of a server without a limit, which takes them all.
    """
    refused = dict(_refused(wanted, limit_bytes))
    kept = {model.name: model.digest for model in wanted if model.name not in refused}
    return Decision(
        load=tuple(name for name, digest in kept.items() if loaded.get(name) != digest),
        unload=tuple(name for name in loaded if name not in kept),
        refused=refused,
    )


def _refused(wanted: Iterable[Model], limit_bytes: int | None) -> Iterator[tuple[str, str]]:
    if limit_bytes is None:
        return
    taken = 0
    for model in sorted(wanted, key=lambda m: (not m.allocated, m.created, m.name)):
        if taken + model.memory_bytes <= limit_bytes:
            taken += model.memory_bytes
            continue
        free = max(0, limit_bytes - taken)
        yield (
            model.name,
            f"it needs {in_binary(model.memory_bytes)}, and of the server's "
            f"{in_binary(limit_bytes)} {in_binary(free)} are free; raise the memory limit of its "
            "InferenceService, or delete other models",
        )


def in_binary(size_bytes: int) -> str:
    """1.5Gi: the unit in which limits are written."""
    size = float(size_bytes)
    for unit in ("", "Ki", "Mi", "Gi"):
        if size < 1024:
            return f"{size:.4g}{unit}"
        size /= 1024
    return f"{size:.4g}Ti"
