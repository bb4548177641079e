"""What this machine is to run: resources -> services with everything decided, and every fault at
once.

Pure but for two looks at this machine, both passed in: is a command there, is a model there.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.endpoints import service_path
from controller.local.container import process_spec
from controller.local.python_env import requirements
from controller.local.runnable import PACKAGES, Which, container_obstacle, runtime_obstacle
from controller.local.variables import PodFields
from controller.resources.codes import Code
from controller.resources.containers import env_value
from controller.resources.inferenceservice import has_storage, model_of
from controller.resources.parse import Resources, Runtime, Service
from controller.runtimes import Selection, select
from controller.storage.uris import local_path
from controller.workload import Component, Terms, Workload, workload
from graph.problems import Located, Problem

# Transformers and explainers get the port that is chosen for them.
HERE = Terms(http_port="$(PORT)", asks_model=True, words_beside=True)


@dataclass(frozen=True, slots=True)
class LocalService:
    workload: Workload
    path: str  # to POST to
    mounts: Mapping[str, Path]
    packages: tuple[str, ...] | None  # None: no environment of its own

    @property
    def key(self) -> str:
        return self.workload.key


@dataclass(frozen=True, slots=True)
class Plan:
    services: tuple[LocalService, ...]
    selections: Mapping[str, Selection]  # of services that have a model
    problems: tuple[Located, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """What the decisions need to know of it."""

    python: str  # 3.11.7
    uri_map: Mapping[str, Path]
    which: Which = shutil.which
    exists: Callable[[Path], bool] = Path.exists


def plan(resources: Resources, machine: Machine) -> Plan:
    services: list[LocalService] = []
    selections: dict[str, Selection] = {}
    problems = [*resources.problems]
    for service in resources.services.values():
        made = _service(service, resources, machine, selections)
        if isinstance(made, LocalService):
            services.append(made)
        else:
            problems += map(service.document.located, made)
    return Plan(tuple(services), selections, tuple(problems))


def _service(
    service: Service,
    resources: Resources,
    machine: Machine,
    selections: dict[str, Selection],
) -> LocalService | list[Problem]:
    spec = service.resource.spec
    if spec.transformer is not None:
        message = "a transformer does not run on this machine yet; remove it to run the predictor"
        return [Code.UNSUPPORTED_HERE.at(("spec", "transformer"), message)]
    problems = _storage_problems(service)
    chosen = _choose(service, resources, machine, selections)
    if isinstance(chosen, Problem):
        return [*problems, chosen]
    runtime, protocol = chosen
    path = service_path(service.resource, resources.runtimes.values())
    if isinstance(path, Problem):
        problems.append(path)
    made = workload(service, runtime, protocol, terms=HERE)
    if isinstance(made, list):
        return [*problems, *made]
    problems += _process_problems(service, made.predictor)
    mounts: dict[str, Path] = {}
    for mount in made.predictor.mounts:
        if mount.uri is None:
            continue  # told above
        found = local_path(mount.uri, service.folder, machine.uri_map, mount.source)
        if isinstance(found, Problem):
            problems.append(found)
        elif not machine.exists(found):
            message = f"there is nothing at {found} ({mount.uri}); put the model there"
            problems.append(Code.MISSING_MODEL.at(mount.source, message))
        else:
            mounts[mount.path] = found
    if problems or isinstance(path, Problem):
        return problems
    return LocalService(made, path, mounts, _packages(service, runtime))


def _choose(
    service: Service,
    resources: Resources,
    machine: Machine,
    selections: dict[str, Selection],
) -> tuple[Runtime | None, str] | Problem:
    predictor, meta = service.resource.spec.predictor, service.resource.metadata
    model = model_of(predictor)
    if model is None:
        container = predictor.containers[0]
        obstacle = container_obstacle(
            container, meta.annotations, service.folder, machine.python, machine.which
        )
        if obstacle:
            source = ("spec", "predictor", "containers", 0)
            return Code.NOT_RUNNABLE_HERE.at(source, f"the container cannot run: {obstacle}")
        return None, env_value(container, "PROTOCOL") or "v1"
    selection = select(
        model,
        service.resource.namespace,
        resources.runtimes.values(),
        worker_spec=predictor.worker_spec is not None,
        obstacle=runtime_obstacle(machine.python, machine.which),
    )
    selections[service.key] = selection
    if selection.chosen is None or selection.protocol is None:
        return Code.NO_RUNTIME.at(("spec", "predictor"), selection.message)
    return selection.chosen, selection.protocol


def _process_problems(service: Service, component: Component) -> list[Problem]:
    """Of its container; the places that it will get make none."""
    resource = service.resource
    if len(component.pod.containers) > 1:
        names = ", ".join(str(container.name) for container in component.pod.containers)
        message = f"one container runs on this machine, and this pod has {names}; keep one"
        return [Code.UNSUPPORTED_HERE.at(("spec", component.role.value), message)]
    made = process_spec(
        component.container,
        pod=PodFields(resource.name, resource.namespace),
        folder=Path(),
        mounts={},
        path=component.source,
    )
    return made if isinstance(made, list) else []


def _storage_problems(service: Service) -> list[Problem]:
    predictor = service.resource.spec.predictor
    model = model_of(predictor)
    if model is None:
        return []
    if model.storage is not None:
        message = "storage with a key is not read on this machine yet; use storageUri"
        return [Code.UNSUPPORTED_STORAGE.at(("spec", "predictor"), message)]
    if not has_storage(predictor, model):
        message = "it names no model; add storageUri, a path beside this file or a URI"
        return [Code.NO_STORAGE.at(("spec", "predictor"), message)]
    return []


def _packages(service: Service, runtime: Runtime | None) -> tuple[str, ...] | None:
    """The service's word goes before the runtime's."""
    own = service.resource.metadata.annotations.get(PACKAGES)
    if own is not None:
        return requirements(own, service.folder)
    if runtime is not None:
        theirs = runtime.resource.metadata.annotations.get(PACKAGES)
        if theirs is not None:
            return requirements(theirs, runtime.folder)
    return None
