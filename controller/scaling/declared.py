"""How one component is scaled: what its spec, its annotations and the configuration say. Pure.

The bounds are KServe's: one replica where nobody says otherwise, and no more than that without
`maxReplicas`. By what it is scaled: concurrency or requests per second as Knative does, cpu or
memory as a HorizontalPodAutoscaler does, or not at all. What is written and cannot be done here is
told as a problem; there is always a policy, so that the service runs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from controller.resources.annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    KNATIVE_AUTOSCALER_CLASS,
    OLDER_MODES,
    STANDARD,
)
from controller.resources.codes import Code
from controller.resources.component import ComponentExtensionSpec, MetricsSpec, MetricTarget
from controller.resources.core import HPAScalingRules
from controller.resources.quantities import number
from controller.scaling.knobs import KNATIVE, PREFIX, Knobs, annotated
from controller.scaling.policy import ByRequests, ByResources, Goal, Metric, Policy
from graph.problems import Path, Problem
from graph.wording import shown

Requests = Mapping[str, float | str]  # of the container that is called, by resource

_LEAST_TARGET = 0.01
_DEFAULT_UTILIZATION = 80  # of what is requested, per cent: KServe's


@dataclass(frozen=True, slots=True)
class _Subject:
    """One component, and what is said of it elsewhere."""

    declared: ComponentExtensionSpec
    path: Path
    of_service: Mapping[str, str]  # annotations
    requests: Requests

    @property
    def annotations(self) -> Mapping[str, str]:
        return {**self.of_service, **self.declared.annotations}

    def place(self, annotation: str) -> Path:
        if annotation in self.declared.annotations:
            return (*self.path, "annotations", annotation)
        return ("metadata", "annotations", annotation)

    def at(self, *where: str | int) -> Path:
        return (*self.path, *where)


def policy_of(
    declared: ComponentExtensionSpec,
    path: Path,
    annotations: Mapping[str, str],
    requests: Requests,
    config: Knobs = KNATIVE,
) -> Policy:
    """`path`: of the component in its InferenceService; `annotations`: those of the service."""
    subject = _Subject(declared, path, annotations, requests)
    knobs, faults = annotated(config, subject.annotations)
    problems = [Code.BAD_ANNOTATION.at(subject.place(key), fault) for key, fault in faults.items()]
    by = _by(subject, knobs, problems)
    least = declared.min_replicas if declared.min_replicas is not None else knobs.least
    least = 1 if least is None else max(least, 0)
    if least == 0 and isinstance(by, ByResources):
        message = (
            "nothing tells from cpu or memory that a call waits, so one replica stays; scale by "
            "concurrency or rps to reach zero"
        )
        problems.append(Code.SCALED_OTHERWISE.at(subject.at("minReplicas"), message))
    if isinstance(by, ByResources) or (by is not None and not knobs.to_zero):
        least = max(least, 1)
    most = declared.max_replicas or knobs.most or 0
    if knobs.limit:
        most = min(most, knobs.limit)
    most = max(most, least, 0 if by is None else 1)
    if by is None:
        most = least
    return Policy(least, most, by, tuple(problems))


def _by(
    subject: _Subject, knobs: Knobs, problems: list[Problem]
) -> ByRequests | ByResources | None:
    kind = subject.annotations.get(AUTOSCALER_CLASS)
    if kind in ("none", "external"):
        return None
    declared = subject.declared
    if declared.auto_scaling is not None and declared.auto_scaling.metrics:
        goals = list(_goals(subject, declared.auto_scaling.metrics, problems))
        return _by_resources(subject, goals, problems)
    if kind == "keda":
        message = "keda scales by what `autoScaling.metrics` says, and that is missing; add it"
        problems.append(Code.SCALED_OTHERWISE.at(subject.place(AUTOSCALER_CLASS), message))
        return None
    metric = declared.scale_metric or knobs.metric or _default_metric(subject.annotations)
    if metric in ("cpu", "memory"):
        goal = _goal_of_target(subject, metric, knobs, problems)
        return _by_resources(subject, [] if goal is None else [goal], problems)
    return _by_requests(subject, Metric(metric), knobs, problems)


def _default_metric(annotations: Mapping[str, str]) -> str:
    kind = annotations.get(AUTOSCALER_CLASS)
    knative = annotations.get(KNATIVE_AUTOSCALER_CLASS, "")
    mode = annotations.get(DEPLOYMENT_MODE, "")
    by_cpu = (
        kind == "hpa"
        or knative.startswith("hpa")
        or (kind is None and OLDER_MODES.get(mode, mode) == STANDARD)
    )
    return "cpu" if by_cpu else Metric.CONCURRENCY


def _by_requests(
    subject: _Subject, metric: Metric, knobs: Knobs, problems: list[Problem]
) -> ByRequests:
    given = subject.declared.scale_target
    target = float(given) if given is not None and given > 0 else knobs.target
    capacity = subject.declared.container_concurrency or 0
    if metric is Metric.RPS:
        target = knobs.target_rps if target is None else target
    elif target is None:
        target = float(capacity or knobs.target_concurrency)
    elif capacity:
        target = min(target, float(capacity))
    initial = knobs.initial
    if not initial and not knobs.zero_initial:
        message = (
            "a revision starts with a replica, to see that it works; write 1, or `allow-zero-"
            'initial-scale: "true"` in the ConfigMap config-autoscaler'
        )
        place = subject.place(f"{PREFIX}initial-scale")
        problems.append(Code.SCALED_OTHERWISE.at(place, message))
        initial = 1
    return ByRequests(
        metric,
        max(target * knobs.utilization, _LEAST_TARGET),
        ceil(knobs.stable_s),
        max(round(knobs.stable_s * knobs.panic_share), 1),
        knobs.panic_threshold,
        knobs.max_up,
        knobs.max_down,
        max(knobs.grace_s, knobs.retention_s),
        knobs.delay_s,
        initial,
        knobs.activation,
    )


def _by_resources(
    subject: _Subject, goals: list[Goal], problems: list[Problem]
) -> ByResources | None:
    if not goals:
        return None
    scaling = subject.declared.auto_scaling
    behavior = scaling.behavior if scaling is not None else None
    up, down = (behavior.scale_up, behavior.scale_down) if behavior else (None, None)
    for name, rules in (("scaleUp", up), ("scaleDown", down)):
        if rules and (rules.policies or rules.select_policy or rules.tolerance is not None):
            message = "only its stabilizationWindowSeconds counts here; remove the rest"
            place = subject.at("autoScaling", "behavior", name)
            problems.append(Code.SCALED_OTHERWISE.at(place, message))
    return ByResources(tuple(goals), _window_s(up, 0), _window_s(down, 300))


def _window_s(rules: HPAScalingRules | None, default: int) -> float:
    given = rules.stabilization_window_seconds if rules is not None else None
    return float(default if given is None else max(given, 0))


def _goals(
    subject: _Subject, metrics: Iterable[MetricsSpec], problems: list[Problem]
) -> Iterator[Goal]:
    for index, item in enumerate(metrics):
        where = ("autoScaling", "metrics", index)
        if item.type != "Resource" or item.resource is None:
            message = (
                f"metrics of type {item.type} come from a server that is not asked here; use "
                "Resource, or scaleMetric"
            )
            problems.append(Code.SCALED_OTHERWISE.at(subject.at(*where), message))
            continue
        place = subject.at(*where, "resource", "target")
        goal = _goal(subject, place, item.resource.name, item.resource.target)
        if isinstance(goal, Goal):
            yield goal
        else:
            problems.append(goal)


def _goal_of_target(
    subject: _Subject, resource: str, knobs: Knobs, problems: list[Problem]
) -> Goal | None:
    declared = subject.declared
    if declared.scale_metric_type in ("AverageValue", "Value"):
        message = (
            f"scaleTarget has no unit, so it is no {declared.scale_metric_type}; write "
            "`autoScaling.metrics` with an averageValue"
        )
        problems.append(Code.SCALED_OTHERWISE.at(subject.at("scaleMetricType"), message))
        return None
    percent = declared.scale_target or knobs.target or _DEFAULT_UTILIZATION
    goal = _of_request(subject, resource, float(percent))
    if isinstance(goal, Problem):
        problems.append(goal)
        return None
    return goal


def _goal(subject: _Subject, place: Path, resource: str, target: MetricTarget) -> Goal | Problem:
    kind = target.type
    if kind is None:
        kind = "AverageValue" if target.average_value is not None else "Utilization"
    if kind == "Utilization":
        return _of_request(
            subject, resource, float(target.average_utilization or _DEFAULT_UTILIZATION)
        )
    if kind == "AverageValue" and target.average_value is not None:
        amount = float(number(target.average_value))
        if amount > 0:
            return Goal(resource, amount, str(target.average_value))
    message = "it names nothing that each replica should use; write an averageValue or Utilization"
    return Code.SCALED_OTHERWISE.at(place, message)


def _of_request(subject: _Subject, resource: str, percent: float) -> Goal | Problem:
    request = subject.requests.get(resource)
    amount = float(number(request)) if request is not None else 0.0
    if amount <= 0 or percent <= 0:
        message = (
            f"its use of {resource} is measured by what it requests, and it requests none; add "
            f"{shown(f'resources.requests.{resource}')}, or an averageValue"
        )
        return Code.SCALED_OTHERWISE.at(subject.at("scaleMetric"), message)
    return Goal(resource, amount * percent / 100, f"{percent:g}% of {request}")
