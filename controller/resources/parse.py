"""Documents -> resources that the controller knows, and every fault of those that cannot be read.

Documents of other kinds are left alone: they belong to somebody else.
"""

import os.path
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import ValidationError

from controller.resources.codes import Code
from controller.resources.fields import field_problems
from controller.resources.inferenceservice import FRAMEWORKS, InferenceService
from controller.resources.pods import Model
from controller.resources.servingruntime import ServingRuntime
from graph.loader import Document
from graph.problems import Located, Problem
from graph.wording import Speller, shown

SERVICE_VERSION = "serving.kserve.io/v1beta1"
RUNTIME_VERSION = "serving.kserve.io/v1alpha1"

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # KServe's rule for InferenceServices
_RUNTIME_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")  # Kubernetes' rule

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class Service:
    resource: InferenceService
    document: Document

    @property
    def key(self) -> str:
        return self.document.key

    @property
    def folder(self) -> FilePath:
        return _folder(self.document)


@dataclass(frozen=True, slots=True)
class Runtime:
    resource: ServingRuntime
    document: Document

    @property
    def name(self) -> str:
        return self.resource.metadata.name

    @property
    def folder(self) -> FilePath:
        return _folder(self.document)


@dataclass(slots=True)
class Resources:
    services: dict[str, Service] = field(default_factory=dict)  # by namespace/name
    runtimes: dict[tuple[str | None, str], Runtime] = field(default_factory=dict)  # None: cluster
    problems: list[Located] = field(default_factory=list)


def _folder(document: Document) -> FilePath:
    """Where relative paths of the document begin."""
    return FilePath(os.path.abspath(document.file)).parent


def parse(documents: Iterable[Document], built_in: Iterable[Document] = ()) -> Resources:
    """A runtime among `documents` replaces a built-in one of the same name."""
    found = Resources()
    for document in built_in:
        _add(found, document, replaceable=set())
    replaceable = set(found.runtimes)
    for document in documents:
        _add(found, document, replaceable)
    return found


def _add(found: Resources, document: Document, replaceable: set[tuple[str | None, str]]) -> None:
    problems: list[Problem] = []
    match document.kind:
        case "InferenceService":
            service = _read(InferenceService, document, SERVICE_VERSION, problems)
            if service is not None:
                problems += _service_problems(service)
                if document.key in found.services:
                    problems.append(_twice(document))
                if not problems:
                    found.services[document.key] = Service(service, document)
        case "ServingRuntime" | "ClusterServingRuntime":
            runtime = _read(ServingRuntime, document, RUNTIME_VERSION, problems)
            if runtime is not None:
                key = None if runtime.is_cluster_wide else document.namespace, document.name
                problems += _name_problems(document.name, _RUNTIME_NAME)
                if key in found.runtimes and key not in replaceable:
                    problems.append(_twice(document))
                if not problems:
                    found.runtimes[key] = Runtime(runtime, document)
                    replaceable.discard(key)
    found.problems += map(document.located, problems)


def _read(model: type[_M], document: Document, version: str, problems: list[Problem]) -> _M | None:
    if document.api_version != version:
        given = shown(document.api_version)
        message = f"{document.kind} has apiVersion {given}; write `{version}`"
        problems.append(Code.API_VERSION.at(("apiVersion",), message))
        return None
    try:
        return model.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems += field_problems(error)
        return None


def _service_problems(service: InferenceService) -> list[Problem]:
    problems = _name_problems(service.metadata.name, _NAME)
    predictor = service.spec.predictor
    ways = [*predictor.frameworks()]
    ways += ["model"] if predictor.model is not None else []
    # A container beside a model is a sidecar unless it bears the serving container's name.
    serving = any(c.name == "kserve-container" for c in predictor.containers)
    ways += ["containers"] if predictor.containers and (serving or not ways) else []
    path = ("spec", "predictor")
    if len(ways) > 1:
        message = f"the predictor has {' and '.join(ways)}; keep one of them"
        problems.append(Code.SEVERAL_IMPLEMENTATIONS.at(path, message))
    if not ways:
        speller = Speller([*FRAMEWORKS, "model", "containers"])
        hints = "".join(speller.hint(key) for key in predictor.model_extra or {})
        message = (
            f"the predictor has neither a model nor containers{hints or '; add one'}, for example "
            "`model: {modelFormat: {name: sklearn}, storageUri: ./model}`"
        )
        problems.append(Code.NO_IMPLEMENTATION.at(path, message))
    return problems


def _name_problems(name: str, rule: re.Pattern[str]) -> list[Problem]:
    if rule.fullmatch(name):
        return []
    message = (
        f"{shown(name)} is no name; use lower-case letters, digits and dashes, beginning with a "
        "letter and ending with a letter or digit"
    )
    return [Code.BAD_NAME.at(("metadata", "name"), message)]


def _twice(document: Document) -> Problem:
    message = (
        f"there is another {document.kind} {document.key} before this one; rename or remove one"
    )
    return Code.DUPLICATE_RESOURCE.at(("metadata", "name"), message)
