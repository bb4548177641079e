"""Ensemble: all steps at once on the node's input, answers merged into one JSON object by step.

A Hard step without a 2xx answer decides the outcome and cancels the rest; among several the first
in order does, however the race went. Soft steps always leave something under their key: their JSON
answer, whatever its status, or the error that stands for it. Bodies are spliced as bytes: numbers,
key order and escapes stay as they were.
"""

from functools import partial

import msgspec

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
from graph.nodes.step import Descend, Lowered, call
from graph.plan import PlanNode, PlanStep
from graph.spec import Step

JSON = ((b"content-type", b"application/json"),)
NOT_JSON = "the answer is not JSON"
NOT_OBJECT = "the answer is not a JSON object"


def lower(steps: tuple[Step, ...]) -> Lowered:
    return Lowered((None,) * len(steps))


def run(node: PlanNode, payload: Payload, request: Input, descend: Descend) -> Walk:
    branches: list[Call | Walk] = [
        call(step, payload, request) if step.node is None else descend(step.node, payload, request)
        for step in node.steps
    ]
    answers: list[Answer | None] = yield All(branches, partial(_decided, node))
    for step, answer in zip(node.steps, answers, strict=True):
        if answer is not None and (end := _ends(node, step, answer)) is not None:
            return end
    return Reply(200, JSON, Document(_merge(node, answers)))


def _decided(node: PlanNode, answers: list[Answer | None]) -> bool:
    """Whether the answers so far settle the outcome: a step has ended the node and no Hard one
    before it still may.
    """
    for step, answer in zip(node.steps, answers, strict=True):
        if answer is None:
            if step.hard and not node.compat:
                return False
        elif _ends(node, step, answer) is not None:
            return True
    return False


def _ends(node: PlanNode, step: PlanStep, answer: Answer) -> Answer | None:
    """The outcome of the node because of this step, or None if the step only fills its key."""
    if isinstance(answer, Failure):
        return answer if step.hard or node.compat else None
    if step.hard and not answer.ok:
        return answer
    if node.compat:
        if not _is_object(answer.document):
            return Failure(FailureKind.INVALID_ANSWER, NOT_OBJECT, step.address)
    elif step.hard and not answer.document.spliceable:
        return Failure(FailureKind.INVALID_ANSWER, NOT_JSON, step.address)
    return None


def _is_object(document: Document) -> bool:
    return document.spliceable and document.body.lstrip()[:1] in (b"{", b"n")


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
        return answer.document.body
    return error_body(NOT_JSON)
