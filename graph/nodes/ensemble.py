"""Ensemble: all steps at once on the node's input, answers merged into one JSON object by step.

A Hard step without a 2xx answer decides the outcome and cancels the rest; among several the first
in order does, however the race went. Soft steps always leave something under their key: their JSON
answer, whatever its status, or the error that stands for it. Bodies are spliced as bytes: numbers,
key order and escapes stay as they were.
"""

from dataclasses import replace

import msgspec

from graph.chaining import JSON
from graph.document import Document
from graph.effects import (
    All,
    Answer,
    Call,
    Failure,
    FailureKind,
    Input,
    Payload,
    Reply,
    Walk,
    error_body,
)
from graph.nodes.enter import enter
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode, PlanStep
from graph.spec import Step

NOT_JSON = "the answer is not JSON"
NOT_OBJECT = "the answer is not a JSON object"


def lower(steps: tuple[Step, ...]) -> Lowered:
    return Lowered((None,) * len(steps))


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend, tail: bool) -> Walk:
    inputs = _inputs(node, request)
    branches: list[Call | Walk] = [
        enter(step, step.extra, payload, None, given, descend, False)
        if step.extra is not None
        else call(step, payload, given, False)
        if step.node is None
        else descend(step.node, payload, given, False)
        for step, given in zip(node.steps, inputs, strict=True)
    ]
    answers: list[Answer | None] = yield All(branches, _Settled(node))
    if request.steps is not None:
        for given, answer in zip(inputs, answers, strict=True):
            if answer is not None and given.steps is not None:
                request.steps.update(given.steps)
    end = _end(node, answers)
    return Reply(200, JSON, Document(_merge(node, answers))) if end is None else end


def _inputs(node: PlanNode, request: Input) -> list[Input]:
    """Each branch has a record of its own, so that none sees what happens to be done in another."""
    if request.steps is None:
        return [request] * len(node.steps)
    return [replace(request, steps=dict(request.steps)) for _ in node.steps]


class _Settled:
    """Whether the answers so far settle the outcome. Looks at each answer once, and at all of them
    only after one that may end the node.
    """

    __slots__ = ("_near", "_node")

    def __init__(self, node: PlanNode) -> None:
        self._node = node
        self._near = False

    def __call__(self, index: int, answers: list[Answer | None]) -> bool:
        if not self._near:
            answer = answers[index]
            assert answer is not None
            if _ended_by(self._node, self._node.steps[index], answer) is None:
                return False
            self._near = True
        return _end(self._node, answers) is not None


def _end(node: PlanNode, answers: list[Answer | None]) -> Answer | None:
    """The outcome that is certain whatever is still to come; None as long as all may be merged.

    It is that of the first step in order that ends the node, so it is not certain before every Hard
    step ahead of it has answered. KServe's mode has errors too, for any step: the first one to come
    ends the node at once, and so a Hard step's answer waits for all ahead of it.
    """
    first: Answer | None = None
    waiting = False
    for step, answer in zip(node.steps, answers, strict=True):
        if answer is None:
            if node.compat:
                waiting = True
            elif step.hard:
                return None
        elif (end := _ended_by(node, step, answer)) is not None:
            if not node.compat or isinstance(end, Failure):
                return end
            if first is None and not waiting:
                first = end
    return first


def _ended_by(node: PlanNode, step: PlanStep, answer: Answer) -> Answer | None:
    """The outcome of the node because of this step, or None if the step only fills its key."""
    if isinstance(answer, Failure):
        return answer if step.hard or node.compat else None
    if node.compat and not _is_object(answer.document):
        return Failure(FailureKind.INVALID_ANSWER, NOT_OBJECT, step.address)
    if step.hard:
        if not answer.ok:
            return answer
        if not answer.document.spliceable:
            return Failure(FailureKind.INVALID_ANSWER, NOT_JSON, step.address)
    return None


def _is_object(document: Document) -> bool:
    return document.spliceable and document.json.lstrip()[:1] in (b"{", b"n")


def _merge(node: PlanNode, answers: list[Answer | None]) -> bytes:
    # A dict, because two steps may share a key (a step named "1" beside an unnamed second one): the
    # later wins.
    parts = {
        step.key: _body(answer)
        for step, answer in zip(node.steps, answers, strict=True)
        if answer is not None
    }
    return (
        b"{"
        + b",".join(msgspec.json.encode(key) + b":" + part for key, part in parts.items())
        + b"}"
    )


def _body(answer: Answer) -> bytes:
    if isinstance(answer, Failure):
        return error_body(answer.cause)
    if answer.document.spliceable:
        return answer.document.json
    return error_body(NOT_JSON)
