"""The other nodes of a predictor that runs on several, and what all of them are told. Pure.

`pipelineParallelSize` times `tensorParallelSize` is the number of GPUs. How many nodes bring them
depends on what one of them asks for; Ray's head is one of the nodes. A runtime that starts its
processes without Ray (annotation `multinode/executor-backend: mp`) has a node for each pipeline
stage.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from controller.resources.codes import Code
from controller.resources.component import MODEL_MOUNT
from controller.resources.config import Config
from controller.resources.core import Container, EnvVar, ObjectMeta, PodSpec
from controller.resources.inferenceservice import PredictorSpec, WorkerSpec
from controller.resources.quantities import number
from controller.resources.servingruntime import RuntimeWorkerSpec, ServingRuntimeSpec
from controller.resources.validate.workers import known_gpus
from controller.workload import metadata
from controller.workload.merge import by_name, fields, merged
from controller.workload.pods import joined
from controller.workload.shape import Mount, Role, Worker
from graph.problems import Path, Problem

_BACKEND = "multinode/executor-backend"
PATH: Path = ("spec", "predictor", "workerSpec")


@dataclass(frozen=True, slots=True)
class Nodes:
    count: int
    head_gpus: int
    gpus: int  # of each other node


def spread(
    pipeline: int, tensor: int, head_gpus: int, worker_gpus: int, backend: str
) -> Nodes | str:
    """How many nodes, and who brings how many GPUs; or why that is not enough."""
    if backend == "mp":
        return Nodes(pipeline, tensor, tensor)
    total = pipeline * tensor
    if not worker_gpus and not head_gpus:
        return Nodes(total, 1, 1)
    if not worker_gpus:
        return Nodes(1 + max(0, total - head_gpus), head_gpus, 1)
    count = math.ceil(total / worker_gpus)
    if count == 1 or head_gpus >= total:
        return Nodes(1, total, 0)
    head_gpus = head_gpus or total - worker_gpus * (count - 1)
    there = head_gpus + worker_gpus * (count - 1)
    if there < total:
        return (
            f"it takes {total} GPUs ({pipeline} by {tensor}), and {count} nodes have {there}; "
            "ask for more GPUs, or for smaller sizes"
        )
    return Nodes(count, head_gpus, worker_gpus)


def workers(
    meta: ObjectMeta,
    predictor: PredictorSpec,
    runtime: ServingRuntimeSpec,
    head: Container,
    mounts: tuple[Mount, ...],
    config: Config,
) -> tuple[Container, Worker] | list[Problem]:
    """The head's container with what it is told, and the workers."""
    own, theirs = predictor.worker_spec or WorkerSpec(), runtime.worker_spec
    if theirs is None:
        message = "its runtime runs on one node; name one with a workerSpec"
        return [Code.BAD_WORKERS.at(PATH, message)]
    gpu_names = known_gpus(meta.annotations)[0]
    gpu_names |= set(config.multi_node.custom_gpu_resource_type_list)
    pod = _pod(theirs, own)
    container = pod.containers[0]
    pipeline = own.pipeline_parallel_size or theirs.pipeline_parallel_size or 1
    tensor = own.tensor_parallel_size or theirs.tensor_parallel_size or 1
    nodes = spread(
        pipeline,
        tensor,
        _gpus(head, gpu_names),
        _gpus(container, gpu_names),
        runtime.annotations.get(_BACKEND, "ray"),
    )
    if isinstance(nodes, str):
        return [Code.BAD_WORKERS.at(PATH, nodes)]
    sizes = {
        "PIPELINE_PARALLEL_SIZE": str(pipeline),
        "TENSOR_PARALLEL_SIZE": str(tensor),
        "RAY_NODE_COUNT": str(nodes.count),
    }
    shared = any((mount.uri or "").startswith(("pvc://", "oci://")) for mount in mounts)
    to_head = {"REQUEST_GPU_COUNT": str(nodes.head_gpus), "MODEL_NAME": meta.name}
    to_head |= {"MODEL_DIR": MODEL_MOUNT} if shared else {}
    to_workers = {
        "REQUEST_GPU_COUNT": str(nodes.gpus),
        "ISVC_NAME": meta.name,
        "HEAD_SVC": f"{meta.name}-head-{meta.generation or 1}",
        "WORKER_SVC": f"{meta.name}-workers-{meta.generation or 1}",
    }
    told = (_told(container, sizes | to_workers), *pod.containers[1:])
    return _told(head, sizes | to_head), Worker(
        name=f"{meta.name}-predictor-worker",
        pod=pod.model_copy(update={"containers": told}),
        nodes=nodes.count,
        head_gpus=nodes.head_gpus,
        gpus=nodes.gpus,
        labels=metadata.labels(theirs, meta, predictor, Role.PREDICTOR, config),
        annotations=metadata.annotations(theirs, meta, predictor, config),
    )


def _pod(runtime: RuntimeWorkerSpec, own: WorkerSpec) -> PodSpec:
    """A worker has one container, whatever the service calls it."""
    below = PodSpec(**fields(runtime, PodSpec))
    above = fields(own, PodSpec)
    container = below.containers[0]
    if own.containers:
        said = own.containers[0].model_copy(update={"name": container.name})
        container = joined(container, said)
    above["containers"] = (container,)
    return merged(below.model_copy(update={"containers": ()}), PodSpec(**above))


def _gpus(container: Container, names: set[str]) -> int:
    asked = container.resources
    if asked is None:
        return 0
    # A request that is not written is as large as the limit.
    found = {**asked.limits, **asked.requests}
    return next((int(number(size)) for name, size in found.items() if name in names), 0)


def _told(container: Container, said: Mapping[str, str]) -> Container:
    env = tuple(EnvVar(name=name, value=value) for name, value in said.items())
    return container.model_copy(update={"env": by_name(container.env, env)})
