"""What all kinds of nodes share: the call of a leaf step, and the shapes of their two functions."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.conditions import Condition
from graph.effects import Call, Input, Payload, Walk
from graph.plan import PlanNode, PlanStep

# The last argument says that the answer is the outcome as it is: nobody looks into it.
Descend = Callable[[PlanNode, Payload, Input, bool], Walk]
Run = Callable[[PlanNode, Payload, Input, Descend, bool], Walk]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What a kind reads of its steps; the compiler fills in the rest."""

    conditions: tuple[Condition | None, ...]
    cumulative: tuple[int, ...] = ()
    reads_body: bool = False  # the node itself looks into its input
    # The steps of which one gets the node's input, once and unread, so that it may be a stream;
    # None if the input is looked into or goes to several.
    passes: tuple[int, ...] | None = None


def call(step: PlanStep, payload: Payload, request: Input, tail: bool) -> Call:
    """POST this payload to the step's target. The step must be a leaf; `tail` says that its answer
    is the outcome of the walk.
    """
    assert step.target is not None
    return Call(
        step.address,
        step.target,
        payload.headers + request.propagated,
        payload.document.body,
        step.timeout_s,
        request.seed,
        stream=tail,
        upload=payload.stream,
    )
