"""The compiled form of one `data: "jmespath: EXPRESSION"`."""

from graph.conditions.jmespath import PREFIX, compile_expression
from graph.document import Document
from graph.effects import Failure, FailureKind
from graph.mapping.build import NULL, builder_of
from graph.mapping.names import names_of
from graph.mapping.scope import Scope, Unusable
from graph.wording import shown

__all__ = ["PREFIX", "Mapping", "compile_mapping"]


class Mapping:
    """`names` are what it looks at, `warnings` why it probably does not mean what its author
    thinks.
    """

    __slots__ = ("_builder", "names", "text", "warnings")

    def __init__(self, text: str) -> None:
        expression = text.removeprefix(PREFIX)
        parsed, warnings = compile_expression(expression)
        self.text = text
        self.names = names_of(parsed.parsed)
        self.warnings = (*warnings, *_misspelt(self.names.headers))
        self._builder = builder_of(parsed.parsed, self.names)

    def document(self, scope: Scope, address: str, field: str = "data") -> Document | Failure:
        """The body that it makes. `address` and `field` are for the words of a failure."""
        try:
            body = self._builder.build(scope)
        except Unusable as error:
            reason = str(error)
        except RecursionError:
            reason = "what it works on is nested too deeply"
        else:
            if body != NULL:
                return Document(body)
            reason = "the result is null, and a body is needed"
        step = address.split("/", 2)[2]
        cause = f"{field} of step {step}: {reason}, in {shown(self.text)}"
        return Failure(FailureKind.MAPPING, cause, address)

    def __repr__(self) -> str:
        return f"<mapping {self.text!r}>"


def compile_mapping(text: str) -> Mapping:
    """ValueError says what is wrong with the text and how to mend it."""
    return Mapping(text)


def _misspelt(headers: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        f'names of headers are in lower case here; write headers."{name.lower()}"'
        for name in sorted(headers)
        if name != name.lower()
    )
