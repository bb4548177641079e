"""What this machine would run for some manifests, and every fault that can be known before.

For the start of `up` and its dry run: the reconciler decides by the same `desired` in the same
`world`. Pure but for two looks at this machine, both passed in: is a command there, is a model
there.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from controller.desired import SHIPPED, Packages, Refused, Wanted, World, desired
from controller.local.home import Home
from controller.local.pods import annotated, process_of, refusals
from controller.local.python_env import requirements
from controller.local.runnable import PACKAGES, Which, runtime_obstacle
from controller.local.variables import Lookup
from controller.resources.codes import Code
from controller.resources.component import MODEL_MOUNT
from controller.resources.config import Config, is_config
from controller.resources.credentials import ConfigMap, Secret
from controller.resources.inferenceservice import serves_many
from controller.resources.parse import Declared, Resources, Runtime, Service
from controller.resources.storagecontainer import AnyStorageContainer
from controller.resources.trainedmodel import TrainedModel
from controller.runtimes import Selection
from controller.storage.containers import choose
from controller.storage.outcome import FetchFailed
from controller.storage.uris import local_path
from controller.view import local_config
from controller.workload import Component, Mount, Terms
from graph.problems import Located, Problem

# Transformers and explainers get the port that is chosen for them.
HERE = Terms(http_port="$(PORT)", asks_model=True, words_beside=True)

NOWHERE = Home(Path("/nowhere"))  # of processes that are only planned


@dataclass(frozen=True, slots=True)
class Planned:
    service: Service
    wanted: Wanted

    @property
    def key(self) -> str:
        return self.service.key


@dataclass(frozen=True, slots=True)
class Plan:
    services: tuple[Planned, ...]
    selections: Mapping[str, Selection]  # of services that have a model
    problems: tuple[Located, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """What the decisions need to know of it."""

    python: str  # 3.11.7
    uri_map: Mapping[str, Path]
    which: Which = shutil.which
    exists: Callable[[Path], bool] = Path.exists


def world(machine: Machine, runtimes: Sequence[Runtime] = (), config: Config = SHIPPED) -> World:
    return World(
        runtimes,
        config,
        terms=HERE,
        obstacle=runtime_obstacle(machine.python, machine.which),
        refuses=lambda service, component, runtime: refusals(
            service, component, runtime, machine.python, machine.which
        ),
        packages=packages,
        needs_host=True,
        prefers_many=True,
    )


def packages(service: Service, component: Component, runtime: Runtime | None) -> Packages:
    """The component's word goes before the service's, and that before the runtime's."""
    own = annotated(service, component).get(PACKAGES)
    if own is not None:
        return requirements(own, service.folder)
    if runtime is not None:
        theirs = runtime.resource.metadata.annotations.get(PACKAGES)
        if theirs is not None:
            return requirements(theirs, runtime.folder)
    return None


def plan(resources: Resources, machine: Machine) -> Plan:
    services: list[Planned] = []
    selections: dict[str, Selection] = {}
    problems = [*resources.problems]
    here = world(machine, [*resources.runtimes.values()], _config(resources))
    for service in resources.services.values():
        # Some address: with it, transformers and explainers are planned too.
        wanted = desired(service, here, "127.0.0.1:0")
        if wanted.selection is not None:
            selections[service.key] = wanted.selection
        if isinstance(wanted, Refused):
            found = list(wanted.problems)
        else:
            found = [*_problems(service, wanted, resources, machine)]
        as_written = (_as_written(service, problem) for problem in dict.fromkeys(found))
        problems += map(service.document.located, as_written)
        if isinstance(wanted, Wanted) and not found:
            services.append(Planned(service, wanted))
    for model in resources.models:
        problems += map(model.document.located, _model_problems(model, resources, machine))
    return Plan(tuple(services), selections, tuple(problems))


def _model_problems(
    model: Declared[TrainedModel], resources: Resources, machine: Machine
) -> Iterator[Problem]:
    spec = model.resource.spec
    parent = resources.services.get(f"{model.resource.namespace}/{spec.inference_service}")
    where = ("spec", "inferenceService")
    if parent is None:
        message = f"InferenceService {spec.inference_service} is not in these files; add it"
        yield Code.NO_SERVER.at(where, message)
    elif not serves_many(parent.resource.spec.predictor):
        message = f"{spec.inference_service} serves one model; take its storageUri away"
        yield Code.NO_SERVER.at(where, message)
    mount = Mount(MODEL_MOUNT, spec.model.storage_uri, ("spec", "model", "storageUri"))
    if not _is_claimed(mount, model.resource.namespace, resources):
        yield from _mount_problems(mount, model.folder, machine)


def _as_written(service: Service, problem: Problem) -> Problem:
    """What defaulting calls `model` may be a framework's key in the manifest."""
    predictor = service.resource.spec.predictor
    framework = next(iter(predictor.frameworks()), None)
    if framework is None or problem.path[:3] != ("spec", "predictor", "model"):
        return problem
    return replace(problem, path=("spec", "predictor", framework, *problem.path[3:]))


def _config(resources: Resources) -> Config:
    maps = (declared.resource for declared in resources.objects.values())
    found = (each for each in maps if isinstance(each, ConfigMap) and is_config(each))
    return local_config(next(found, None))


def _problems(
    service: Service, wanted: Wanted, resources: Resources, machine: Machine
) -> Iterator[Problem]:
    lookup = _lookup(resources, service.resource.namespace)
    for unit in wanted.units:
        for mount in unit.component.mounts:
            if not _is_claimed(mount, service.resource.namespace, resources):
                yield from _mount_problems(mount, unit.folder, machine)
        made = process_of(service.key, f"{service.key}/{unit.role}-0", unit, {}, NOWHERE, lookup)
        if isinstance(made, list):
            yield from made


def _is_claimed(mount: Mount, namespace: str, resources: Resources) -> bool:
    """By a StorageContainer, which knows more schemes than we do."""
    found = [each.resource for each in resources.objects.values()]
    containers = [each for each in found if isinstance(each, AnyStorageContainer)]
    return mount.uri is not None and choose(mount.uri, containers, namespace=namespace) is not None


def _mount_problems(mount: Mount, folder: Path, machine: Machine) -> Iterator[Problem]:
    """What lies elsewhere is asked for once it is fetched."""
    if mount.uri is None:
        return
    found = local_path(mount.uri, folder, machine.uri_map)
    if isinstance(found, FetchFailed):
        yield Code.BAD_STORAGE_URI.at(mount.source, found.message)
    elif found is not None and not machine.exists(found):
        message = f"there is nothing at {found} ({mount.uri}); put the model there"
        yield Code.MISSING_MODEL.at(mount.source, message)


def _lookup(resources: Resources, namespace: str) -> Lookup:
    def values(kind: Literal["Secret", "ConfigMap"], name: str) -> Mapping[str, str] | None:
        declared = resources.objects.get((kind, namespace, name))
        match declared.resource if declared else None:
            case Secret() as secret:
                # What they hold is nobody's business before something starts.
                return dict.fromkeys((*secret.data, *secret.string_data), "")
            case ConfigMap() as found:
                return found.data
        return None

    return values
