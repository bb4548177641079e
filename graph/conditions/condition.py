"""What a condition is, whatever its language: a compiled text that says yes or no to a body."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from graph.conditions.reasons import NOTHING, no_json
from graph.document import Document

if TYPE_CHECKING:
    from graph.effects import Input, Reply

Language = Literal["gjson", "jmespath", "cel"]


class Fault(ValueError):
    """`at` is the first place that is wrong, as an offset into the condition's text."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


class Condition(ABC):
    """Compiled once, asked for every request, never raises.

    `always_matches_json` is known from the text alone: true for every body that is valid JSON.
    `warnings` tell why the text probably does not mean what its author thinks, each with what to
    write instead.
    """

    __slots__ = ("always_matches_json", "node", "step", "text", "warnings")

    language: Language
    reads_body = True  # it looks into a body; known from the text alone
    needs_caller = False  # it looks at headers, path and the like; the same

    def __init__(self, text: str, *, always: bool = False, warnings: tuple[str, ...] = ()) -> None:
        self.text = text
        self.node = self.step = ""  # where it stands, for decisions; the compiler knows
        self.always_matches_json = always
        self.warnings = warnings

    @abstractmethod
    def matches(self, document: Document) -> bool:
        """Whether the body matches; what is learnt about it stays with the document."""

    def holds(self, body: Document, request: "Input", previous: "Reply | None") -> bool:
        """What nodes ask. `body` is the node's input, `previous` the answer before this step, at
        which a condition looks if there is one.
        """
        return self.matches(body if previous is None else previous.document)

    def why(self, body: Document, request: "Input", previous: "Reply | None") -> str:
        """Why `holds` says no, in a few words. Only explanations ask, after a no."""
        document = body if previous is None else previous.document
        return self.reason(document) if document.valid else no_json(document)

    def reason(self, document: Document) -> str:
        """Why this JSON does not match."""
        return NOTHING

    def __call__(self, subject: "bytes | Document | Input") -> bool:
        """The same for whatever holds a body."""
        if isinstance(subject, bytes):
            return self.matches(Document(subject))
        if isinstance(subject, Document):
            return self.matches(subject)
        return self.holds(subject.payload.document, subject, None)

    def __repr__(self) -> str:
        return f"<{self.language} condition {self.text!r}>"
