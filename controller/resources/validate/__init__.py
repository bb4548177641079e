"""What a resource may say and still make no sense: KServe's admission, with every problem at once.

`problems_of` asks the checks of the resource's kind. They see one resource, and nothing around it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from controller.resources.resource import Resource
from controller.resources.validate import inferenceservice, names
from graph.problems import Problem

Check = Callable[[Any], Iterable[Problem]]

_CHECKS: dict[str, tuple[Check, ...]] = {
    "InferenceService": (names.service_name, inferenceservice.implementations),
}
_ALL: tuple[Check, ...] = (names.dns_name,)


def problems_of(resource: Resource) -> list[Problem]:
    checks = _CHECKS.get(resource.kind, _ALL)
    return [problem for check in checks for problem in check(resource)]
