"""What works here and not on KServe: for `check --kserve`, never a reason to refuse a graph."""

from collections.abc import Iterator

from graph.checks.steps import is_mapping
from graph.checks.subject import Subject, nodes
from graph.codes import Code
from graph.problems import Path, Problem
from graph.spec import OUR_FIELDS, Model, RouterType
from graph.wording import shown

OUR_LANGUAGES = ("jmespath:", "cel:")
GRPC = ("grpc:", "grpcs:")
OUR_ANNOTATIONS = "graphway.dev/"


def kserve(subject: Subject) -> Iterator[Problem]:
    for name in subject.annotations:
        if name.startswith(OUR_ANNOTATIONS):
            message = f"KServe keeps {shown(name)} and does nothing with it"
            yield Code.KSERVE_ANNOTATION.at(("metadata", "annotations", name), message)
    yield from _fields(subject.spec, ("spec",))
    for node in nodes(subject):
        kind = subject.spec.nodes[node.name].router_type
        yield from _fields(subject.spec.nodes[node.name], node.path)
        for index, step in enumerate(node.steps):
            yield from _fields(step, node.step_path(index))
            if is_mapping(step.data):
                message = "KServe would feed this step the node's input; use `$response`"
                yield Code.KSERVE_DATA.at(node.step_path(index, "data"), message)
            if not (step.node_name or step.service_name or step.service_url):
                message = "KServe refuses a step without a target; let a service do this"
                yield Code.KSERVE_TARGET.at(node.step_path(index), message)
            at = node.step_path(index, "condition")
            if (step.service_url or "").lower().startswith(GRPC):
                message = "KServe's router calls http and https alone; give the model's REST URL"
                yield Code.KSERVE_URL.at(node.step_path(index, "serviceUrl"), message)
            text = step.condition or ""
            if text.startswith(OUR_LANGUAGES):
                message = "KServe would read this as a GJSON path, which will not match; use GJSON"
                yield Code.KSERVE_CONDITION.at(at, message)
            if text and index == 0 and kind is RouterType.SEQUENCE:
                message = (
                    "KServe answers every request with 500 if the first step of a Sequence has a"
                    " condition; put a Switch there"
                )
                yield Code.KSERVE_FIRST_CONDITION.at(at, message)


def _fields(model: Model, path: Path) -> Iterator[Problem]:
    for name, field in type(model).model_fields.items():
        if field.alias in OUR_FIELDS[type(model)] and getattr(model, name) is not None:
            message = f"KServe's schema does not know {shown(field.alias)}: a cluster drops it"
            yield Code.KSERVE_FIELD.at((*path, field.alias), message)
