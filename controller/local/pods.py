"""A unit as the reconciler wants it -> the process that each of its replicas is here. Pure.

A pod of one container is one process. What else a pod may have (containers beside it, some that run
before it, other nodes) has no counterpart on this machine, and is refused with its place.
"""

from collections.abc import Mapping
from pathlib import Path

from controller.desired import Unit
from controller.local.container import process_spec
from controller.local.home import Home
from controller.local.replica import ProcessSpec
from controller.local.runnable import Which, container_obstacle
from controller.local.variables import Lookup, PodFields
from controller.resources.codes import Code
from controller.resources.inferenceservice import has_storage, model_of, serves_many
from controller.resources.model import dump
from controller.resources.parse import Runtime, Service
from controller.workload import Component, Role
from graph.problems import Path as Place
from graph.problems import Problem

GRACE_S = 10.0  # from SIGTERM to SIGKILL; a cluster gives 30, but here somebody waits at a terminal


def process_of(
    service: str, key: str, unit: Unit, mounts: Mapping[str, Path], home: Home, lookup: Lookup
) -> ProcessSpec | list[Problem]:
    """`service` and `key` (of the replica) with their namespace. `mounts`: where models are."""
    component = unit.component
    namespace, _, name = service.partition("/")
    grace_s = component.pod.termination_grace_period_seconds
    return process_spec(
        component.container,
        pod=PodFields(
            f"{name}-{key.rpartition('/')[2]}",
            namespace,
            labels=component.labels,
            annotations=component.annotations,
            service_account=component.pod.service_account_name or "default",
        ),
        folder=home.scratch(key),
        mounts=mounts,
        packages=unit.packages,
        lookup=lookup,
        grace_s=GRACE_S if grace_s is None else float(grace_s),
        grpc=component.grpc,
        path=component.source,
    )


def annotated(service: Service, component: Component) -> Mapping[str, str]:
    """By the author of the service."""
    return service.resource.metadata.annotations | component.declared.annotations


def refusals(
    service: Service, component: Component, runtime: Runtime | None, python: str, which: Which
) -> list[Problem]:
    """What of it cannot be on this machine, whatever else happens."""
    problems: list[Problem] = []
    if runtime is None:
        obstacle = container_obstacle(
            component.container, annotated(service, component), service.folder, python, which
        )
        if obstacle:
            message = f"the container cannot run: {obstacle}"
            problems.append(Code.NOT_RUNNABLE_HERE.at(component.source, message))
    pod = component.pod
    beside = [each for n, each in enumerate(pod.containers) if n != component.called]
    for field, word, others in (
        ("containers", "side container", beside),
        ("initContainers", "init container", pod.init_containers),
    ):
        for other in others:
            place, whose = _declared_at(component, field, other.name, runtime)
            message = (
                f"{word} {other.name}{whose} does not run on this machine, where a component is "
                f"one container ({component.container.name}); remove {other.name}, or use a cluster"
            )
            problems.append(Code.UNSUPPORTED_HERE.at(place, message))
    if component.worker is not None:
        message = "this machine is one node; remove workerSpec, or use a cluster"
        problems.append(Code.UNSUPPORTED_HERE.at(("spec", component.role, "workerSpec"), message))
    predictor = service.resource.spec.predictor
    model = model_of(predictor)
    serves_one = runtime is None or not runtime.resource.spec.multi_model
    if (
        component.role is Role.PREDICTOR
        and model
        and serves_one
        and not has_storage(predictor, model)
    ):
        message = "it names no model; add storageUri, a path beside this file or a URI"
        if serves_many(predictor):
            message += ", or choose a runtime that serves many (multiModel: true)"
        problems.append(Code.NO_STORAGE.at(("spec", "predictor"), message))
    return problems


def _declared_at(
    component: Component, field: str, name: str | None, runtime: Runtime | None
) -> tuple[Place, str]:
    """Where somebody wrote this container, and words if that was not in the service."""
    place: Place = ("spec", component.role)
    for index, each in enumerate(dump(component.declared).get(field) or ()):
        if each.get("name") == name:
            return (*place, field, index), ""
    return place, f" of runtime {runtime.name}" if runtime is not None else ""
