"""What checks of an InferenceService look at: its components with their paths, the containers in
them, and how it will be deployed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.resources.annotations import mode_of
from controller.resources.component import ComponentSpec
from controller.resources.config import Config
from controller.resources.core import Container
from controller.resources.inferenceservice import InferenceService, PredictorSpec
from graph.problems import Path

SPEC: Path = ("spec",)
PREDICTOR: Path = ("spec", "predictor")


@dataclass(frozen=True, slots=True)
class Subject:
    """`config` is None where nobody told of a cluster; rules that depend on one then hold back."""

    service: InferenceService
    config: Config | None = None

    @property
    def mode(self) -> str | None:
        default = self.config.deployment_mode if self.config is not None else None
        return mode_of(self.service.metadata, default)

    @property
    def annotations(self) -> dict[str, str]:
        return self.service.metadata.annotations

    def components(self) -> Iterator[tuple[Path, ComponentSpec]]:
        """Without canaries, of which less is asked."""
        spec = self.service.spec
        yield PREDICTOR, spec.predictor
        if spec.transformer is not None:
            yield (*SPEC, "transformer"), spec.transformer
        if spec.explainer is not None:
            yield (*SPEC, "explainer"), spec.explainer

    def predictors(self) -> Iterator[tuple[Path, PredictorSpec]]:
        yield PREDICTOR, self.service.spec.predictor
        for index, canary in enumerate(self.service.spec.canary):
            yield (*SPEC, "canary", index, "predictor"), canary.predictor

    def containers(self) -> Iterator[tuple[Path, Container]]:
        """All that are written anywhere."""
        spec = self.service.spec
        for path, predictor in self.predictors():
            yield from pod_containers(path, predictor.containers, predictor.init_containers)
            yield from implementations(path, predictor)
            if (workers := predictor.worker_spec) is not None:
                yield from pod_containers((*path, "workerSpec"), workers.containers)
        for path, component in list(self.components())[1:]:
            yield from pod_containers(path, component.containers, component.init_containers)
        if spec.explainer is not None and spec.explainer.art is not None:
            yield (*SPEC, "explainer", "art"), spec.explainer.art


def implementations(path: Path, predictor: PredictorSpec) -> Iterator[tuple[Path, Container]]:
    """The framework keys and the model: containers too."""
    for name, extension in predictor.frameworks().items():
        yield (*path, name), extension
    if predictor.model is not None:
        yield (*path, "model"), predictor.model


def pod_containers(
    path: Path, containers: tuple[Container, ...], init: tuple[Container, ...] = ()
) -> Iterator[tuple[Path, Container]]:
    for index, container in enumerate(containers):
        yield (*path, "containers", index), container
    for index, container in enumerate(init):
        yield (*path, "initContainers", index), container
