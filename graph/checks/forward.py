"""`forward`: what a step passes on of its caller's request line needs somebody who takes it."""

from collections.abc import Iterator

from graph.checks.subject import NodeSubject
from graph.codes import Code
from graph.problems import Problem


def forward(node: NodeSubject) -> Iterator[Problem]:
    for index, step in enumerate(node.steps):
        if step.forward is None:
            continue
        at = node.step_path(index, "forward")
        if step.node_name:
            message = "a node has no path of its own; say `forward` at the steps of that node"
            yield Code.FORWARD_WITHOUT_TARGET.at(at, message)
        elif not step.service_url and not step.service_name:
            message = "the step asks nobody; give it a serviceUrl or a serviceName, or remove it"
            yield Code.FORWARD_WITHOUT_TARGET.at(at, message)
        elif step.map_predictions_to_instances:
            message = (
                "the step gets `instances`, at a path that the caller chose; remove it, or"
                " mapPredictionsToInstances"
            )
            yield Code.FORWARD_MAPPED.at(at, message)
