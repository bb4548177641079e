"""What a walk tells of itself when somebody has asked why: in order, what it tested and drew.

An Input without a `trace` costs a walk one look; with one, every tested condition says why it does
not match, which may cost more than the test did: live requests bound it. Calls are no matter of the
walk: whoever drives it adds them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph.conditions import Condition
    from graph.document import Document
    from graph.effects import Input, Reply
    from graph.plan import PlanNode, PlanStep


UNTOLD = "why would take too long to find out here; `graphway explain request` does"


@dataclass(frozen=True, slots=True)
class Checked:
    """A condition of a step, and whether it let the request through."""

    address: str  # graph/node/step
    condition: str
    matched: bool
    why: str  # not; empty if it matched


@dataclass(frozen=True, slots=True)
class Drawn:
    """A Splitter's choice."""

    address: str  # graph/node
    step: str
    point: float
    weights: tuple[tuple[str, int], ...]  # of all its steps


@dataclass(frozen=True, slots=True)
class Answered:
    """A step that asked nobody, and its answer."""

    address: str  # graph/node/step
    answer: "Reply"


@dataclass(frozen=True, slots=True)
class Partial:
    """An Ensemble's answer lacks these steps."""

    address: str  # graph/node
    without: tuple[str, ...]


class Trace:
    """`events` are these, and those that the driver adds, in the order in which they came."""

    __slots__ = ("_room", "events")

    def __init__(self, room: int | None = None) -> None:
        """`room`: bytes of bodies that may be searched for reasons, each as often as it is."""
        self.events: list[Any] = []
        self._room = room

    def tested(
        self,
        step: "PlanStep",
        condition: "Condition",
        matched: bool,
        body: "Document",
        request: "Input",
        previous: "Reply | None",
    ) -> None:
        why = "" if matched else self._why(condition, body, request, previous)
        self.events.append(Checked(step.address, condition.text, matched, why))

    def _why(
        self, condition: "Condition", body: "Document", request: "Input", previous: "Reply | None"
    ) -> str:
        if self._room is not None:
            self._room -= len(body.json) + (len(previous.document.json) if previous else 0)
            if self._room < 0:
                return UNTOLD
        return condition.why(body, request, previous)

    def drawn(self, node: "PlanNode", step: "PlanStep", point: float) -> None:
        before = (0, *node.cumulative)
        weights = tuple(
            (each.key, upto - after)
            for each, upto, after in zip(node.steps, node.cumulative, before, strict=False)
        )
        self.events.append(Drawn(node.address, step.key, point, weights))

    def answered(self, step: "PlanStep", answer: "Reply") -> None:
        self.events.append(Answered(step.address, answer))

    def partial(self, node: "PlanNode", without: list[str]) -> None:
        self.events.append(Partial(node.address, tuple(without)))
