"""What a resource may be called."""

import re
from collections.abc import Iterator

from controller.resources.codes import Code
from controller.resources.resource import Resource
from controller.resources.validate.subject import Subject
from graph.problems import Path, Problem
from graph.wording import shown

NAME: Path = ("metadata", "name")
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # KServe's rule for InferenceServices
_SUBDOMAIN = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")  # Kubernetes' rule


def service_name(subject: Subject) -> Iterator[Problem]:
    yield from _matches(subject.service.name, _LABEL)


def dns_name(resource: Resource) -> Iterator[Problem]:
    yield from _matches(resource.name, _SUBDOMAIN)


def _matches(name: str, rule: re.Pattern[str]) -> Iterator[Problem]:
    if not rule.fullmatch(name):
        yield Code.BAD_NAME.at(
            NAME,
            f"{shown(name)} is no name; use lower-case letters, digits and dashes, beginning with "
            "a letter and ending with a letter or digit",
        )
