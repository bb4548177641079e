"""Models that run on several nodes."""

import json
from collections.abc import Iterable, Iterator, Mapping

from controller.resources.annotations import AUTOSCALER_CLASS, GPU_RESOURCE_TYPES
from controller.resources.codes import Code
from controller.resources.core import Container, ResourceRequirements
from controller.resources.inferenceservice import WorkerSpec
from controller.resources.servingruntime import RuntimeWorkerSpec
from controller.resources.validate.environment import PARALLELISM, refused
from controller.resources.validate.subject import PREDICTOR, Subject
from graph.problems import Path, Problem
from graph.wording import listed, shown

GPUS = ("nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu", "habana.ai/gaudi")
_OWN = "say it by pipelineParallelSize and tensorParallelSize of the workerSpec"


def several_nodes(subject: Subject) -> Iterator[Problem]:
    predictor = subject.service.spec.predictor
    workers, model = predictor.worker_spec, predictor.model
    if workers is None:
        return
    path = (*PREDICTOR, "workerSpec")
    gpus, problems = known_gpus(subject.annotations)
    yield from problems
    if subject.config is not None:
        gpus |= set(subject.config.multi_node.custom_gpu_resource_type_list)
    yield from shape(path, workers)
    yield from unknown_gpus((*path, "containers"), workers.containers, gpus)
    if subject.annotations.get(AUTOSCALER_CLASS) != "none":
        message = f"several nodes are not scaled; write the annotation `{AUTOSCALER_CLASS}: none`"
        yield Code.BAD_WORKERS.at(path, message)
    if model is None:
        return
    where = (*PREDICTOR, "model")
    yield from refused(where, model, PARALLELISM, _OWN)
    yield from unknown_gpus(where, (model,), gpus)
    if not model.storage_uri:
        message = "several nodes share one model; add a storageUri of pvc:// or oci://"
        yield Code.BAD_WORKERS.at(where, message)
    elif model.storage_uri.partition("://")[0] not in ("pvc", "oci"):
        message = f"several nodes cannot share {shown(model.storage_uri)}; use pvc:// or oci://"
        yield Code.BAD_WORKERS.at((*where, "storageUri"), message)


def shape(path: Path, workers: WorkerSpec | RuntimeWorkerSpec) -> Iterator[Problem]:
    if len(workers.containers) > 1:
        message = f"a worker has one container, not {len(workers.containers)}; remove the others"
        yield Code.BAD_WORKERS.at((*path, "containers"), message)
    for key, size in (
        ("pipelineParallelSize", workers.pipeline_parallel_size),
        ("tensorParallelSize", workers.tensor_parallel_size),
    ):
        if size is not None and size < 1:
            yield Code.BAD_WORKERS.at((*path, key), f"{key} is {size}; write 1 or more")


def known_gpus(annotations: Mapping[str, str]) -> tuple[set[str], list[Problem]]:
    """Kubernetes' resource names of GPUs, and the problem of an annotation that adds to them."""
    text = annotations.get(GPU_RESOURCE_TYPES, "[]")
    try:
        named = json.loads(text)
    except (ValueError, RecursionError):
        named = None
    if isinstance(named, list) and all(isinstance(name, str) for name in named):
        return {*GPUS, *named}, []
    path = ("metadata", "annotations", GPU_RESOURCE_TYPES)
    message = f'{shown(text)} is no JSON list of names; write ["example.com/gpu"]'
    return {*GPUS}, [Code.BAD_ANNOTATION.at(path, message)]


def unknown_gpus(path: Path, containers: Iterable[Container], gpus: set[str]) -> Iterator[Problem]:
    for container in containers:
        for name in sorted(_extended(container.resources) - gpus):
            message = (
                f"nobody knows {shown(name)} as a GPU (known are {listed(sorted(gpus))}); name it "
                f"in the annotation `{GPU_RESOURCE_TYPES}`"
            )
            yield Code.BAD_WORKERS.at(path, message)


def _extended(resources: ResourceRequirements | None) -> set[str]:
    """Those of somebody's domain that look like GPUs."""
    if resources is None:
        return set()
    names = {*resources.limits, *resources.requests}
    return {name for name in names if "/" in name and not name.startswith("kubernetes.io/")}
