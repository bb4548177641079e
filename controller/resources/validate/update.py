"""What may not change once it is there."""

from collections.abc import Iterator

from controller.resources.annotations import DEPLOYMENT_MODE, OLDER_MODES
from controller.resources.codes import Code
from controller.resources.inferenceservice import InferenceService, PredictorSpec, model_of
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.quantities import number
from controller.resources.resource import Resource
from controller.resources.servingruntime import AnyServingRuntime
from controller.resources.trainedmodel import TrainedModel
from controller.resources.validate.subject import PREDICTOR, SPEC
from graph.problems import Problem


def changed(old: Resource, new: Resource) -> Iterator[Problem]:
    match old, new:
        case InferenceService(), InferenceService():
            yield from _service(old, new)
        case TrainedModel(), TrainedModel():
            if number(old.spec.model.memory) != number(new.spec.model.memory):
                message = "the memory of a model stays; delete it, and create it anew"
                yield Code.IMMUTABLE.at((*SPEC, "model", "memory"), message)
        case AnyServingRuntime(), AnyServingRuntime():
            if old.spec.worker_spec is not None and new.spec.worker_spec is None:
                message = "a workerSpec stays; create another runtime without it"
                yield Code.IMMUTABLE.at((*SPEC, "workerSpec"), message)
        case AnyLocalModelCache(), AnyLocalModelCache():
            if old.spec.source_model_uri != new.spec.source_model_uri:
                message = "the model of a cache stays; create another cache for this one"
                yield Code.IMMUTABLE.at((*SPEC, "sourceModelUri"), message)


def _service(old: InferenceService, new: InferenceService) -> Iterator[Problem]:
    runs = old.status.deployment_mode if old.status is not None else None
    given = new.metadata.annotations.get(DEPLOYMENT_MODE)
    if runs and given and OLDER_MODES.get(given, given) != OLDER_MODES.get(runs, runs):
        message = f"it runs in mode {runs}, which stays; delete it, and create it anew"
        yield Code.IMMUTABLE.at(("metadata", "annotations", DEPLOYMENT_MODE), message)
    before, after = old.spec.predictor, new.spec.predictor
    if before.name != after.name and _uri(before) == _uri(after):
        message = "another name is for another model; change the storageUri too, or keep the name"
        yield Code.IMMUTABLE.at((*PREDICTOR, "name"), message)


def _uri(predictor: PredictorSpec) -> str | None:
    model = model_of(predictor)
    return model.storage_uri if model is not None else None
