"""What is asked of an InferenceService."""

from collections.abc import Iterator

from controller.resources.codes import Code
from controller.resources.inferenceservice import InferenceService
from graph.problems import Problem


def implementations(service: InferenceService) -> Iterator[Problem]:
    predictor = service.spec.predictor
    ways = [*predictor.frameworks()]
    ways += ["model"] if predictor.model is not None else []
    # A container beside a model is a sidecar unless it bears the serving container's name.
    serving = any(c.name == "kserve-container" for c in predictor.containers)
    ways += ["containers"] if predictor.containers and (serving or not ways) else []
    path = ("spec", "predictor")
    if len(ways) > 1:
        message = f"the predictor has {' and '.join(ways)}; keep one of them"
        yield Code.SEVERAL_IMPLEMENTATIONS.at(path, message)
    if not ways:
        message = (
            "the predictor has neither a model nor containers; add one, for example "
            "`model: {modelFormat: {name: sklearn}, storageUri: ./model}`"
        )
        yield Code.NO_IMPLEMENTATION.at(path, message)
