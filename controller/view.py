"""The store, read as resources: what the pure functions want of it.

Objects of the store came through admission, so they parse; one that a later version refuses is as
good as absent, and its problems are what there is to tell. Relative paths begin beside the file
that an object came from, else where Graphway was started.
"""

import os
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from controller.modelcache.known import known
from controller.resources.config import Config, ResourceConfig, config_of, is_config
from controller.resources.credentials import ConfigMap
from controller.resources.inferenceservice import InferenceService
from controller.resources.kinds import Kind, named
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.parse import Declared, Runtime, Service, parse, parse_object
from controller.resources.resource import Resource
from controller.resources.servingruntime import AnyServingRuntime
from controller.store.files import MANIFEST
from controller.store.refs import Json, Ref, resource_name
from controller.store.store import Store
from graph.loader import Document
from graph.loader.places import Place
from graph.problems import Problem


def kind(name: str) -> Kind:
    found = named(name)
    assert found is not None, name
    return found


SERVICE = kind("InferenceService")
GRAPH = kind("InferenceGraph")
TRAINED_MODEL = kind("TrainedModel")
_RUNTIMES = (kind("ServingRuntime"), kind("ClusterServingRuntime"))

_PLACE = Place(0, {})


R = TypeVar("R", bound=Resource)

# A laptop has no limits for containers that say none; a ConfigMap may set some.
_NO_LIMITS = ResourceConfig(cpu_limit="", memory_limit="", cpu_request="", memory_request="")


def local_config(config_map: ConfigMap | None) -> Config:
    found = config_of(config_map)[0] if config_map is not None else Config()
    if "resource" in found.inference_service.model_fields_set:
        return found
    section = found.inference_service.model_copy(update={"resource": _NO_LIMITS})
    return found.model_copy(update={"inference_service": section})


class View:
    def __init__(self, store: Store, built_in: Iterable[Document], folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._built_in = list(parse(built_in).runtimes.values())
        self._parsed: dict[str, tuple[str, Runtime | None]] = {}  # by uid, with their versions

    def service(self, live: Json) -> Service | list[Problem]:
        resource, problems = parse_object(_manifest(live))
        if resource is None:
            return [problem for problem in problems if problem.severity == "error"]
        return Declared(cast(InferenceService, resource), self._document(live))

    def folder(self, live: Json) -> Path:
        """Where its relative paths begin."""
        return Path(os.path.abspath(self._document(live).file)).parent

    def runtimes(self) -> list[Runtime]:
        """One of the store replaces the built-in one of the same name."""
        known: dict[str, tuple[str, Runtime | None]] = {}
        for each in _RUNTIMES:
            for live in self._store.list(each).items:
                uid, version = live["metadata"]["uid"], live["metadata"]["resourceVersion"]
                before = self._parsed.get(uid)
                same = before is not None and before[0] == version
                known[uid] = before if before and same else (version, self._runtime(live))
        self._parsed = known
        given = [runtime for _, runtime in known.values() if runtime is not None]
        named_so = {(r.resource.kind, r.name) for r in given}
        return [*given, *(r for r in self._built_in if (r.resource.kind, r.name) not in named_so)]

    def runtime(self, file: str, manifest: Json) -> Runtime | None:
        """One that was kept, as it was."""
        resource, _ = parse_object(manifest)
        if resource is None:
            return None
        name, namespace = resource.metadata.name, resource.metadata.namespace or "default"
        document = Document(
            file, manifest["apiVersion"], manifest["kind"], name, namespace, manifest, _PLACE
        )
        return Declared(cast(AnyServingRuntime, resource), document)

    def config(self) -> Config:
        """What the ConfigMap `inferenceservice-config` says, in whatever namespace it is."""
        for each in self.all(ConfigMap, None):
            if is_config(each):
                return local_config(each)
        return local_config(None)

    def caches(self, node: str) -> list[AnyLocalModelCache]:
        """Model caches that services may use on this node."""
        return known(self._store, node).caches

    def all(self, model: type[R], namespace: str | None, kind_name: str | None = None) -> list[R]:
        """Of a kind; those that can be read."""
        found = []
        for live in self._store.list(kind(kind_name or model.__name__), namespace).items:
            resource, _ = parse_object(_manifest(live))
            if isinstance(resource, model):
                found.append(resource)
        return found

    def values(self, name: str, namespace: str, object_name: str) -> Mapping[str, str] | None:
        """What a Secret or ConfigMap holds, decoded; None if there is none. What is no text in
        UTF-8 is left out.
        """
        live = self._store.find(Ref(kind(name), namespace, object_name))
        if live is None:
            return None
        data: Mapping[str, str] = live.get("data") or {}
        if name != "Secret":
            return data
        return {key: text for key, raw in data.items() if (text := _decoded(raw)) is not None}

    def _runtime(self, live: Json) -> Runtime | None:
        resource, _ = parse_object(_manifest(live))
        if resource is None:
            return None
        return Declared(cast(AnyServingRuntime, resource), self._document(live))

    def _document(self, live: Json) -> Document:
        metadata = live["metadata"]
        beside = (metadata.get("annotations") or {}).get(MANIFEST)
        file = beside or str(self._folder / f"{resource_name(kind(live['kind']))}.yaml")
        namespace = metadata.get("namespace") or "default"
        place = metadata["name"], namespace, live, _PLACE
        return Document(file, live["apiVersion"], live["kind"], *place)


def _manifest(live: Json) -> dict[str, Any]:
    """Without what was only found out."""
    return {key: value for key, value in live.items() if key != "status"}


def _decoded(raw: str) -> str | None:
    try:
        return b64decode(raw, validate=True).decode()
    except (BadBase64, UnicodeDecodeError):
        return None
