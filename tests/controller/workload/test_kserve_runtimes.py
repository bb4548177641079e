"""Every runtime that KServe ships serves what it says, and every sample of KServe's renders.

Read from KServe's own files beside this checkout; where they are not, nothing is tested here.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.ranking import PROTOCOLS
from controller.resources.component import MODEL_MOUNT
from controller.resources.containers import argument
from controller.resources.inferenceservice import ModelSpec, model_of
from controller.resources.model import dump
from controller.resources.parse import Declared, Resources, Runtime, Service, parse
from controller.resources.servingruntime import SupportedModelFormat
from controller.runtimes import select
from controller.workload import Role, Workload, workload
from graph.loader import load
from tests.controller.manifests import only_service, service

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="KServe's files are not here")


def read(folder: str) -> Resources:
    files = sorted((DATA / folder).glob("*.yaml"))
    return parse(document for file in files for document in load(file.read_bytes(), str(file)))


RUNTIMES = [*read("kserve-runtimes").runtimes.values()]


def served() -> Iterator[tuple[Runtime, SupportedModelFormat]]:
    for runtime in RUNTIMES:
        for entry in runtime.resource.spec.supported_model_formats:
            yield runtime, entry


def service_of(runtime: Runtime, entry: SupportedModelFormat) -> Service:
    version = f", version: '{entry.version}'" if entry.version else ""
    several = "\nworkerSpec: {}" if runtime.resource.spec.worker_spec else ""
    return only_service(
        service(
            f"model: {{modelFormat: {{name: {entry.name}{version}}}, runtime: {runtime.name}, "
            f"storageUri: 'pvc://models/iris'}}{several}",
            annotations="{serving.kserve.io/autoscalerClass: none}",
        )
    )


def model_in(of: Service) -> ModelSpec:
    model = model_of(of.resource.spec.predictor)
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("runtime", "entry"),
    [*served()],
    ids=lambda part: part.name + ("" if isinstance(part, Declared) else f" {part.version}"),
)
def test_a_runtime_serves_each_format_that_it_names(
    runtime: Runtime, entry: SupportedModelFormat
) -> None:
    of = service_of(runtime, entry)
    selection = select(model_in(of), "default", RUNTIMES)
    assert selection.chosen is runtime, selection.message
    made = workload(of, selection.chosen, selection.protocol or "")
    assert isinstance(made, Workload), made
    container = made.predictor.container
    assert "{{" not in json.dumps(dump(made.predictor.pod))
    assert container.name == "kserve-container"
    assert container.image
    assert container.readiness_probe is not None
    assert argument(container, "--model_name") in ("iris", None)
    assert [mount.path for mount in made.predictor.mounts] == [MODEL_MOUNT]
    assert (made.predictor.worker is not None) == (runtime.resource.spec.worker_spec is not None)


# KServe has a file for OpenVINO, and installs the others.
INSTALLED = [runtime for runtime in RUNTIMES if runtime.name != "kserve-openvino"]

SHIPPED = {
    "sklearn": ("sklearn", "v1", "kserve-sklearnserver"),
    "sklearn, V2: MLServer has the higher priority": ("sklearn", "v2", "kserve-mlserver"),
    "xgboost, V2": ("xgboost", "v2", "kserve-mlserver"),
    "lightgbm": ("lightgbm", "v1", "kserve-lgbserver"),
    "tensorflow": ("tensorflow", "v1", "kserve-tensorflow-serving"),
    "tensorflow, V2": ("tensorflow", "v2", "kserve-tritonserver"),
    "onnx, V2": ("onnx", "v2", "kserve-tritonserver"),
    "pytorch": ("pytorch", "v1", "kserve-torchserve"),
    "huggingface, on one node": ("huggingface", "v2", "kserve-huggingfaceserver"),
    "pmml": ("pmml", "v1", "kserve-pmmlserver"),
    "paddle": ("paddle", "v1", "kserve-paddleserver"),
}


@pytest.mark.parametrize(("kind", "protocol", "name"), SHIPPED.values(), ids=SHIPPED)
def test_what_kserve_chooses_among_its_own(kind: str, protocol: str, name: str) -> None:
    of = only_service(service(f"{kind}: {{storageUri: 'gs://a/b', protocolVersion: {protocol}}}"))
    selection = select(model_in(of), "default", INSTALLED)
    assert selection.chosen is not None, selection.message
    assert selection.chosen.name == name
    assert len(selection.passed_over) == len(INSTALLED) - 1


SAMPLES = [*read("kserve-isvcs").services.values()] if DATA.is_dir() else []


@pytest.mark.parametrize("of", SAMPLES, ids=lambda of: Path(of.document.file).stem)
def test_every_sample_renders_or_says_why_not(of: Service) -> None:
    predictor = of.resource.spec.predictor
    runtime, protocol = None, "v1"
    model = model_of(predictor)
    if model is not None:
        selection = select(
            model, of.resource.namespace, RUNTIMES, worker_spec=predictor.worker_spec is not None
        )
        if selection.chosen is None:
            assert selection.message
            return
        runtime, protocol = selection.chosen, selection.protocol or ""
    made = workload(of, runtime, protocol)
    assert isinstance(made, Workload), made
    assert made.entry.container.image


@pytest.mark.parametrize("of", SAMPLES, ids=lambda of: Path(of.document.file).stem)
def test_any_sample_on_any_runtime_is_a_workload_or_problems(of: Service) -> None:
    """Also those that would never be chosen: whatever meets, nothing is raised or forgotten."""
    for runtime in RUNTIMES:
        for protocol in PROTOCOLS:
            made = workload(of, runtime, protocol)
            if isinstance(made, Workload):
                assert [c.role for c in made.components] == sorted(
                    (c.role for c in made.components), key=list(Role).index
                )
                assert made == workload(of, runtime, protocol)
            else:
                assert made
                assert all(problem.path and problem.message for problem in made)
