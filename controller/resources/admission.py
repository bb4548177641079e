"""What happens to an object before it is kept: read, defaulted, asked; KServe's webhooks in one.

Pure: the caller brings what the object was before, what else there is, and the configuration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.resources.config import Config
from controller.resources.defaulting import defaulted
from controller.resources.inferenceservice import InferenceService
from controller.resources.localmodel import AnyLocalModelCache
from controller.resources.parse import parse_object
from controller.resources.resource import Resource
from controller.resources.validate import Surroundings, problems_among, problems_of_change
from graph.problems import Problem, Severity


@dataclass(frozen=True, slots=True)
class Admitted:
    """`resource` is None if it is refused; the problems then say why, else they are warnings."""

    resource: Resource | None
    problems: tuple[Problem, ...]


def admit(
    data: Mapping[str, Any],
    *,
    old: Resource | None = None,
    others: Iterable[Resource] = (),
    config: Config | None = None,
) -> Admitted:
    """Of a kind in the table that is no InferenceGraph: those `graph.compile` asks. `others` are
    all that there is beside it.
    """
    around = [*others]
    resource, problems = parse_object(data, config)
    if resource is not None and isinstance(resource, InferenceService):
        caches = [other for other in around if isinstance(other, AnyLocalModelCache)]
        resource = defaulted(resource, config or Config(), caches)
    if resource is not None:
        problems = [*problems, *problems_among(resource, Surroundings(around))]
        if old is not None:
            problems += problems_of_change(old, resource)
    bad = any(problem.severity is Severity.ERROR for problem in problems)
    return Admitted(None if bad else resource, tuple(problems))
