"""spec -> every problem of its graph, at once, in the order of these two tables.

One chain for all who ask: the compiler, `graphway check`, hot reload. A fault in a node that no
request can reach is softened to a warning, unless KServe's own admission would refuse it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from graph.checks.combine import combine
from graph.checks.data import data
from graph.checks.ensemble import ensemble
from graph.checks.forward import forward
from graph.checks.headers import headers, patterns
from graph.checks.kserve import kserve as kserve_rules
from graph.checks.names import graph_names, service_names, step_names
from graph.checks.respond import respond
from graph.checks.sequence import sequence
from graph.checks.settings import replicas, timeouts
from graph.checks.shape import Shape, shape_problems
from graph.checks.splitter import splitter
from graph.checks.steps import ignored_fields, some_steps
from graph.checks.subject import NODES, GraphRule, NodeRule, Subject, nodes
from graph.checks.switch import switch
from graph.checks.targets import one_target, urls
from graph.codes import ADMISSION
from graph.problems import Problem, Severity
from graph.spec import GraphSpec, InferenceGraph, RouterType

GRAPH_RULES: tuple[GraphRule, ...] = (
    graph_names,
    shape_problems,  # root, unknown nodes, cycles, unreachable nodes, depth, calls
    data,
    patterns,
    timeouts,
    replicas,
)
NODE_RULES: tuple[NodeRule, ...] = (
    some_steps,
    step_names,
    one_target,
    service_names,
    urls,
    forward,
    headers,
    respond,
    combine,
)
KIND_RULES: dict[RouterType, NodeRule] = {
    RouterType.SEQUENCE: sequence,
    RouterType.SWITCH: switch,
    RouterType.ENSEMBLE: ensemble,
    RouterType.SPLITTER: splitter,
}


def check(graph: InferenceGraph | GraphSpec, *, kserve: bool = False) -> list[Problem]:
    """All problems; paths begin at the manifest's top, for a bare spec too. `kserve` adds what
    would go differently there.
    """
    subject = Subject.of(graph)
    reachable = Shape(subject.spec).reachable
    return [_softened(problem, reachable) for problem in _problems(subject, kserve)]


def _problems(subject: Subject, kserve: bool) -> Iterator[Problem]:
    for rule in GRAPH_RULES:
        yield from rule(subject)
    for node in nodes(subject):
        kind = subject.spec.nodes[node.name].router_type
        rules: tuple[NodeRule, ...] = (
            *NODE_RULES,
            KIND_RULES[kind],
            partial(ignored_fields, kind=kind),
        )
        for node_rule in rules:
            yield from node_rule(node)
    if kserve:
        yield from kserve_rules(subject)


def _softened(problem: Problem, reachable: set[str]) -> Problem:
    path = problem.path
    if (
        problem.severity is Severity.ERROR
        and problem.code not in ADMISSION
        and path[: len(NODES)] == NODES
        and len(path) > len(NODES)
        and path[len(NODES)] not in reachable
    ):
        return replace(problem, severity=Severity.WARNING)
    return problem
