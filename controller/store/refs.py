"""What the store knows of a kind, and how it names one object.

The kinds themselves (their fields, their columns) are a matter of `controller.resources`; the store
keeps JSON and needs no more of a kind than where it belongs.
"""

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]

DEFAULT_NAMESPACE = "default"


class Kind(Protocol):
    """The part of `controller.resources.kinds.Kind` that counts here."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def namespaced(self) -> bool: ...
    @property
    def status(self) -> bool:
        """Whether the status is a matter of its own: who writes the rest cannot write it."""


def api_version(kind: Kind) -> str:
    return f"{kind.group}/{kind.version}" if kind.group else kind.version


def resource_name(kind: Kind) -> str:
    """As in messages: `inferenceservices.serving.kserve.io`."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


@dataclass(frozen=True, slots=True)
class Ref:
    """One object. `namespace` is empty for a kind that belongs to none."""

    kind: Kind
    namespace: str
    name: str

    @classmethod
    def of(cls, kind: Kind, resource: Json) -> "Ref":
        metadata = resource.get("metadata", {})
        namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
        return cls(kind, namespace if kind.namespaced else "", metadata.get("name", ""))

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{resource_name(self.kind)} {where}{self.name}"
