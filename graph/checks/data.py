"""Mappings: expressions that compile, and earlier steps that can have run when they are named.

A step has run before another if some Sequence leads to the one by an earlier step and to the other
by a later one, directly or through nodes. Names are kept as bits of one integer, so that this is
linear in the number of steps however they hang together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from graph.checks.shape import Shape
from graph.checks.steps import is_mapping
from graph.checks.subject import NODES, Subject
from graph.codes import Code
from graph.conditions.condition import Fault
from graph.mapping import Mapping, compile_mapping
from graph.problems import Path, Problem
from graph.spec import RouterType, Step
from graph.wording import Speller, shown


@dataclass(frozen=True, slots=True)
class Use:
    """A mapping where it stands: in a step of a node."""

    at: Path
    node: str
    index: int
    mapping: Mapping


def data(subject: Subject) -> Iterator[Problem]:
    uses: list[Use] = []
    known: dict[str, Mapping | ValueError] = {}
    for name, node in subject.spec.nodes.items():
        for index, step in enumerate(node.steps or ()):
            for field, text in mapping_texts(step):
                at: Path = (*NODES, name, "steps", index, *field)
                mapping = known.get(text)
                if mapping is None:
                    mapping = known[text] = _compiled(text)
                if isinstance(mapping, ValueError):
                    offset = mapping.at if isinstance(mapping, Fault) else None
                    yield Code.BAD_DATA.at(at, str(mapping), offset)
                    continue
                uses.append(Use(at, name, index, mapping))
                for warning in mapping.warnings:
                    yield Code.SUSPICIOUS_DATA.at(at, warning)
                if "response" in mapping.names.roots and (
                    index == 0 or node.router_type is not RouterType.SEQUENCE
                ):
                    message = (
                        "there is no answer before this step, so `response` is null; name the"
                        " request, or steps.NAME.response of an earlier step"
                    )
                    yield Code.SUSPICIOUS_DATA.at(at, message)
    yield from _steps(subject, [use for use in uses if use.mapping.names.steps])


def mapping_texts(step: Step) -> Iterator[tuple[Path, str]]:
    """The expressions of a step, each with its place."""
    if step.respond is None:
        if step.data is not None and is_mapping(step.data):
            yield ("data",), step.data
    elif isinstance(step.respond.body, str) and is_mapping(step.respond.body):
        yield ("respond", "body"), step.respond.body


def _compiled(text: str) -> Mapping | ValueError:
    try:
        return compile_mapping(text)
    except ValueError as error:
        return error


def _steps(subject: Subject, uses: list[Use]) -> Iterator[Problem]:
    """Names of steps that lead nowhere, to several, or to one that has not run."""
    shape = Shape(subject.spec)
    if not uses or shape.cycles:
        return
    wanted = {name for use in uses for name in use.mapping.names.steps}
    places: dict[str, list[str]] = {name: [] for name in wanted}
    for node in subject.spec.nodes:
        for step in subject.spec.nodes[node].steps or () if node in shape.reachable else ():
            if step.name in wanted:
                places[step.name].append(node)
    runs = _Before(subject, shape, sorted(wanted))
    steps = [step for node in subject.spec.nodes.values() for step in node.steps or ()]
    speller = Speller(step.name for step in steps if step.name)
    for use in uses:
        for name in sorted(use.mapping.names.steps):
            found = places[name]
            if not found:
                hint = speller.hint(name) or "; name the step that is meant so"
                yield Code.UNKNOWN_STEP.at(use.at, f"no step is called {shown(name)}{hint}")
            elif len(found) > 1:
                message = (
                    f"several steps are called {shown(name)}, in the nodes"
                    f" {', '.join(map(shown, found[:5]))}; give each a name of its own"
                )
                yield Code.AMBIGUOUS_STEP.at(use.at, message)
            elif not runs.before(use, name):
                message = (
                    f"step {shown(name)} of node {shown(found[0])} has never run when this step"
                    " does; put it earlier in a Sequence that leads to both"
                )
                yield Code.UNKNOWN_STEP.at(use.at, message)


class _Before:
    """Which of some names may have run before a step does."""

    def __init__(self, subject: Subject, shape: Shape, names: list[str]) -> None:
        self._nodes = subject.spec.nodes
        self._bits = {name: 1 << index for index, name in enumerate(names)}
        self._within: dict[str, int] = {}  # names of a node's steps and of all below it
        for node in shape.order:
            self._within[node] = 0
            for step in self._nodes[node].steps or ():
                self._within[node] |= self._covered(step)
        self._at: dict[str, int] = dict.fromkeys(self._nodes, 0)  # run before a node begins
        self._steps: dict[str, list[int]] = {}  # run before each of its steps begins
        for node in reversed(shape.order):
            self._steps[node] = self._descend(node)

    def before(self, use: Use, name: str) -> bool:
        return bool(self._steps[use.node][use.index] & self._bits[name])

    def _descend(self, name: str) -> list[int]:
        node = self._nodes[name]
        run, found = self._at[name], []
        for step in node.steps or ():
            found.append(run)
            if step.node_name in self._at:
                self._at[step.node_name] |= run
            if node.router_type is RouterType.SEQUENCE:
                run |= self._covered(step)
        return found

    def _covered(self, step: Step) -> int:
        below = self._within.get(step.node_name, 0) if step.node_name else 0
        return below | self._bits.get(step.name or "", 0)
