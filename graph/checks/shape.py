"""How nodes hang together: the root, unknown names, cycles, what no request reaches, and size.

Everything is linear in the number of steps and nothing recurses: a manifest of 10,000 nodes in a
row is a problem to report, not a stack to overflow.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from graph.checks.subject import NODES, Subject
from graph.codes import Code
from graph.problems import Problem
from graph.spec import GraphSpec, RouterType
from graph.wording import Speller, shown, trail

ROOT = "root"
MAX_DEPTH = 256  # a walk nests a generator a level, and Python stops at a thousand frames
MAX_CALLS = 10_000  # of one request
MAX_CYCLES = 100  # reported; each may be as long as the graph
_CHOOSE_ONE = (RouterType.SWITCH, RouterType.SPLITTER)
_UNCOUNTABLE = 10**15  # stands for every larger number: diamonds double it at each level


class Cycle(NamedTuple):
    """Each node leads to the next, and step `closing` of the last to the first."""

    nodes: list[str]
    closing: int


class Shape:
    """The edges between known nodes, and what follows from them."""

    def __init__(self, spec: GraphSpec) -> None:
        self.nodes = spec.nodes
        self.edges: dict[str, list[tuple[int, str]]] = {
            name: [
                (index, step.node_name)
                for index, step in enumerate(node.steps or ())
                if step.node_name and step.node_name in spec.nodes
            ]
            for name, node in spec.nodes.items()
        }

    @cached_property
    def reachable(self) -> set[str]:
        """Nodes that a request can come to; all of them if there is no root to begin at."""
        if ROOT not in self.nodes:
            return set(self.nodes)
        found, waiting = {ROOT}, [ROOT]
        while waiting:
            for _, child in self.edges[waiting.pop()]:
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    @cached_property
    def _search(self) -> tuple[list[str], list[Cycle]]:
        """Depth first from the root, then from what it leaves out: every node after those that it
        leads to, and the steps that close a cycle.
        """
        order: list[str] = []
        cycles: list[Cycle] = []
        done: set[str] = set()
        for start in (ROOT, *self.nodes):
            if start in done or start not in self.nodes:
                continue
            way, depth = [start], {start: 0}  # where we are, and each node's index in it
            edges = [iter(self.edges[start])]
            while way:
                for index, child in edges[-1]:
                    if child in depth:
                        if len(cycles) < MAX_CYCLES:
                            cycles.append(Cycle(way[depth[child] :], index))
                    elif child not in done:
                        depth[child] = len(way)
                        way.append(child)
                        edges.append(iter(self.edges[child]))
                        break
                else:
                    edges.pop()
                    done.add(name := way.pop())
                    del depth[name]
                    order.append(name)
        return order, cycles

    @property
    def order(self) -> list[str]:
        """Children before parents, if there is no cycle."""
        return self._search[0]

    @property
    def cycles(self) -> list[Cycle]:
        """One for each step that closes a cycle: without these steps there is none."""
        return self._search[1]


def shape_problems(subject: Subject) -> Iterable[Problem]:
    shape = Shape(subject.spec)
    yield from _root(shape)
    yield from _unknown_nodes(subject.spec)
    yield from _cycles(shape)
    yield from _unreachable(shape)
    yield from _size(shape)


def _root(shape: Shape) -> Iterator[Problem]:
    if ROOT not in shape.nodes:
        near = Speller(shape.nodes).nearest(ROOT)
        hint = f"rename {shown(near)} to it" if near else "a graph begins there, so add it"
        yield Code.MISSING_ROOT.at(NODES, f"there is no node {shown(ROOT)}; {hint}")


def _unknown_nodes(spec: GraphSpec) -> Iterator[Problem]:
    speller = Speller(spec.nodes)
    for name, node in spec.nodes.items():
        for index, step in enumerate(node.steps or ()):
            target = step.node_name
            if target and target not in spec.nodes:
                mend = speller.hint(target) or "; add it, or name another"
                message = f"there is no node {shown(target)}{mend}"
                yield Code.UNKNOWN_NODE.at((*NODES, name, "steps", index, "nodeName"), message)


def _cycles(shape: Shape) -> Iterator[Problem]:
    for names, closing in shape.cycles:
        message = (
            f"a request could go round for ever: {trail([*names, names[0]])};"
            " lead one of these steps elsewhere"
        )
        yield Code.CYCLE.at((*NODES, names[-1], "steps", closing, "nodeName"), message)


def _unreachable(shape: Shape) -> Iterator[Problem]:
    for name in shape.nodes:
        if name not in shape.reachable:
            message = f"no step on the way from root leads to {shown(name)}; lead one, or remove it"
            yield Code.UNREACHABLE_NODE.at((*NODES, name), message)


def _size(shape: Shape) -> Iterator[Problem]:
    """Of a graph without cycles: the longest way down, and the most calls of one request."""
    if ROOT not in shape.nodes or any(cycle.nodes[0] in shape.reachable for cycle in shape.cycles):
        return
    depth: dict[str, int] = {}
    calls: dict[str, int] = {}
    deepest: dict[str, str] = {}
    for name in shape.order:
        children = [child for _, child in shape.edges[name] if child in depth]
        below = max(children, key=depth.__getitem__, default=None)
        depth[name] = 1
        if below is not None:
            depth[name], deepest[name] = depth[below] + 1, below
        node = shape.nodes[name]
        leaves = sum(1 for step in node.steps or () if not step.node_name)
        if node.router_type in _CHOOSE_ONE:
            calls[name] = max((min(leaves, 1), *(calls[child] for child in children)))
        else:
            total = leaves + sum(calls[child] for child in children)
            calls[name] = min(total, _UNCOUNTABLE)
    if depth[ROOT] > MAX_DEPTH:
        way = [ROOT]
        while way[-1] in deepest:
            way.append(deepest[way[-1]])
        message = (
            f"nodes nest {depth[ROOT]:,} deep ({trail(way)}), and {MAX_DEPTH} is the most;"
            " put steps of a Sequence side by side"
        )
        yield Code.TOO_DEEP.at((*NODES, ROOT), message)
    if calls[ROOT] > MAX_CALLS:
        many = f"{calls[ROOT]:,}" if calls[ROOT] < _UNCOUNTABLE else "countless"
        message = (
            f"one request could make {many} calls, and {MAX_CALLS:,} is the most;"
            " let fewer steps lead to the same nodes"
        )
        yield Code.TOO_MANY_CALLS.at((*NODES, ROOT), message)
