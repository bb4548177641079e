"""Documents -> resources that the controller knows, and every fault of those that cannot be read.

Documents of kinds that are not in the table are left alone: they belong to somebody else. So are
InferenceGraphs, which the loader has read.
"""

import os.path
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from controller.resources.codes import Code
from controller.resources.config import Config, config_of, is_config
from controller.resources.credentials import ConfigMap
from controller.resources.fields import field_problems, without_unknown
from controller.resources.inferenceservice import InferenceService
from controller.resources.kinds import Kind, kind_of, named
from controller.resources.model import read
from controller.resources.older import modernize, origin, warnings
from controller.resources.resource import Resource
from controller.resources.servingruntime import AnyServingRuntime
from controller.resources.trainedmodel import TrainedModel
from controller.resources.validate import Surroundings, problems_among, problems_of
from graph.loader import Document
from graph.problems import Located, Problem, Severity
from graph.spec import KIND as GRAPH
from graph.wording import shown

R_co = TypeVar("R_co", bound=Resource, covariant=True)
Id = tuple[str, str | None, str]  # kind; namespace, None for those of the whole cluster; name


@dataclass(frozen=True, slots=True)
class Declared(Generic[R_co]):
    """A resource, and the document that says it."""

    resource: R_co
    document: Document

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def key(self) -> str:
        return self.resource.key

    @property
    def folder(self) -> FilePath:
        """Where relative paths of the document begin."""
        return FilePath(os.path.abspath(self.document.file)).parent


Service = Declared[InferenceService]
Runtime = Declared[AnyServingRuntime]


@dataclass(slots=True)
class Resources:
    """`config` is None if no document tells how the cluster is configured."""

    objects: dict[Id, Declared[Resource]] = field(default_factory=dict)
    config: Config | None = None
    problems: list[Located] = field(default_factory=list)

    @property
    def services(self) -> Mapping[str, Service]:
        """By namespace/name."""
        found = self._declared("InferenceService")
        return {item.key: cast(Service, item) for item in found}

    @property
    def runtimes(self) -> Mapping[tuple[str | None, str], Runtime]:
        """By namespace (None: of the cluster) and name."""
        found = self._declared("ServingRuntime", "ClusterServingRuntime")
        return {_id(item.resource)[1:]: cast(Runtime, item) for item in found}

    @property
    def models(self) -> list[Declared[TrainedModel]]:
        return [cast(Declared[TrainedModel], item) for item in self._declared("TrainedModel")]

    def of(self, *kinds: str) -> list[Resource]:
        return [item.resource for item in self._declared(*kinds)]

    def _declared(self, *kinds: str) -> list[Declared[Resource]]:
        return [item for (kind, _, _), item in self.objects.items() if kind in kinds]


def parse(documents: Iterable[Document], built_in: Iterable[Document] = ()) -> Resources:
    """One among `documents` replaces a built-in one of the same name."""
    found = Resources()
    for document in built_in:
        _add(found, document, replaceable=set())
    replaceable = set(found.objects)
    # The configuration first: it decides how the others are meant.
    for document in sorted(documents, key=lambda document: document.kind != "ConfigMap"):
        _add(found, document, replaceable)
    _compare(found, {key: item for key, item in found.objects.items() if key not in replaceable})
    return found


def _compare(found: Resources, declared: Mapping[Id, Declared[Resource]]) -> None:
    """Each with those before it; those that others need count wherever they stand."""
    needed = ("LocalModelNodeGroup", "StorageContainer", "ClusterStorageContainer")
    around = Surroundings(found.of(*needed))
    for key, item in declared.items():
        problems = problems_among(item.resource, around)
        found.problems += map(item.document.located, problems)
        if any(problem.severity is Severity.ERROR for problem in problems):
            del found.objects[key]
        else:
            around.add(item.resource)


def parse_object(
    data: Mapping[str, Any], config: Config | None = None
) -> tuple[Resource | None, list[Problem]]:
    """One object, whoever says it: None if a problem is an error, or nobody here knows its kind.

    Older forms are read as today's.
    """
    kind = named(str(data.get("kind")))
    if kind is None:
        return None, []
    said = deepcopy(dict(data))
    changes = modernize(said)
    api_version = said.get("apiVersion")
    if kind_of(str(api_version), kind.name) is None:
        given = shown(str(api_version))
        message = f"{kind.name} has apiVersion {given}; write `{kind.api_version}`"
        return None, [*warnings(changes), Code.API_VERSION.at(("apiVersion",), message)]
    resource, problems = _read(kind, said, config)
    return resource, [
        *warnings(changes),
        *(replace(p, path=origin(p.path, changes)) for p in problems),
    ]


def _read(
    kind: Kind, data: Mapping[str, Any], config: Config | None
) -> tuple[Resource | None, list[Problem]]:
    problems: list[Problem] = []
    try:
        resource = read(kind.model, data)
    except ValidationError as error:
        problems += field_problems(kind.model, error)
        # Unknown keys hide nothing: what is beside them can still make no sense.
        rest = without_unknown(data, error)
        if rest is None:
            return None, problems
        resource = read(kind.model, rest)
    problems += problems_of(cast(Resource, resource), config)
    bad = any(problem.severity is Severity.ERROR for problem in problems)
    return (None if bad else cast(Resource, resource)), problems


def _add(found: Resources, document: Document, replaceable: set[Id]) -> None:
    if document.kind == GRAPH:
        return
    resource, problems = parse_object(document.data, found.config)
    if isinstance(resource, ConfigMap) and is_config(resource):
        found.config, faults = config_of(resource)
        problems += faults
    if resource is not None:
        key = _id(resource)
        if key in found.objects and key not in replaceable:
            message = (
                f"there is another {document.kind} {document.key} before this one; "
                "rename or remove one"
            )
            problems.append(Code.DUPLICATE_RESOURCE.at(("metadata", "name"), message))
        else:
            found.objects[key] = Declared(resource, document)
            replaceable.discard(key)
    found.problems += map(document.located, problems)


def _id(resource: Resource) -> Id:
    kind = named(resource.kind)
    is_namespaced = kind is not None and kind.namespaced
    return resource.kind, resource.namespace if is_namespaced else None, resource.name
