"""What is asked of a ServingRuntime, by itself and among the others that a service could choose."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from controller.resources.codes import Code
from controller.resources.servingruntime import (
    SERVING_CONTAINER,
    AnyServingRuntime,
    SupportedModelFormat,
)
from controller.resources.validate.environment import PARALLELISM, no_python_path, refused
from controller.resources.validate.subject import SPEC, pod_containers
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


def among(runtime: AnyServingRuntime, others: Iterable[AnyServingRuntime]) -> Iterator[Problem]:
    """Two that would be chosen equally for the same model: nobody could tell which one it is."""
    if runtime.spec.disabled:
        return
    for other in others:
        if not _is_peer(runtime, other):
            continue
        for index, item in enumerate(runtime.spec.supported_model_formats):
            if any(_ties(item, theirs) for theirs in other.spec.supported_model_formats):
                version = f" {item.version}" if item.version else ""
                message = (
                    f"runtime {other.name} is chosen for {item.name}{version} with priority "
                    f"{item.priority} too; give one of them another priority"
                )
                yield Code.RUNTIME_CONFLICT.at((*_FORMATS, index), message)


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


def _is_peer(runtime: AnyServingRuntime, other: AnyServingRuntime) -> bool:
    mine, theirs = runtime.spec, other.spec
    same_scope = runtime.kind == other.kind and (
        runtime.is_cluster_wide or runtime.namespace == other.namespace
    )
    return (
        same_scope
        and runtime.name != other.name
        and not theirs.disabled
        and mine.multi_model == theirs.multi_model
        and bool({*mine.protocol_versions} & {*theirs.protocol_versions})
    )


def _ties(mine: SupportedModelFormat, theirs: SupportedModelFormat) -> bool:
    return (
        mine.name.casefold() == theirs.name.casefold()
        and (mine.version or None) == (theirs.version or None)
        and mine.auto_select
        and theirs.auto_select
        and mine.priority is not None
        and mine.priority == theirs.priority
    )
