"""What CEL conditions have found out about one body: it stays with the document.

A condition gets variables for what it names, no more. Conditions with the same names share them.
Containers are dear to convert, so there is one set of variables with those that any condition of
the group names, and each of them is converted when it is first needed, for all.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.conditions.cel_names import ABSENT, BODY, Name, missing
from graph.conditions.cel_values import (
    Unfit,
    doubled,
    is_container,
    scalar,
    scalar_weight,
    weigh,
)
from graph.conditions.reasons import shown
from graph.document import Document

if TYPE_CHECKING:
    from graph.caller import Caller
    from graph.effects import Reply


Key = tuple[str, ...]


class Group:
    """The names of conditions that are asked of the same body."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[Name, ...]) -> None:
        self.names = names


@dataclass(frozen=True, slots=True)
class Bound:
    """Variables, ready for the library; what they weigh, and how many elements the longest has."""

    activation: Any
    weight: int
    count: int


class Seen:
    """It knows neither the body nor the request: they know it."""

    __slots__ = ("_bound", "_doubled", "_env", "_roots", "_shared", "caller", "previous")

    def __init__(self, env: Any, caller: "Caller | None", previous: "Reply | None") -> None:
        self.caller = caller
        self.previous = previous
        self._env = env
        self._roots: dict[str, Any] = {}
        self._doubled: dict[str, Any] = {}
        self._bound: dict[Key, Bound] = {}
        self._shared: dict[Group, tuple[Any, dict[str, tuple[int, int] | Unfit]]] = {}

    def bound(self, body: Document, key: Key, names: tuple[Name, ...], group: Group) -> Bound:
        """The variables of these names, whose texts are the key. Raises Unfit."""
        known = self._bound.get(key)
        if known is None:
            known = self._bound[key] = self._bind(body, names, group)
        return known

    def shown(self, body: Document, names: tuple[Name, ...]) -> list[str]:
        """What the names stand for, for people."""
        said = []
        for name in names:
            value = name.of(self._root(body, name.root))
            if value is ABSENT:
                said.append(missing(name.text))
            else:
                text = json.dumps(value, ensure_ascii=False, default=str)
                said.append(f"{name.text} is {shown(text.encode(errors='replace'))}")
        return said

    def _bind(self, body: Document, names: tuple[Name, ...], group: Group) -> Bound:
        values: dict[str, Any] = {}
        weight = 0
        for name in names:
            value = name.of(self._root(body, name.root))
            if is_container(value):
                return self._bind_containers(body, names, group)
            if value is not ABSENT:
                values[name.text] = scalar(value)
                weight += scalar_weight(value)
        return Bound(self._env.Activation(values), weight, 0)

    def _bind_containers(self, body: Document, names: tuple[Name, ...], group: Group) -> Bound:
        shared = self._shared.get(group)
        if shared is None:
            shared = self._shared[group] = self._share(body, group)
        activation, known = shared
        weight = count = 0
        for name in names:
            found = known.get(name.text, (0, 0))
            if isinstance(found, Unfit):
                raise Unfit(str(found))
            weight += found[0]
            count = max(count, found[1])
        return Bound(activation, weight, count)

    def _share(
        self, body: Document, group: Group
    ) -> tuple[Any, dict[str, tuple[int, int] | Unfit]]:
        values: dict[str, Any] = {}
        known: dict[str, tuple[int, int] | Unfit] = {}
        for name in group.names:
            value = name.of(self._root(body, name.root))
            if value is ABSENT:
                continue
            try:
                if is_container(value):
                    value, weight = self._fitted(body, name, value)
                    known[name.text] = weight, len(value)
                else:
                    value = scalar(value)
                    known[name.text] = scalar_weight(value), 0
            except Unfit as unfit:
                known[name.text] = unfit
            else:
                values[name.text] = value
        return self._env.Activation(values), known

    def _fitted(self, body: Document, name: Name, value: Any) -> tuple[Any, int]:
        try:
            return value, weigh(value)
        except OverflowError:
            root = self._doubled.get(name.root)
            if root is None:
                document = body if name.root == BODY else self._answer()
                root = self._doubled[name.root] = doubled(document.json)
            value = name.of(root)
            return value, weigh(value)

    def _root(self, body: Document, root: str) -> Any:
        known = self._roots.get(root, self)
        if known is self:
            known = self._roots[root] = self._find(body, root)
        return known

    def _find(self, body: Document, root: str) -> Any:
        if root == BODY:
            return body.value if body.parsed else ABSENT
        if root in ("response", "status"):
            if self.previous is None:
                return ABSENT
            if root == "status":
                return self.previous.status
            answer = self._answer()
            return answer.value if answer.parsed else ABSENT
        if self.caller is None:
            return ABSENT
        match root:
            case "headers":
                return self.caller.fields
            case "query":
                return self.caller.parameters
            case _:
                return getattr(self.caller, root)

    def _answer(self) -> Document:
        assert self.previous is not None
        return self.previous.document
