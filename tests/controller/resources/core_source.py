"""Writes `controller/resources/core.py` from lightkube's models of the Kubernetes API.

    python -m tests.controller.resources.core_source > controller/resources/core.py

The file is committed, so neither type checkers nor a running process need lightkube, whose import
takes a third of a second; a test compares it with what this module writes now.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from lightkube.models import apps_v1, autoscaling_v2, core_v1, meta_v1

from controller.resources.model import camel

ROOTS = (
    meta_v1.ObjectMeta,
    core_v1.PodSpec,
    core_v1.PersistentVolumeSpec,
    core_v1.PersistentVolumeClaimSpec,
    core_v1.ConfigMap,
    core_v1.Secret,
    core_v1.ServiceAccount,
    autoscaling_v2.HorizontalPodAutoscalerBehavior,
    apps_v1.DeploymentStrategy,
)
# KServe names containers that have no name, takes a pod's parts without containers, and lets a
# probe without a port ask the port of the container.
OPTIONAL = {
    ("Container", "name"),
    ("PodSpec", "containers"),
    ("HTTPGetAction", "port"),
    ("TCPSocketAction", "port"),
    ("PodOS", "name"),
}
# Nothing is served without a name; a claim's template is the one that goes without.
REQUIRED = {("ObjectMeta", "name")}
FREE = {("PersistentVolumeClaimTemplate", "metadata"), ("ManagedFieldsEntry", "fieldsV1")}
# lightkube says of a mapping only that it is one; all of them map to text but these.
QUANTITIES = {"limits", "requests", "overhead", "capacity"}
# Kinds of their own are resources, which `credentials.py` makes of these.
WITHOUT = {"apiVersion", "kind", "metadata"}
KINDS = {"ConfigMap", "Secret", "ServiceAccount"}

HEAD = '''"""Types of Kubernetes' own API (core/v1, meta/v1, others) that our resources are made of.

Written by tests/controller/resources/core_source.py from lightkube's models; do not edit.
Quantities and times stay as they were written.
"""

from typing import Any

from pydantic import Field, StrictBool, StrictStr

from controller.resources.model import Int64, IntOrString, Model, Quantity, Time
'''

_SCALARS = {
    "str": "StrictStr",
    "bool": "StrictBool",
    "int": "Int64",
    "Any": "dict[str, Any]",
    "Time": "Time",
    "MicroTime": "Time",
    "datetime": "Time",
    "Quantity": "Quantity",
    "IntOrString": "IntOrString",
}


def source() -> str:
    return HEAD + "".join(f"\n\n{text}" for text in _classes())


def snake(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z](?!$))", r"\1_\2", words).lower()


def _classes() -> Iterator[str]:
    done: set[str] = set()

    def write(model: type) -> Iterator[str]:
        if model.__name__ in done:
            return
        done.add(model.__name__)
        for other in _needs(model):
            yield from write(other)
        yield _class(model)

    for root in ROOTS:
        yield from write(root)


def _annotations(model: type) -> dict[str, str]:
    """Key in a manifest -> type, optional or not."""
    left_out = WITHOUT if model.__name__ in KINDS else set()
    found = {}
    for field in msgspec.structs.fields(model):
        here = (model.__name__, field.encode_name)
        text = model.__annotations__[field.name]
        if here in FREE:
            text = "Optional[Any]"
        elif here in OPTIONAL and not text.startswith("Optional"):
            text = f"Optional[{text}]"
        elif here in REQUIRED:
            text = text.removeprefix("Optional[").removesuffix("]")
        if text in ("Optional[dict]", "Optional[Dict]"):
            value = "Quantity" if field.encode_name in QUANTITIES else "str"
            text = f"Optional[Dict[str, {value}]]"
        if field.encode_name not in left_out:
            found[field.encode_name] = text
    return found


def _needs(model: type) -> Iterator[type]:
    for text in _annotations(model).values():
        for module, name in re.findall(r"(?:(\w+)\.)?(\w+)", text):
            if name in _SCALARS or name in ("Optional", "List", "Dict"):
                continue
            yield _find(model, module, name)


def _find(model: type, module: str, name: str) -> Any:
    here = sys.modules[model.__module__]
    return getattr(getattr(here, module) if module else here, name)


def _class(model: type) -> str:
    lines = [_field(name, text) for name, text in _annotations(model).items()]
    lines.sort(key=lambda line: "=" in line)  # what must be given comes first
    name = f"{model.__name__}Fields" if model.__name__ in KINDS else model.__name__
    return "\n".join([f"class {name}(Model):", *(lines or ["    pass"])]) + "\n"


def _field(name: str, text: str) -> str:
    inner = text.removeprefix("Optional[").removesuffix("]") if text[0] == "O" else text
    kind, default = _type(inner)
    attribute = snake(name)
    if camel(attribute) != name:
        raise LookupError(f"add {attribute}: {name} to the odd names in resources/model.py")
    if inner == text:
        return f"    {attribute}: {kind}"
    return f"    {attribute}: {kind}{' | None' * (default == 'None')} = {default}"


def _type(text: str) -> tuple[str, str]:
    """The annotation, and the value when nothing is given."""
    if match := re.fullmatch(r"List\[(.*)\]", text):
        return f"tuple[{_type(match[1])[0]}, ...]", "()"
    if match := re.fullmatch(r"Dict\[str, ?(.*)\]", text):
        return f"dict[str, {_type(match[1])[0]}]", "Field(default_factory=dict)"
    name = text.rpartition(".")[2]
    return _SCALARS.get(name, name), "None"


if __name__ == "__main__":
    sys.stdout.write(source())
