"""Exactly one thing serves each component, and its container is named as KServe will name it."""

from collections.abc import Iterator

from controller.resources.codes import Code
from controller.resources.containers import env_value
from controller.resources.inferenceservice import ExplainerSpec, PredictorSpec
from controller.resources.servingruntime import SERVING_CONTAINER
from controller.resources.validate.subject import PREDICTOR, SPEC, Subject, implementations
from graph.codes import Code as Shared
from graph.problems import Path, Problem
from graph.wording import shown

_EXAMPLE = "`model: {modelFormat: {name: sklearn}, storageUri: ./model}`"
_PROTOCOLS = ("v1", "v2")


def one_each(subject: Subject) -> Iterator[Problem]:
    spec = subject.service.spec
    for path, predictor in subject.predictors():
        yield from _predictor(path, predictor)
    if spec.transformer is not None and not spec.transformer.containers:
        yield _none((*SPEC, "transformer"), "the transformer has no containers; add one")
    if spec.explainer is not None:
        yield from _explainer(spec.explainer)


def _predictor(path: Path, predictor: PredictorSpec) -> Iterator[Problem]:
    ways = [*predictor.frameworks()]
    ways += ["model"] if predictor.model is not None else []
    # A container beside a model is a sidecar unless it bears the serving container's name.
    serving = any(c.name == SERVING_CONTAINER for c in predictor.containers)
    ways += ["containers"] if predictor.containers and (serving or not ways) else []
    if len(ways) > 1:
        message = f"the predictor has {' and '.join(ways)}; keep one of them"
        yield Code.SEVERAL_IMPLEMENTATIONS.at(path, message)
    if not ways:
        message = "the predictor has neither a model nor containers; add one, for example "
        yield _none(path, message + _EXAMPLE)


def _explainer(explainer: ExplainerSpec) -> Iterator[Problem]:
    path = (*SPEC, "explainer")
    if explainer.art is not None and explainer.containers:
        message = "the explainer has art and containers; keep one of them"
        yield Code.SEVERAL_IMPLEMENTATIONS.at(path, message)
    if explainer.art is None and not explainer.containers:
        yield _none(path, "the explainer has neither art nor containers; add one")


def _none(path: Path, message: str) -> Problem:
    return Code.NO_IMPLEMENTATION.at(path, message)


def model_format(subject: Subject) -> Iterator[Problem]:
    for path, predictor in subject.predictors():
        if predictor.model is not None and not predictor.model.model_format.name:
            where = (*path, "model", "modelFormat")
            message = "`modelFormat` is missing; add it, for example {name: sklearn}"
            yield Shared.MISSING_FIELD.at(where, message)


def container_names(subject: Subject) -> Iterator[Problem]:
    """The first container gets a name from KServe; a model's container has its runtime's."""
    for path, predictor in subject.predictors():
        for where, container in implementations(path, predictor):
            if container.name:
                message = (
                    f"this container is named {shown(container.name)}, and its runtime names it; "
                    "remove the name"
                )
                yield Code.CONTAINER_NAME.at((*where, "name"), message)
    for path, container in subject.containers():
        is_first = path[-2:] == ("containers", 0)
        if "ontainers" in str(path[-2]) and not container.name and not is_first:
            yield Code.CONTAINER_NAME.at(path, "this container has no name; add one")


def custom_protocol(subject: Subject) -> Iterator[Problem]:
    predictor = subject.service.spec.predictor
    if predictor.model is not None or predictor.frameworks() or not predictor.containers:
        return
    given = env_value(predictor.containers[0], "PROTOCOL")
    if given is not None and given not in _PROTOCOLS:
        message = f"PROTOCOL is {shown(given)}; write v1 or v2, or leave it out"
        yield Code.BAD_PROTOCOL.at((*PREDICTOR, "containers", 0, "env"), message)
