"""How many replicas, and by what they are scaled: the rules of each way to deploy."""

import re
from collections.abc import Iterator
from decimal import Decimal

from controller.resources.annotations import (
    AUTOSCALER_CLASS,
    KNATIVE_AUTOSCALER_CLASS,
    STANDARD,
)
from controller.resources.codes import Code
from controller.resources.component import ComponentExtensionSpec, MetricsSpec, MetricTarget
from controller.resources.quantities import number
from controller.resources.validate.subject import Subject
from graph.problems import Path, Problem
from graph.wording import listed, shown

CLASSES = ("hpa", "external", "keda", "none")
_MIB = 2**20


def autoscaler_class(subject: Subject) -> Iterator[Problem]:
    given = subject.annotations.get(AUTOSCALER_CLASS)
    if given is not None and given not in CLASSES:
        path = ("metadata", "annotations", AUTOSCALER_CLASS)
        message = f"{shown(given)} is no autoscaler; choose one of {listed(CLASSES)}"
        yield Code.BAD_ANNOTATION.at(path, message)


def replicas(subject: Subject) -> Iterator[Problem]:
    for path, component in subject.components():
        least, most = component.min_replicas, component.max_replicas
        for key, value in (
            ("minReplicas", least),
            ("maxReplicas", most),
            ("containerConcurrency", component.container_concurrency),
        ):
            if value is not None and value < 0:
                message = f"{key} is {value}; write 0 or more"
                yield Code.BAD_REPLICAS.at((*path, key), message)
        if least is not None and most and 0 <= most < least:
            message = f"minReplicas {least} is above maxReplicas {most}; raise the one or the other"
            yield Code.BAD_REPLICAS.at((*path, "minReplicas"), message)


def logger(subject: Subject) -> Iterator[Problem]:
    for path, component in subject.components():
        if component.logger is None:
            continue
        where = (*path, "logger")
        if component.logger.mode is None:
            yield Code.BAD_LOGGER.at(where, "it has no mode; add `mode: all`, request or response")
        storage = component.logger.storage
        if storage is not None:
            given = {"path": storage.path, "parameters": storage.parameters, "key": storage.key}
            if missing := [key for key, value in given.items() if not value]:
                message = f"storage has no {' and no '.join(missing)}; add it"
                yield Code.BAD_LOGGER.at((*where, "storage"), message)


def autoscaling(subject: Subject) -> Iterator[Problem]:
    kind = subject.annotations.get(AUTOSCALER_CLASS)
    knative = subject.annotations.get(KNATIVE_AUTOSCALER_CLASS, "")
    for path, component in subject.components():
        match subject.mode:
            case "Standard" if kind == "hpa":
                yield from _hpa(path, component)
            case "Standard" if kind == "keda":
                yield from _keda(path, component)
            case None | "Standard" | "ModelMesh":
                pass  # the class has no rules, or a cluster must say which apply
            case _ if re.match(r"hpa\.", knative) or knative == "hpa":
                yield from _hpa(path, component)
            case _:
                yield from _kpa(path, component)


def _hpa(path: Path, component: ComponentExtensionSpec) -> Iterator[Problem]:
    metric, target = component.scale_metric, component.scale_target
    if metric not in (None, "cpu", "memory"):
        message = f"an HPA does not scale by {metric}; use cpu or memory"
        yield Code.BAD_AUTOSCALING.at((*path, "scaleMetric"), message)
    if target is not None and not 1 <= target <= 100:
        message = f"scaleTarget {target} is no share of use; write 1 to 100"
        yield Code.BAD_AUTOSCALING.at((*path, "scaleTarget"), message)
    for where, item in _metrics(path, component):
        if item.type != "Resource":
            message = f"an HPA does not scale by {item.type} metrics; use Resource, or keda"
            yield Code.BAD_AUTOSCALING.at(where, message)


def _keda(path: Path, component: ComponentExtensionSpec) -> Iterator[Problem]:
    if component.scale_metric is not None:
        message = "keda does not read scaleMetric; say it in autoScaling.metrics"
        yield Code.BAD_AUTOSCALING.at((*path, "scaleMetric"), message)
    for where, item in _metrics(path, component):
        if item.type == "Resource" and item.resource is not None:
            at = (*where, "resource", "target")
            yield from _resource(at, item.resource.name, item.resource.target)
        source = item.external or item.podmetric
        if item.type != "Resource" and source is not None:
            at = (*where, "external" if item.external else "podmetric")
            if not source.metric.query:
                message = "it has no query; add it"
                yield Code.BAD_AUTOSCALING.at((*at, "metric"), message)
            if source.target.value is None:
                message = "it has no value to keep to; add `value`"
                yield Code.BAD_AUTOSCALING.at((*at, "target"), message)


def _resource(path: Path, name: str, target: MetricTarget) -> Iterator[Problem]:
    use = target.average_utilization
    if name == "cpu" and target.type != "Utilization":
        message = f"cpu is scaled by Utilization, not by {target.type or 'nothing'}; write that"
        yield Code.BAD_AUTOSCALING.at(path, message)
    if name == "memory" and target.type not in ("Utilization", "AverageValue"):
        message = "memory is scaled by Utilization or AverageValue; write one of them"
        yield Code.BAD_AUTOSCALING.at(path, message)
    if target.type == "Utilization" and use is not None and not 1 <= use <= 100:
        message = f"averageUtilization {use} is no share of use; write 1 to 100"
        yield Code.BAD_AUTOSCALING.at(path, message)
    if target.type == "AverageValue" and name == "memory":
        value = target.average_value
        if value is None or number(value) < Decimal(_MIB):
            message = "averageValue of memory is at least 1Mi; write more"
            yield Code.BAD_AUTOSCALING.at(path, message)


def _kpa(path: Path, component: ComponentExtensionSpec) -> Iterator[Problem]:
    metric, target = component.scale_metric, component.scale_target
    if metric not in (None, "concurrency", "rps"):
        message = (
            f"Knative does not scale by {metric}; use concurrency or rps, or the annotation "
            f"`serving.kserve.io/deploymentMode: {STANDARD}`"
        )
        yield Code.BAD_AUTOSCALING.at((*path, "scaleMetric"), message)
    if metric == "rps" and target is not None and target < 1:
        message = f"scaleTarget {target} asks for less than one request; write 1 or more"
        yield Code.BAD_AUTOSCALING.at((*path, "scaleTarget"), message)
    if component.deployment_strategy is not None:
        message = (
            "Knative has a strategy of its own; remove it, or write the annotation "
            f"`serving.kserve.io/deploymentMode: {STANDARD}`"
        )
        yield Code.BAD_AUTOSCALING.at((*path, "deploymentStrategy"), message)


def _metrics(path: Path, component: ComponentExtensionSpec) -> Iterator[tuple[Path, MetricsSpec]]:
    if component.auto_scaling is not None:
        for index, item in enumerate(component.auto_scaling.metrics):
            yield (*path, "autoScaling", "metrics", index), item
