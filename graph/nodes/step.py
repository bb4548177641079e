"""What all kinds of nodes share: the call of a leaf step, and the shapes of their two functions."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.conditions import Condition
from graph.effects import Call, Input, Payload, Walk
from graph.plan import PlanNode, PlanStep

Descend = Callable[[PlanNode, Payload, Input], Walk]
Run = Callable[[PlanNode, Payload, Input, Descend], Walk]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a kind reads of its steps; the compiler fills in the rest."""

    conditions: tuple[Condition | None, ...]
    cumulative: tuple[int, ...] = ()
    reads_body: bool = False


def call(step: PlanStep, payload: Payload, request: Input) -> Call:
    """POST this payload to the step's target. The step must be a leaf."""
    assert step.target is not None
    return Call(
        step.address,
        step.target,
        payload.headers + request.propagated,
        payload.document.body,
        step.timeout_s,
        request.seed,
    )
