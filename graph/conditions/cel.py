"""CEL conditions: an expression matches if it is true.

It sees `body`, the node's input, and of its caller `headers`, `query`, `path`, `method`, `model`
and `client`; in a Sequence also the answer before it, `response` and `status`. Only what the text
names is looked up and converted; a body is parsed only for a text that names it.

Whatever goes wrong at run time (something is missing, types do not go together, a loop goes round
too often) is no match, and a ConditionError among the decisions. This module, and with it the
library, loads with the first text of this language: a worker without one does not pay for it.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from cel_expr_python import cel

from graph.conditions.cel_cost import Cost, TooDear, Unpattern
from graph.conditions.cel_faults import fault, located, reason
from graph.conditions.cel_names import ANSWER, BODY, CALLER, DYNAMIC, TEXTS, Name, replace
from graph.conditions.cel_seen import Group, Seen
from graph.conditions.cel_tree import Node, TooDeep, Tree
from graph.conditions.cel_values import TOO_LARGE, Unfit
from graph.conditions.condition import Condition, Fault, Language
from graph.conditions.reasons import NOTHING
from graph.document import Document
from graph.effects import Decision, Input, Payload, Reply

PREFIX: Final = "cel:"
MAX_LENGTH: Final = 4096
ERROR: Final = "ConditionError"
_SPELT: Final = ("true", "false")


@cache
def _env(answered: bool) -> Any:
    """What the checker knows of each name."""
    texts = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
    types = dict.fromkeys(CALLER, cel.Type.STRING) | dict.fromkeys(TEXTS, texts)
    types |= dict.fromkeys(DYNAMIC, cel.Type.DYN) | {"status": cel.Type.INT}
    return cel.NewEnv(variables={name: types[name] for name in _bound(answered)})


def _bound(answered: bool) -> tuple[str, ...]:
    return (BODY, *CALLER, *ANSWER) if answered else (BODY, *CALLER)


class Cel(Condition):
    """A compiled expression, what it asks for, and what that may cost."""

    __slots__ = (
        *("_cost", "_group", "_key", "_most", "_names", "_program", "_truth"),
        *("needs_caller", "reads_body"),
    )

    language: Language = "cel"

    def __init__(
        self,
        text: str,
        program: Any,
        truth: bool,
        names: tuple[Name, ...],
        cost: Cost,
        always: bool,
        notes: tuple[str, ...],
    ) -> None:
        super().__init__(text, always=always, warnings=notes)
        self._program = program
        self._truth = truth  # never anything else, but for faults
        self._names = names
        self._key = tuple(name.text for name in names)
        self._cost = cost
        self._most = cost.most
        self._group = Group(names)
        roots = {name.root for name in names}
        self.reads_body = BODY in roots
        self.needs_caller = not roots.isdisjoint(CALLER)

    def matches(self, document: Document) -> bool:
        return self.holds(document, Input(Payload(document, ())), None)

    def holds(self, body: Document, request: Input, previous: Reply | None) -> bool:
        found = self._ask(body, request, previous)
        if type(found) is bool:
            return found
        decision = Decision(self.node, self.step, ERROR, condition=self.text, why=found)
        request.decisions.append(decision)
        return False

    def why(self, body: Document, request: Input, previous: Reply | None) -> str:
        found = self._ask(body, request, previous)
        if isinstance(found, str):
            return found
        assert isinstance(body.seen, Seen)
        return "; ".join(body.seen.shown(body, self._names)) or NOTHING

    def _ask(self, body: Document, request: Input, previous: Reply | None) -> bool | str:
        """Whether it is true, or why that cannot be said."""
        seen = body.seen
        if (
            type(seen) is not Seen
            or seen.caller is not request.caller
            or seen.previous is not previous
        ):
            seen = body.seen = Seen(_env(True), request.caller, previous)
        try:
            bound = seen.bound(body, self._key, self._names, self._group)
            weight = bound.weight
            if weight > self._most and not self._cost.fits(weight, bound.count):
                raise Unfit(TOO_LARGE)
            result = self._program.eval(bound.activation)
        except Unfit as unfit:
            return str(unfit)
        except RuntimeError as error:  # the library's, for loops that go round too often
            return reason(str(error))
        if self._truth:  # to spell it out is the cheapest way to ask, if it is short
            spelt = repr(result)
            if spelt in _SPELT:
                return spelt == "true"
        kind = result.type().name()  # first: to ask a null for its value harms the interpreter
        if kind == "BOOL":
            return bool(result.value())
        if kind == "ERROR":
            return reason(result.value())
        return f"the result is {_kind(kind)}, not true or false"


def _kind(name: str) -> str:
    return name.lower().removesuffix("_type")


def share(conditions: Iterable[Condition | None]) -> None:
    """These are asked of the same body: what is dear to convert is converted once for all."""
    cels = [condition for condition in conditions if isinstance(condition, Cel)]
    names = {name.text: name for condition in cels for name in condition._names}
    group = Group(tuple(names.values()))
    for condition in cels:
        condition._group = group


def compile_cel(text: str, *, answered: bool) -> Cel:
    """`answered`: there may be an answer before it. Fault for what cannot run, or not in bounds."""
    expression = text.removeprefix(PREFIX)
    if len(expression) > MAX_LENGTH:
        raise Fault(f"the CEL expression is longer than {MAX_LENGTH} characters; shorten it")
    if any("\ud800" <= character <= "\udfff" for character in expression):
        raise Fault("CEL: half a surrogate pair is no text; remove it")
    bound = _bound(answered)
    try:
        checked = _env(answered).compile(expression)
    except RuntimeError as error:
        raise fault(expression, str(error), bound, len(PREFIX)) from None
    kind = checked.return_type().name()
    if kind not in ("BOOL", "DYN"):
        words = f"this is {_kind(kind)}, not true or false; compare it with something"
        offset = len(expression) - len(expression.lstrip())
        raise Fault(located(expression, offset, words), len(PREFIX) + offset)
    try:
        tree = Tree.read(checked.serialize())
    except TooDeep:
        raise Fault("CEL: nested too deeply; take it apart into several branches") from None
    for node in tree.root.nodes():
        if (wrong := _wrong(node)) is not None:
            raise _at(node, tree, expression, wrong)
    notes = tuple(_notes(tree))
    names, replaced = replace(tree)
    try:
        cost = Cost(tree, names)
    except TooDear as error:
        raise _at(error.node, tree, expression, _TOO_DEAR) from None
    except Unpattern as error:
        raise _at(error.node, tree, expression, str(error)) from None
    program = _env(True).deserialize(tree.write(replaced))
    always = False
    if not names:
        result = program.eval(_env(True).Activation({}))
        always = result.type().name() == "BOOL" and result.value() is True
        notes = notes if always else (*notes, _NEVER)
    return Cel(text, program, kind == "BOOL", names, cost, always, notes)


_TOO_DEAR: Final = (
    "this could stall all other requests (loops in loops over all of a body, texts or lists that"
    " grow in each round); use exists() instead of filter() and map(), or take it apart"
)
_NEVER: Final = "this never matches, whatever comes; `cel: true` matches always"


def _at(node: Node | None, tree: Tree, expression: str, words: str) -> Fault:
    offset = tree.places.get(node.identity, 0) if node is not None else 0
    return Fault(located(expression, offset, words), len(PREFIX) + offset)


def _wrong(node: Node) -> str | None:
    if node.kind == "loop" and node.name in (BODY, *CALLER, *ANSWER):
        return f"`{node.name}` is bound already; give the variable of the loop another name"
    if node.kind == "struct" and node.name:
        return "messages are not known here; write a map, {'key': value}"
    return None


def _notes(tree: Tree) -> Iterable[str]:
    for node in tree.root.nodes():
        match node:
            case Node(kind="select", parts=[Node(kind="ident", name="headers")]):
                if "_" in node.name:
                    name = node.name.replace("_", "-")
                    yield f"`headers.{node.name}`: did you mean `headers['{name}']`?"
