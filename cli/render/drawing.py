"""A graph as boxes and lines: what there is to see, before any format or place.

Every node is a box, however many steps lead to it; every step is a line, and the target of a step
that calls somebody is a box of its own. Texts are whole here and on one line; formats shorten them.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from cli.render.measure import one_line
from graph.checks.shape import ROOT, Shape
from graph.compiler import COMPAT_ANNOTATION
from graph.spec import Combine, InferenceGraph, Node, RouterType, Step
from router.explained import SECRET


class Look(StrEnum):
    REQUEST = "request"
    SEQUENCE = "sequence"
    SWITCH = "switch"
    ENSEMBLE = "ensemble"
    SPLITTER = "splitter"
    SERVICE = "service"
    URL = "url"
    RESPOND = "respond"  # an answer without asking anybody
    TRANSFORM = "transform"  # the data made anew, and nobody asked either
    MISSING = "missing"  # a node that is named and not there
    BACK = "back"  # a node that is drawn already, and leads here: a circle that nobody reaches


@dataclass(frozen=True, slots=True)
class Box:
    look: Look
    title: str
    notes: tuple[str, ...] = ()  # each a line below the title
    reached: bool = True

    @property
    def is_node(self) -> bool:
        return self.look.value in _KINDS


@dataclass(frozen=True, slots=True)
class Line:
    """One step, from the box of its node to its target. `source` and `target` index the boxes."""

    source: int
    target: int
    order: int | None = None  # Sequence: from 1
    share: int | None = None  # Splitter: percent
    name: str = ""  # of a step that leads to a node, where it says more than the node's name
    condition: str = ""
    notes: tuple[str, ...] = ()
    reached: bool = True


@dataclass(slots=True)
class Picture:
    """`boxes` begin with the request, whose only line leads to the root; lines of one box are in
    the order of its steps.
    """

    title: str
    facts: tuple[str, ...]
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


_KINDS = frozenset(kind.value.lower() for kind in RouterType)
_NOT_REACHED = "no request gets here"


def draw(graph: InferenceGraph) -> Picture:
    """Of any spec that parses: what the check finds wrong is drawn as far as it can be."""
    picture = Picture(one_line(graph.key), tuple(map(one_line, _facts(graph))))
    _Drawing(graph, picture).draw()
    return picture


def _facts(graph: InferenceGraph) -> list[str]:
    spec = graph.spec
    facts = []
    if spec.timeout:
        facts.append(f"answers within {spec.timeout} s")
    if spec.router_timeouts and spec.router_timeouts.service_client:
        facts.append(f"a call takes {spec.router_timeouts.service_client} s at most")
    if spec.propagate_headers:
        facts.append(f"passes on the headers {', '.join(spec.propagate_headers)}")
    if (graph.metadata.annotations or {}).get(COMPAT_ANNOTATION) == "kserve":
        facts.append("outcomes as KServe's")
    return facts


class _Drawing:
    def __init__(self, graph: InferenceGraph, picture: Picture) -> None:
        self.nodes = graph.spec.nodes
        self.picture = picture
        self.reachable = Shape(graph.spec).reachable if ROOT in self.nodes else set()
        self.closing = _closing(graph.spec.nodes)
        self.boxes: dict[str, int] = {}
        self.met: deque[str] = deque()  # nodes with a box whose steps are not drawn yet

    def draw(self) -> None:
        request = self._box(Box(Look.REQUEST, "request"))
        if ROOT in self.nodes:
            self.picture.lines.append(Line(request, self._meet(ROOT)))
        for name in (*self.boxes, *self.nodes):  # what nobody reaches comes last
            self._meet(name)
            while self.met:
                self._draw(self.met.popleft())

    def _draw(self, name: str) -> None:
        for index, step in enumerate(self.nodes[name].steps or ()):
            self.picture.lines.append(self._line(name, index, step))

    def _meet(self, name: str) -> int:
        """The box of a node, which waits to be drawn if it is new."""
        if name not in self.boxes:
            self.boxes[name] = self._box(self._node(name, self.nodes[name]))
            self.met.append(name)
        return self.boxes[name]

    def _box(self, box: Box) -> int:
        self.picture.boxes.append(box)
        return len(self.picture.boxes) - 1

    def _node(self, name: str, node: Node) -> Box:
        reached = name in self.reachable
        notes = [node.router_type.value, *_combination(node)]
        if not reached:
            notes.append(_NOT_REACHED)
        return Box(Look(node.router_type.value.lower()), one_line(name), tuple(notes), reached)

    def _line(self, name: str, index: int, step: Step) -> Line:
        kind = self.nodes[name].router_type
        step_name = one_line(step.name or "")
        to_node = step.node_name is not None
        return Line(
            self.boxes[name],
            self._target(name, index, step),
            order=index + 1 if kind is RouterType.SEQUENCE else None,
            share=step.weight or 0 if kind is RouterType.SPLITTER else None,
            name=step_name if to_node and step_name != one_line(step.node_name or "") else "",
            condition=one_line(step.condition or "") if kind in _CONDITIONAL else "",
            notes=tuple(map(one_line, _line_notes(self.nodes[name], step))),
            reached=name in self.reachable,
        )

    def _target(self, name: str, index: int, step: Step) -> int:
        reached = name in self.reachable
        if step.node_name is not None:
            node = one_line(step.node_name)
            if step.node_name not in self.nodes:
                return self._box(Box(Look.MISSING, node, ("there is no such node",), reached))
            if (name, index) in self.closing:
                return self._box(Box(Look.BACK, node, ("back to it: a circle",), reached))
            return self._meet(step.node_name)
        return self._box(_leaf(step, reached))


_CONDITIONAL = (RouterType.SWITCH, RouterType.SEQUENCE)
_MANY = (RouterType.SEQUENCE, RouterType.ENSEMBLE)  # kinds of which several steps run
_EXPRESSION = "jmespath:"


def _combination(node: Node) -> list[str]:
    """What an Ensemble makes of its answers, where that is not the usual."""
    said = []
    if node.combine is not None:
        said.append(f"answer: {_COMBINED[node.combine]}")
    if node.quorum is not None:
        said.append(f"{node.quorum} answers are enough")
    if node.deadline_seconds is not None:
        said.append(f"after {node.deadline_seconds:g} s with what is there")
    return said


_COMBINED = {
    Combine.MEAN: "the mean",
    Combine.WEIGHTED_MEAN: "the weighted mean",
    Combine.VOTE: "what most say",
    Combine.FIRST: "the first good one",
    Combine.CONCAT: "all in a row",
}


def _line_notes(node: Node, step: Step) -> list[str]:
    notes = ["method and path of the caller"] if step.forward else []
    kind = node.router_type
    if kind is RouterType.ENSEMBLE and step.weight is not None:
        notes.append(f"weight {step.weight}")
    data = step.data or ""
    if data.startswith(_EXPRESSION):
        if not _is_transform(step):
            notes.append(f"data: {data.removeprefix(_EXPRESSION).strip()}")
    elif kind is RouterType.SEQUENCE and data == "$response":
        notes.append(data)
    if kind is RouterType.SEQUENCE and step.map_predictions_to_instances:
        notes.append("predictions → instances")
    if step.dependency and kind in _MANY:
        notes.append(step.dependency.value)
    return notes + _header_notes(step)


def _header_notes(step: Step) -> list[str]:
    headers = step.headers
    if headers is None:
        return []
    said = {
        "sets": ", ".join(
            name if name.lower().encode() in SECRET else f"{name}: {value}"
            for name, value in (headers.set_ or {}).items()
        ),
        "removes": ", ".join(headers.remove or ()),
        "copies": ", ".join(headers.copy_ or ()),
    }
    return [f"{word} {names}" for word, names in said.items() if names]


def _is_transform(step: Step) -> bool:
    asks = step.node_name or step.service_name or step.service_url or step.respond
    return bool(step.data) and not asks


def _leaf(step: Step, reached: bool) -> Box:
    name = one_line(step.name or "")
    notes: list[str] = []
    if step.respond is not None:
        look, target = Look.RESPOND, f"answer {step.respond.status}"
        body = step.respond.body
        if body is not None:
            notes.append(body if isinstance(body, str) else json.dumps(body, ensure_ascii=False))
    elif step.service_url is not None:
        look, target = Look.URL, step.service_url.removeprefix("http://")
    elif step.service_name is not None:
        look, target = Look.SERVICE, step.service_name
    elif _is_transform(step):
        look, target = Look.TRANSFORM, (step.data or "").removeprefix(_EXPRESSION).strip()
    else:
        look, target = Look.MISSING, "no target"
    target = one_line(target)
    if name and target != name:
        notes.insert(0, target)
    return Box(look, name or target, tuple(map(one_line, notes)), reached)


def _closing(nodes: dict[str, Node]) -> set[tuple[str, int]]:
    """The steps without which there is no circle. `check` lets circles be where nobody comes."""
    closing: set[tuple[str, int]] = set()
    done: set[str] = set()
    for start, first in nodes.items():
        way = {} if start in done else {start: enumerate(first.steps or ())}
        while way:
            name, steps = next(reversed(way.items()))
            for index, step in steps:
                child = step.node_name
                if child in way:
                    closing.add((name, index))
                elif child in nodes and child not in done:
                    way[child] = enumerate(nodes[child].steps or ())
                    break
            else:
                done.add(name)
                del way[name]
    return closing
