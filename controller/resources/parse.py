"""Manifests -> resources that the controller knows, and every fault of those that cannot be read.

Manifests of other kinds are left alone: they belong to somebody else.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from controller.resources.inferenceservice import FRAMEWORKS, InferenceService
from controller.resources.manifest import Fault, Manifest
from controller.resources.pods import Model
from controller.resources.servingruntime import ServingRuntime
from graph.problems import Problem

SERVICE_VERSION = "serving.kserve.io/v1beta1"
RUNTIME_VERSION = "serving.kserve.io/v1alpha1"

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # KServe's rule for InferenceServices
_RUNTIME_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")  # Kubernetes' rule

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True, slots=True)
class Service:
    resource: InferenceService
    manifest: Manifest

    @property
    def key(self) -> str:
        return self.resource.key


@dataclass(frozen=True, slots=True)
class Runtime:
    resource: ServingRuntime
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.resource.metadata.name


@dataclass(slots=True)
class Resources:
    services: dict[str, Service] = field(default_factory=dict)  # by namespace/name
    runtimes: dict[tuple[str | None, str], Runtime] = field(default_factory=dict)  # None: cluster
    faults: list[Fault] = field(default_factory=list)


def parse(manifests: Iterable[Manifest], built_in: Iterable[Manifest] = ()) -> Resources:
    """A runtime among `manifests` replaces a built-in one of the same name."""
    found = Resources()
    for manifest in built_in:
        _add(found, manifest, replaces=set())
    replaceable = set(found.runtimes)
    for manifest in manifests:
        _add(found, manifest, replaces=replaceable)
    return found


def _add(found: Resources, manifest: Manifest, replaces: set[tuple[str | None, str]]) -> None:
    problems: list[Problem] = []
    match manifest.kind:
        case "InferenceService":
            service = _read(InferenceService, manifest, SERVICE_VERSION, problems)
            if service is not None:
                problems += _service_problems(service)
                if service.key in found.services:
                    problems.append(_twice("InferenceService", service.key))
                if not problems:
                    found.services[service.key] = Service(service, manifest)
        case "ServingRuntime" | "ClusterServingRuntime":
            runtime = _read(ServingRuntime, manifest, RUNTIME_VERSION, problems)
            if runtime is not None:
                name = runtime.metadata.name
                namespace = None if runtime.is_cluster_wide else runtime.metadata.namespace
                problems += _name_problems(name, _RUNTIME_NAME)
                if (namespace, name) in found.runtimes and (namespace, name) not in replaces:
                    problems.append(_twice(runtime.kind, name))
                if not problems:
                    found.runtimes[namespace, name] = Runtime(runtime, manifest)
                    replaces.discard((namespace, name))
    found.faults += [Fault(manifest, problem) for problem in problems]


def _read(model: type[_M], manifest: Manifest, version: str, problems: list[Problem]) -> _M | None:
    given = manifest.value.get("apiVersion")
    if given != version:
        problems.append(
            Problem(
                ("apiVersion",),
                "unknown-api-version",
                f"{manifest.kind} has apiVersion {given!r}; write {version}",
            )
        )
        return None
    try:
        return model.model_validate(manifest.value)
    except ValidationError as error:
        problems += [_problem(dict(item)) for item in error.errors(include_url=False)]
        return None


def _problem(error: dict[str, Any]) -> Problem:
    """One of pydantic's errors in our words."""
    path: tuple[str | int, ...] = tuple(error["loc"])
    name = next((part for part in reversed(path) if isinstance(part, str)), "the document")
    match error["type"]:
        case "missing":
            return Problem(path[:-1], "missing-field", f"{name} is missing; add it")
        case "string_type":
            hint = "; put it in quotes" if isinstance(error["input"], int | float | bool) else ""
            return Problem(path, "wrong-type", f"{name} must be a string{hint}")
        case _:
            message = str(error["msg"]).replace("Input should", "it should")
            return Problem(path, "wrong-type", f"{name} cannot be read: {message}")


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
        problems.append(
            Problem(
                path,
                "several-implementations",
                f"the predictor has {' and '.join(ways)}; keep one of them",
            )
        )
    if not ways:
        extra = predictor.model_extra or {}
        close = [
            f"{key} (did you mean {match[0]}?)"
            for key in extra
            if (match := get_close_matches(key, [*FRAMEWORKS, "model", "containers"], 1))
        ]
        said = f"; it has {', '.join(close)}" if close else ""
        problems.append(
            Problem(
                path,
                "no-implementation",
                f"the predictor says neither model nor containers{said}; add one, for example "
                "model: {modelFormat: {name: sklearn}, storageUri: ./model}",
            )
        )
    return problems


def _name_problems(name: str, rule: re.Pattern[str]) -> list[Problem]:
    if rule.fullmatch(name):
        return []
    message = (
        f"{name!r} is no name; use lower-case letters, digits and dashes, beginning with a letter "
        "and ending with a letter or digit"
    )
    return [Problem(("metadata", "name"), "bad-name", message)]


def _twice(kind: str, key: str) -> Problem:
    message = f"there is another {kind} {key} before this one; rename or remove one of them"
    return Problem(("metadata", "name"), "duplicate-resource", message)
