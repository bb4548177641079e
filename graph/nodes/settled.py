"""Which answers of an Ensemble's steps decide its outcome, and from when on that is certain."""

from graph.document import Document
from graph.effects import Answer, Failure, FailureKind
from graph.plan import PlanNode, PlanStep

NOT_JSON = "the answer is not JSON"
NOT_OBJECT = "the answer is not a JSON object"


class Settled:
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
            if ended_by(self._node, self._node.steps[index], answer) is None:
                return False
            self._near = True
        return first_end(self._node, answers) is not None


def first_end(node: PlanNode, answers: list[Answer | None]) -> Answer | None:
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
        elif (end := ended_by(node, step, answer)) is not None:
            if not node.compat or isinstance(end, Failure):
                return end
            if first is None and not waiting:
                first = end
    return first


def ended_by(node: PlanNode, step: PlanStep, answer: Answer) -> Answer | None:
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
