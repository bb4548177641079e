"""What is checked: a spec with the names around it, and questions that several rules ask of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from graph.conditions import Condition
from graph.conditions import compile as compile_condition
from graph.problems import Path, Problem
from graph.spec import GraphSpec, InferenceGraph, Node, Step

NODES: Path = ("spec", "nodes")


@dataclass(slots=True)
class Conditions:
    """Compiles each text once, however many steps share it. ValueErrors are answers. `answered`:
    the condition comes after an answer.
    """

    _known: dict[tuple[str, bool], Condition | ValueError] = field(default_factory=dict)

    def __call__(self, text: str, *, answered: bool = False) -> Condition | ValueError:
        found = self._known.get((text, answered))
        if found is None:
            try:
                found = compile_condition(text, answered=answered)
            except ValueError as error:
                found = error
            self._known[text, answered] = found
        return found


@dataclass(frozen=True, slots=True)
class Subject:
    """`name` is None for a bare spec, which has no manifest around it."""

    spec: GraphSpec
    name: str | None = None
    namespace: str = "default"
    annotations: Mapping[str, str] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)

    @classmethod
    def of(cls, graph: InferenceGraph | GraphSpec) -> "Subject":
        if isinstance(graph, GraphSpec):
            return cls(graph)
        metadata = graph.metadata
        return cls(graph.spec, metadata.name, graph.namespace, metadata.annotations or {})


@dataclass(frozen=True, slots=True)
class NodeSubject:
    """One node: where it stands and its steps."""

    path: Path
    name: str
    steps: tuple[Step, ...]
    conditions: Conditions
    node: Node

    def step_path(self, index: int, *field: str) -> Path:
        return (*self.path, "steps", index, *field)


GraphRule = Callable[[Subject], Iterable[Problem]]
NodeRule = Callable[[NodeSubject], Iterable[Problem]]


def nodes(subject: Subject) -> Iterator[NodeSubject]:
    for name, node in subject.spec.nodes.items():
        yield NodeSubject((*NODES, name), name, node.steps or (), subject.conditions, node)
