"""Ensembles that say how many answers they need, how long they wait, or what is made of answers.

An answer outside 2xx, and none, is a failure; those of Soft steps are left out, that of a Hard step
is the outcome. As soon as `quorum` steps have succeeded and all Hard ones have answered (or, for
`combine: first`, as soon as one has), the rest is cancelled; so it is when too few are left to make
it, and when `deadlineSeconds` are over.
"""

from graph.combine import Given, Uncombinable, combine
from graph.effects import Answer, Decision, Failure, FailureKind, Input, Reply
from graph.nodes.settled import ended_by, first_end
from graph.plan import Joining, PlanNode
from graph.spec import Combine

MEANWHILE = "the others were enough"
UNHEARD = "no answer was waited for"


class Enough:
    """Whether the answers so far settle the outcome."""

    __slots__ = ("_bad", "_good", "_hard", "_joining", "_near", "_node")

    def __init__(self, node: PlanNode, joining: Joining) -> None:
        self._node = node
        self._joining = joining
        self._good = self._bad = 0
        self._hard = sum(step.hard for step in node.steps)  # that have not answered
        self._near = False

    def __call__(self, index: int, answers: list[Answer | None]) -> bool:
        answer, step = answers[index], self._node.steps[index]
        assert answer is not None
        self._hard -= step.hard
        if _good(answer):
            self._good += 1
        else:
            self._bad += 1
        self._near = self._near or ended_by(self._node, step, answer) is not None
        if self._near and first_end(self._node, answers) is not None:
            return True
        needed = self._joining.needed
        if needed is None:
            return False
        if self._good >= needed:
            return self._hard == 0 or self._joining.combine is Combine.FIRST
        return len(answers) - self._bad < needed


def joined(
    node: PlanNode, joining: Joining, answers: list[Answer | None], request: Input
) -> tuple[Answer | None, list[str | None]]:
    """The outcome, and for each step why it is left out. No outcome: the answers that are not left
    out, and the reasons, go under the keys of the steps.
    """
    end = first_end(node, answers)
    if end is not None:
        return end, []
    good = [answer is not None and _good(answer) for answer in answers]
    enough = joining.needed is not None and sum(good) >= joining.needed
    late = f"no answer within {joining.deadline_s:g} s" if joining.deadline_s else UNHEARD
    reasons = [
        None if fine else _reason(answer, MEANWHILE if enough else late)
        for fine, answer in zip(good, answers, strict=True)
    ]
    if joining.combine is Combine.FIRST and enough:
        return answers[good.index(True)], []
    if joining.quorum and not enough:
        return _too_few(node, joining.quorum, sum(good), answers, reasons), []
    for step, answer in zip(node.steps, answers, strict=True):
        if step.hard and answer is None:
            return Failure(FailureKind.TIMEOUT, late, step.address), []
    if not any(good):
        if None in answers:
            return _too_few(node, 1, 0, answers, reasons), []
        if joining.combine is not None:
            return answers[0], []
    left_out = [s.key for s, reason in zip(node.steps, reasons, strict=True) if reason is not None]
    if left_out:
        request.decisions.append(Decision(node.address, ", ".join(left_out), "Partial"))
        if request.trace is not None:
            request.trace.partial(node, left_out)
    if joining.combine is None:
        return None, reasons
    return _combined(node, joining, joining.combine, answers, good), []


def _combined(
    node: PlanNode, joining: Joining, how: Combine, answers: list[Answer | None], good: list[bool]
) -> Answer:
    given = [
        Given(step.key, answer.document, weight)
        for step, answer, weight, fine in zip(
            node.steps, answers, joining.weights, good, strict=True
        )
        if fine and isinstance(answer, Reply)
    ]
    try:
        document, headers = combine(how, given, node.address.split("/", 2)[1])
    except Uncombinable as error:
        return Failure(FailureKind.INVALID_ANSWER, f"{how.value}: {error}", node.address)
    return Reply(200, headers, document)


def _good(answer: Answer) -> bool:
    return isinstance(answer, Reply) and answer.ok


def _reason(answer: Answer | None, missing: str) -> str:
    if answer is None:
        return missing
    return answer.cause if isinstance(answer, Failure) else f"answered {answer.status}"


def _too_few(
    node: PlanNode,
    needed: int,
    good: int,
    answers: list[Answer | None],
    reasons: list[str | None],
) -> Failure:
    late = (FailureKind.TIMEOUT, FailureKind.DEADLINE)
    timed_out = all(
        answer is None or _good(answer) or (isinstance(answer, Failure) and answer.kind in late)
        for answer in answers
    )
    why = "; ".join(
        f"{step.key}: {reason}"
        for step, reason in zip(node.steps[:20], reasons, strict=False)
        if reason
    )
    return Failure(
        FailureKind.TIMEOUT if timed_out else FailureKind.NO_QUORUM,
        f"{good} of {len(answers)} steps succeeded, and {needed} must: {why}",
        node.address,
    )
