"""JMESPath conditions: an expression matches if its result is true in JMESPath's sense.

What an expression may cost is bounded when it is compiled: its length, its depth, and how often it
can multiply a body (`[@,@]` doubles it); and while it runs, by its steps, for bodies may be long.
Functions and their arguments are counted then too, so that a misspelt one is found by `check` and
not by a request.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.lexer import Lexer
from jmespath.visitor import TreeInterpreter

from graph.conditions.condition import Condition, Fault, Language
from graph.conditions.reasons import untrue
from graph.document import Document

PREFIX: Final = "jmespath:"  # of texts, whose rest is the expression
MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = (
    60  # of the parsed expression; the interpreter takes two stack frames for each level
)
MAX_COST: Final = 500  # times the size of the body; what people write stays below a tenth of it
MAX_STEPS: Final = 200_000  # of one evaluation, some 0.1 s in which the worker does nothing else
_STEPS_IN_ALL: Final = 4 * MAX_STEPS  # of all conditions that look at one body

Node = dict[str, Any]
_COMPARATORS: Final = frozenset(("eq", "ne", "lt", "lte", "gt", "gte"))


class Interpreter(TreeInterpreter):
    """For one evaluation: gives up, as for a wrong type, after so many steps."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        super().__init__()
        self.left = steps
        self._methods: dict[str, Any] = {}

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise JMESPathError(f"it takes more than {MAX_STEPS} steps for a body of this size")
        kind = node["type"]
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(self, f"visit_{kind}")
        return method(node, *args, **kwargs)


class JmesPath(Condition):
    """A compiled expression. Whatever goes wrong while it runs, types above all, is no match."""

    __slots__ = ("_tree",)

    language: Language = "jmespath"

    def __init__(self, text: str, expression: Any, notes: tuple[str, ...]) -> None:
        super().__init__(text, warnings=notes)
        self._tree = expression.parsed

    def matches(self, document: Document) -> bool:
        if not document.parsed:
            return False
        room = min(MAX_STEPS, _STEPS_IN_ALL - document.evaluated)
        interpreter = Interpreter(room)
        try:
            result = interpreter.visit(self._tree, document.value)
        except (
            Exception
        ):  # the library lets TypeError, RecursionError and others out, beside its own
            return False
        finally:
            document.evaluated += room - max(interpreter.left, 0)
        return _true(result)

    def reason(self, document: Document) -> str:
        if not document.parsed:
            return "the body nests too deeply"
        visit = Interpreter().visit
        value = document.value
        try:
            return untrue(self._tree, lambda node: visit(node, value), _true)
        except Exception as error:  # as above
            return f"it fails: {' '.join(str(error).split())}"


def _true(result: object) -> bool:
    """JMESPath: null, false and whatever is empty are false; 0 is true."""
    if isinstance(result, str | list | dict):
        return bool(result)
    return result is not None and result is not False


def compile_jmespath(text: str, expression: str) -> Condition:
    """ValueError for an expression that cannot run, or could run for too long."""
    return JmesPath(text, *compile_expression(expression))


def compile_expression(expression: str) -> tuple[Any, tuple[str, ...]]:
    """For conditions and mappings: what can `search`, with its tree as `parsed`, and warnings."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(
            f"the JMESPath expression is longer than {MAX_LENGTH} characters; shorten it"
        )
    try:
        with warnings.catch_warnings(record=True) as deprecations:
            warnings.simplefilter("always")
            parsed = jmespath.compile(expression)
            notes = [*_double_quotes(expression), *([_BARE_LITERAL] if deprecations else [])]
    except (LexerError, ParseError) as error:
        raise _fault(expression, error) from None
    except JMESPathError as error:
        raise ValueError(f"the JMESPath expression is not valid: {error}; mend it") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    tree: Any = parsed.parsed  # dictionaries; the library's types say no more than "a node"
    if _depth(tree) > MAX_DEPTH:
        raise ValueError(_TOO_DEEP)
    for node in _nodes(tree):
        _check_function(node)
    cost = _Cost()
    cost.output(tree, 1)
    if cost.total > MAX_COST:
        raise ValueError(
            "the JMESPath expression multiplies the body too often ([@,@] doubles it, a literal "
            "list repeats in a projection); take multiselects apart"
        )
    return parsed, tuple(notes)


_BARE_LITERAL: Final = (
    "backticks hold JSON, and what is none counts as text only by an old rule; write '...' for text"
)
_TOO_DEEP: Final = (
    "the JMESPath expression is nested too deeply; take it apart into several branches"
)


def _fault(expression: str, error: LexerError | ParseError) -> Fault:
    if isinstance(error, LexerError):
        position, found = error.lexer_position, error.token_value
        reason = str(error.message)
    else:
        position, found = error.lex_position, error.token_value
        reason = "the expression ends too early" if not found else f"unexpected {found!r}"
    hint = ""
    if found and str(found).lstrip("-").isdigit():
        hint = f"; a number is written in backticks: `{found}`"
    at = position or 0
    where = f"at column {at + 1} of {expression!r}"
    return Fault(f"JMESPath: {reason} {where}{hint or '; mend it'}", len(PREFIX) + at)


def _double_quotes(expression: str) -> Iterator[str]:
    """In JMESPath, as nowhere else, "x" is the field x."""
    before = ""
    for token in Lexer().tokenize(expression):
        if token["type"] == "quoted_identifier" and before in _COMPARATORS:
            name = token["value"]
            yield f"\"{name}\" names a field; for the text write '{name}' (single quotes)"
        before = token["type"]


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _depth(root: Node) -> int:
    depth = 0
    level = [root]
    while level:
        depth += 1
        level = [child for node in level for child in _children(node)]
    return depth


def _children(node: Node) -> list[Node]:
    """Those of a slice are numbers, no nodes."""
    return [] if node["type"] == "slice" else node["children"]


def _check_function(node: Node) -> None:
    if node["type"] != "function_expression":
        return
    name = node["value"]
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        names = ", ".join(sorted(Functions.FUNCTION_TABLE))
        raise ValueError(f"JMESPath has no function {name}(); it has {names}")
    signature = known["signature"]
    given, needed = len(node["children"]), len(signature)
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if given < needed or (given > needed and not variadic):
        least = "at least " if variadic else ""
        raise ValueError(
            f"the JMESPath function {name}() takes {least}{needed} arguments, not {given}"
        )


class _Cost:
    """How large results can get, in bodies: a bound, found by walking the expression once.

    A projection visits each element once, so that what it projects costs as much as one visit of
    the whole; only multiselects and literals make more of what they get.
    """

    def __init__(self) -> None:
        self.total = 0

    def output(self, node: Node, given: int) -> int:
        """The size of a node's result for an input of a given size."""
        children = _children(node)
        match node["type"]:
            case "subexpression" | "pipe" | "projection" | "value_projection" | "index_expression":
                size = given
                for child in children:
                    size = self.output(child, size)
            case "filter_projection":
                size = self.output(children[0], given)
                self.output(children[2], size)
                size = self.output(children[1], size)
            case "multi_select_list" | "multi_select_dict":
                size = sum(self.output(child, given) for child in children)
            case "function_expression":
                size = given
                for child in children:
                    size = max(size, self.output(child, size))
            case "literal":
                size = given * _count(node["value"])
            case _:
                size = max([given, *(self.output(child, given) for child in children)])
        self.total += size
        return size


def _count(value: object) -> int:
    """How many values a literal holds."""
    if isinstance(value, list):
        return 1 + sum(map(_count, value))
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    return 1
