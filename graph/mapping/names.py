"""What an expression names of `{request, response, steps, headers}`, found from its tree alone.

So a walk records and converts no more than that, and `check` finds names that lead nowhere. What
cannot be found out, such as `steps.*` or all of `@`, is refused: its author can name it.
"""

from dataclasses import dataclass
from typing import Any, Final

from graph.wording import Speller, shown

Node = dict[str, Any]
ROOTS: Final = ("request", "response", "steps", "headers")
PARTS: Final = ("request", "response", "status")

# Where the current value of an expression is.
_ROOT, _STEPS, _STEP, _HEADERS, _INSIDE = "root", "steps", "step", "headers", "inside"


@dataclass(frozen=True, slots=True)
class Names:
    roots: frozenset[str]
    steps: frozenset[str]
    headers: frozenset[str]


def names_of(tree: Node) -> Names:
    """ValueError, with how to mend it, for what leads nowhere or cannot be told."""
    found = _Finder()
    found.value(tree, _ROOT)
    return Names(frozenset(found.roots), frozenset(found.steps), frozenset(found.headers))


class _Finder:
    def __init__(self) -> None:
        self.roots: set[str] = set()
        self.steps: set[str] = set()
        self.headers: set[str] = set()

    def value(self, node: Node, where: str) -> str:
        """As `visit`, of what leaves the path as a value of its own."""
        after = self.visit(node, where)
        if after == _ROOT:
            raise ValueError(
                "`@` would be all that there is; name what you need: request, response,"
                " steps.NAME.response, headers"
            )
        if after == _STEPS:
            raise ValueError("`steps` alone does not say which; write steps.NAME for each")
        if after == _STEP:
            raise ValueError("a step is not a body; write steps.NAME.response (or request, status)")
        return _INSIDE

    def visit(self, node: Node, where: str) -> str:
        """Where the result of a node is. Trees are shallow: compiling has seen to it."""
        children = node["children"]
        match node["type"]:
            case "field":
                return self._field(node["value"], where)
            case "current" | "identity":
                return where
            case "subexpression" | "pipe" | "index_expression":
                for child in children:
                    where = self.visit(child, where)
                return where
            case "index" | "slice" | "literal":
                if where in (_ROOT, _STEPS) and node["type"] != "literal":
                    raise ValueError(f"{where} is an object and has no index; name a member of it")
                return _INSIDE
            case "projection" | "value_projection" | "filter_projection":
                self.value(children[0], where)
                for child in children[1:]:
                    self.visit(child, _INSIDE)
                return _INSIDE
            case "expref":
                self.visit(children[0], _INSIDE)
                return _INSIDE
            case _:  # functions, comparisons, multiselects and the like: values of each child
                for child in children:
                    self.value(child, where)
                return _INSIDE

    def _field(self, name: str, where: str) -> str:
        if where == _ROOT:
            if name not in ROOTS:
                hint = Speller(ROOTS).hint(name) or (
                    f"; there are {', '.join(ROOTS)}, as in request.{name}"
                )
                raise ValueError(f"nothing is called {shown(name)} here{hint}")
            self.roots.add(name)
            return {"steps": _STEPS, "headers": _HEADERS}.get(name, _INSIDE)
        if where == _STEPS:
            self.steps.add(name)
            return _STEP
        if where == _STEP:
            if name not in PARTS:
                raise ValueError(
                    f"a step has {', '.join(PARTS)}, and no {shown(name)};"
                    f" write .response.{name} for a member of its answer"
                )
            return _INSIDE
        if where == _HEADERS:
            self.headers.add(name)
        return _INSIDE
