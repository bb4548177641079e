"""What is asked of a ServingRuntime, by itself and among the others that a service could choose."""

from collections import defaultdict
from collections.abc import Iterator

from controller.resources.codes import Code
from controller.resources.servingruntime import SERVING_CONTAINER, AnyServingRuntime
from controller.resources.validate.environment import PARALLELISM, no_python_path, refused
from controller.resources.validate.subject import SPEC, pod_containers
from controller.resources.validate.surroundings import Surroundings
from controller.resources.validate.workers import known_gpus, shape, unknown_gpus
from graph.problems import Problem

_FORMATS = (*SPEC, "supportedModelFormats")


def alone(runtime: AnyServingRuntime) -> Iterator[Problem]:
    """A disabled one may be unfinished, as KServe has it; only its containers need names."""
    if not runtime.spec.containers:
        message = f"it has no containers; add one, named `{SERVING_CONTAINER}`"
        yield Code.NO_IMPLEMENTATION.at((*SPEC, "containers"), message)
    yield from _names(runtime)
    if runtime.spec.disabled:
        return
    yield from _priorities(runtime)
    yield from no_python_path(pod_containers(SPEC, runtime.spec.containers))
    workers = runtime.spec.worker_spec
    if workers is None:
        return
    path = (*SPEC, "workerSpec")
    yield from no_python_path(pod_containers(path, workers.containers))
    yield from shape(path, workers)
    gpus, problems = known_gpus(runtime.metadata.annotations)
    yield from problems
    yield from unknown_gpus((*path, "containers"), workers.containers, gpus)
    for where, container in pod_containers(SPEC, runtime.spec.containers):
        if container.name == SERVING_CONTAINER:
            message = "say it by pipelineParallelSize and tensorParallelSize of the workerSpec"
            yield from refused(where, container, PARALLELISM, message)


def among(runtime: AnyServingRuntime, around: Surroundings) -> Iterator[Problem]:
    """Two that would be chosen equally for the same model: nobody could tell which one it is."""
    for path, other in around.taken(runtime):
        item = runtime.spec.supported_model_formats[int(path[-1])]
        version = f" {item.version}" if item.version else ""
        message = (
            f"runtime {other.name} is chosen for {item.name}{version} with priority "
            f"{item.priority} too; give one of them another priority"
        )
        yield Code.RUNTIME_CONFLICT.at(path, message)


def _names(runtime: AnyServingRuntime) -> Iterator[Problem]:
    for path, container in pod_containers(SPEC, runtime.spec.containers):
        if not container.name:
            message = f"this container has no name; the one that serves is `{SERVING_CONTAINER}`"
            yield Code.CONTAINER_NAME.at(path, message)


def _priorities(runtime: AnyServingRuntime) -> Iterator[Problem]:
    """KServe reads one priority a format; two of them would be a matter of order."""
    given: dict[str, set[int]] = defaultdict(set)
    for index, item in enumerate(runtime.spec.supported_model_formats):
        if item.auto_select and item.priority is not None:
            given[item.name].add(item.priority)
            if len(given[item.name]) == 2:
                message = f"{item.name} has two priorities in this runtime; give it one"
                yield Code.RUNTIME_CONFLICT.at((*_FORMATS, index, "priority"), message)
