"""Predictors on several nodes: how many, who brings which GPUs, and what they are told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.workload import Component, Workload
from controller.workload.multinode import Nodes, spread
from graph.problems import Problem
from tests.controller.manifests import runtime
from tests.controller.workload import rendering
from tests.controller.workload.rendering import env

SPREAD = {
    "nobody says how many GPUs: one each": ((2, 2, 0, 0, "ray"), Nodes(4, 1, 1)),
    "workers of two": ((4, 2, 0, 2, "ray"), Nodes(4, 2, 2)),
    "the head takes what the workers leave": ((3, 1, 0, 2, "ray"), Nodes(2, 1, 2)),
    "a head that has them all": ((2, 2, 4, 1, "ray"), Nodes(1, 4, 0)),
    "workers that have them all are not needed": ((2, 1, 0, 2, "ray"), Nodes(1, 2, 0)),
    "only the head says it: workers of one": ((2, 2, 2, 0, "ray"), Nodes(3, 2, 1)),
    "one process a node": ((3, 4, 0, 0, "mp"), Nodes(3, 4, 4)),
}


@pytest.mark.parametrize(("said", "nodes"), SPREAD.values(), ids=SPREAD)
def test_spread(said: tuple[int, int, int, int, str], nodes: Nodes) -> None:
    assert spread(*said) == nodes


def test_too_few_gpus_are_a_reason() -> None:
    reason = spread(4, 2, 1, 3, "ray")
    assert reason == (
        "it takes 8 GPUs (4 by 2), and 3 nodes have 7; ask for more GPUs, or for smaller sizes"
    )


SIZE = st.integers(1, 16)
GPUS = st.integers(0, 16)


@given(SIZE, SIZE, GPUS, GPUS, st.sampled_from(["ray", "mp"]))
def test_the_gpus_are_enough_wherever_there_is_an_answer(
    pipeline: int, tensor: int, head: int, worker: int, backend: str
) -> None:
    found = spread(pipeline, tensor, head, worker, backend)
    if isinstance(found, Nodes):
        assert found.count >= 1
        assert found.head_gpus + found.gpus * (found.count - 1) >= pipeline * tensor
    else:
        assert min(head, worker) > 0


def of(worker: str = "image: w", head: str = "image: 'h:1'") -> str:
    return runtime(
        "server",
        spec="workerSpec: {tensorParallelSize: 2, containers: "
        f"[{{name: worker-container, args: [a], {worker}}}]}}",
        container=f"{{name: kserve-container, {head}}}",
    )


def built(spec: str, server: str, **annotations: str) -> Workload | list[Problem]:
    said = {"serving.kserve.io/autoscalerClass": "none"} | annotations
    return rendering.built(spec, server, annotations=json.dumps(said))


def made(spec: str, server: str, **annotations: str) -> Component:
    result = built(spec, server, **annotations)
    assert isinstance(result, Workload), result
    return result.predictor


SPEC = "sklearn: {storageUri: 'pvc://a/b'}\nworkerSpec: "


def test_head_and_workers_are_told_of_each_other() -> None:
    result = made(f"{SPEC}{{pipelineParallelSize: 3}}", of())
    sizes = {
        "PIPELINE_PARALLEL_SIZE": "3",
        "TENSOR_PARALLEL_SIZE": "2",
        "RAY_NODE_COUNT": "6",
        "REQUEST_GPU_COUNT": "1",
    }
    assert env(result) == sizes | {
        "INFERENCE_SERVICE_NAME": "iris",
        "MODEL_NAME": "iris",
        "MODEL_DIR": "/mnt/models",
    }
    worker = result.worker
    assert worker is not None
    assert (worker.name, worker.nodes) == ("iris-predictor-worker", 6)
    assert {item.name: item.value for item in worker.pod.containers[0].env} == sizes | {
        "ISVC_NAME": "iris",
        "HEAD_SVC": "iris-head-1",
        "WORKER_SVC": "iris-workers-1",
    }


def test_the_services_worker_lies_over_the_runtimes_whatever_its_name() -> None:
    own = "{containers: [{name: mine, image: v, args: [b]}], nodeSelector: {a: x}}"
    result = made(f"{SPEC}{own}", of())
    assert result.worker is not None
    pod = result.worker.pod
    assert [(c.name, c.image, c.args) for c in pod.containers] == [
        ("worker-container", "v", ("a", "b"))
    ]
    assert pod.node_selector == {"a": "x"}


def test_gpus_that_are_asked_for_decide() -> None:
    two = "resources: {limits: {nvidia.com/gpu: 2}}"
    result = made(f"{SPEC}{{pipelineParallelSize: 2}}", of(f"image: w, {two}"))
    assert result.worker is not None
    assert (result.worker.nodes, result.worker.head_gpus, result.worker.gpus) == (2, 2, 2)


def test_another_kind_of_gpu_by_annotation() -> None:
    own = "{containers: [{resources: {requests: {example.com/gpu: '2'}}}]}"
    annotation = {"serving.kserve.io/gpu-resource-types": '["example.com/gpu"]'}
    result = made(SPEC + own, of(), **annotation)
    assert result.worker is not None
    assert result.worker.nodes == 1


FAULTS = {
    "the runtime runs on one node": (
        runtime("server"),
        f"{SPEC}{{}}",
        "runs on one node",
    ),
    "there are too few GPUs": (
        of("resources: {limits: {nvidia.com/gpu: 3}}", "resources: {limits: {nvidia.com/gpu: 1}}"),
        f"{SPEC}{{pipelineParallelSize: 4}}",
        "takes 8 GPUs",
    ),
}


@pytest.mark.parametrize(("server", "spec", "words"), FAULTS.values(), ids=FAULTS)
def test_faults(server: str, spec: str, words: str) -> None:
    problems = built(spec, server)
    assert isinstance(problems, list)
    assert [(p.code, p.path) for p in problems] == [
        ("bad-workers", ("spec", "predictor", "workerSpec"))
    ]
    assert words in problems[0].message
