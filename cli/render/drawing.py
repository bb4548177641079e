"""A graph as boxes and lines: what there is to see, before any format or place.

Every node is a box, however many steps lead to it; every step is a line, and the target of a step
that calls somebody is a box of its own. Texts are whole here and on one line; formats shorten them.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from cli.render.measure import one_line
from graph.checks.shape import ROOT, Shape
from graph.compiler import COMPAT_ANNOTATION
from graph.spec import InferenceGraph, Node, RouterType, Step


class Look(StrEnum):
    REQUEST = "request"
    SEQUENCE = "sequence"
    SWITCH = "switch"
    ENSEMBLE = "ensemble"
    SPLITTER = "splitter"
    SERVICE = "service"
    URL = "url"
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
        for start in (ROOT, *self.nodes):  # what nobody reaches comes last
            if start in self.nodes:
                self._meet(start)
            while self.met:
                self._draw(self.met.popleft())
            if start == ROOT and start in self.nodes:
                self.picture.lines.insert(0, Line(request, self.boxes[ROOT]))

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
        notes = [str(node.router_type.value)]
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
            notes=tuple(map(one_line, _line_notes(kind, step))),
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


def _line_notes(kind: RouterType, step: Step) -> list[str]:
    notes = []
    if kind is RouterType.SEQUENCE:
        if step.data == "$response":
            notes.append("$response")
        if step.map_predictions_to_instances:
            notes.append("predictions → instances")
    if step.dependency and kind in (RouterType.SEQUENCE, RouterType.ENSEMBLE):
        notes.append(step.dependency.value)
    return notes


def _leaf(step: Step, reached: bool) -> Box:
    name = one_line(step.name or "")
    if step.service_url is not None:
        look, target = Look.URL, step.service_url
    elif step.service_name is not None:
        look, target = Look.SERVICE, step.service_name
    else:
        look, target = Look.MISSING, "no target"
    target = one_line(target).removeprefix("http://")
    notes = (target,) if name and target != name else ()
    return Box(look, name or target, notes, reached)


def _closing(nodes: dict[str, Node]) -> set[tuple[str, int]]:
    """The steps without which there is no circle. `check` lets circles be where nobody comes."""
    closing: set[tuple[str, int]] = set()
    done: set[str] = set()
    for start in nodes:
        way = {start: enumerate(nodes[start].steps or ())} if start not in done else {}
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
