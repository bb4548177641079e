"""What a CEL expression asks for: each path that it names becomes one variable of its own.

`body.user.tier == 'gold' && size(body.instances) > 8` asks for the value of body.user.tier and the
size of body.instances, and needs no more of the body than these. So the names in the tree are
replaced by variables that are exactly that, and only they are looked up and converted.

What is asked for and is not there has no variable: CEL's own rules then say what comes of it.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from graph.conditions.cel_tree import Node, Tree

CALLER: Final = ("headers", "query", "path", "method", "model", "client")
BODY: Final = "body"
ANSWER: Final = ("response", "status")  # of the step before
DYNAMIC: Final = (BODY, "response")
TEXTS: Final = ("headers", "query")  # maps of text to text
ROOTS: Final = (BODY, *CALLER, *ANSWER)

ABSENT: Final = object()
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

How = Literal["value", "has", "size", "in"]
Step = str | int


@dataclass(frozen=True, slots=True)
class Name:
    """`text` is the variable's name and tells it apart. `key` is what has() and in look for."""

    text: str
    how: How
    root: str
    path: tuple[Step, ...]
    key: str = ""

    def of(self, root: Any) -> Any:
        """What the variable holds, given the value of its root; ABSENT if CEL would find a fault.

        A container among the answers is the caller's own: it has to be converted, and never to be
        changed.
        """
        found = root
        for step in self.path:
            if type(step) is str:
                if type(found) is not dict or step not in found:
                    return ABSENT
            elif type(found) is not list or not 0 <= step < len(found):  # type: ignore[operator]
                return ABSENT
            found = found[step]
        if self.how == "value":
            return found
        if self.how == "has":
            return self.key in found if type(found) is dict else ABSENT
        if self.how == "size":
            return len(found) if type(found) in (str, list, dict) else ABSENT
        return self.key in found if type(found) in (list, dict) else ABSENT


def replace(tree: Tree) -> tuple[tuple[Name, ...], set[int]]:
    """The names of a tree, which has variables in their place then, and the nodes that they are."""
    names: dict[str, Name] = {}
    replaced: set[int] = set()
    waiting = [tree.root]
    while waiting:
        node = waiting.pop()
        name = _name(node)
        if name is None:
            waiting.extend(reversed(node.parts))
            continue
        names[name.text] = name
        replaced.update(part.identity for part in node.nodes())
        node.kind, node.name, node.parts = "ident", name.text, []
        node.tests = node.method = False
    return tuple(names.values()), replaced


def _name(node: Node) -> Name | None:
    match node:
        case Node(kind="select", tests=True, parts=[operand]):
            if (place := _place(operand)) is not None:
                key = _spelt(place[0], node.name) if len(place) == 1 else node.name
                return _named("has", place, key)
        case Node(kind="call", name="size", parts=[operand]):
            if (place := _place(operand)) is not None:
                return _named("size", place)
        case Node(kind="call", name="@in", parts=[Node(kind="constant", value=str(key)), operand]):
            if (place := _place(operand)) is not None:
                key = _spelt(place[0], key) if len(place) == 1 else key
                return _named("in", place, key)
        case _:
            if (place := _place(node)) is not None:
                return _named("value", place)
    return None


def _place(node: Node) -> tuple[str, *tuple[Step, ...]] | None:
    """The root and the path, if the node is one of fixed keys and indices."""
    steps: list[Step] = []
    while True:
        match node:
            case Node(kind="select", tests=False, parts=[operand]):
                steps.append(node.name)
            case Node(kind="call", name="_[_]", parts=[operand, Node(kind="constant", value=key)]):
                if type(key) is not str and type(key) is not int:
                    return None
                steps.append(key)
            case Node(kind="ident"):
                root = node.name.removeprefix(".")
                if root not in ROOTS:
                    return None
                if steps and type(steps[-1]) is str:
                    steps[-1] = _spelt(root, steps[-1])
                return (root, *reversed(steps))
            case _:
                return None
        node = operand


def _spelt(root: str, key: str) -> str:
    """Case counts, but in the names of headers."""
    return key.lower() if root == "headers" else key


def missing(text: str) -> str:
    """Of a name without a value, in words."""
    whole = text.endswith(")") or " in " in text
    return f"{text} has no value" if whole else f"{text} is not there"


def _shown(step: Step) -> str:
    plain = isinstance(step, str) and _PLAIN.fullmatch(step)
    return f".{step}" if plain else f"[{step!r}]"


def _named(how: How, place: tuple[str, *tuple[Step, ...]], key: str = "") -> Name:
    root, *path = place
    shown = root + "".join(map(_shown, path))
    text = {
        "value": shown,
        "has": f"has({shown}{_shown(key)})",
        "size": f"size({shown})",
        "in": f"{key!r} in {shown}",
    }[how]
    return Name(text, how, root, tuple(path), key)
