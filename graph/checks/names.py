"""Names: of the graph and its namespace, of steps within a node, of services."""

import re
from collections.abc import Iterator

from graph.checks.subject import NodeSubject, Subject
from graph.codes import Code
from graph.problems import Path, Problem
from graph.wording import shown

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # KServe's, for graphs and services
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
MAX_LABEL = 63  # RFC 1123: a graph and a service become a part of a host name
_NAME_RULE = "lower-case letters, digits and `-`, beginning with a letter, no `-` at the end"


def graph_names(subject: Subject) -> Iterator[Problem]:
    if subject.name is None:
        return
    at: Path = ("metadata", "name")
    if not _NAME.fullmatch(subject.name):
        yield Code.GRAPH_NAME.at(at, f"{shown(subject.name)} is no name of a graph: {_NAME_RULE}")
    elif len(subject.name) > MAX_LABEL:
        message = f"no Service or host name holds more than {MAX_LABEL} characters; shorten it"
        yield Code.NAME_LENGTH.at(at, message)
    namespace = subject.namespace
    if not _NAMESPACE.fullmatch(namespace) or len(namespace) > MAX_LABEL:
        message = f"{shown(namespace)} is no namespace: lower-case letters, digits and `-`"
        yield Code.NAMESPACE_NAME.at(("metadata", "namespace"), message)


def step_names(node: NodeSubject) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, step in enumerate(node.steps):
        if step.name and first.setdefault(step.name, index) != index:
            message = (
                f"step {first[step.name]} of this node is called {shown(step.name)} too;"
                " give each a name of its own"
            )
            yield Code.DUPLICATE_STEP_NAME.at(node.step_path(index, "name"), message)


def service_names(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        name = step.service_name
        if name and not (len(name) <= MAX_LABEL and _NAME.fullmatch(name)):
            message = f"no InferenceService can be called {shown(name)}: {_NAME_RULE}"
            if "." in name:
                message = (
                    f"{shown(name)} is no service name; KServe looks in the graph's own namespace,"
                    " so name the service alone, or write a serviceUrl"
                )
            yield Code.SERVICE_NAME.at(node.step_path(index, "serviceName"), message)
