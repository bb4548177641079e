"""Canaries: other predictors of the same service, each with a share of its requests."""

from collections.abc import Iterator

from controller.resources.annotations import STANDARD
from controller.resources.codes import Code
from controller.resources.inferenceservice import CanarySpec
from controller.resources.validate.subject import SPEC, Subject
from graph.problems import Path, Problem
from graph.wording import shown

_OF_STABLE = ("worker_spec", "max_replicas", "scale_target", "scale_metric", "auto_scaling")


def canaries(subject: Subject) -> Iterator[Problem]:
    spec = subject.service.spec
    if not spec.canary:
        return
    path = (*SPEC, "canary")
    if subject.mode not in (None, STANDARD):
        message = (
            f"canaries run in mode {STANDARD} only; write the annotation "
            f"`serving.kserve.io/deploymentMode: {STANDARD}`, or canaryTrafficPercent"
        )
        yield Code.BAD_CANARY.at(path, message)
    if spec.predictor.model is None and not spec.predictor.frameworks():
        message = "the predictor beside them has containers of its own; give it a model"
        yield Code.BAD_CANARY.at(path, message)
    total = sum(canary.traffic_percent for canary in spec.canary)
    if total > 100:
        message = f"their shares add up to {total}; lower them to 100 or less"
        yield Code.BAD_CANARY.at(path, message)
    names = {spec.predictor.name}
    for index, canary in enumerate(spec.canary):
        yield from _one((*path, index), canary, names, spec.predictor.min_replicas)
        names.add(canary.predictor.name)


def _one(
    path: Path, canary: CanarySpec, names: set[str | None], stable: int | None
) -> Iterator[Problem]:
    predictor = canary.predictor
    where = (*path, "predictor")
    if not predictor.name:
        yield Code.BAD_CANARY.at(where, "a canary has no name; add `name`")
    elif predictor.name in names:
        message = f"there is a predictor {shown(predictor.name)} already; rename this one"
        yield Code.BAD_CANARY.at((*where, "name"), message)
    for attribute in _OF_STABLE:
        if attribute in predictor.model_fields_set:
            key = type(predictor).model_fields[attribute].alias or attribute
            message = f"a canary has no {key} of its own; remove it"
            yield Code.BAD_CANARY.at((*where, key), message)
    least, most = predictor.min_replicas or 0, 1 if stable is None else stable
    if least > most:
        message = f"minReplicas {least} is above the {most} of the predictor beside it; lower it"
        yield Code.BAD_CANARY.at((*where, "minReplicas"), message)
