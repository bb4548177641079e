"""What an expression can see while it runs: bodies as bytes, and as values once somebody asks.

Of binary tensors and gRPC messages it sees V2's JSON with all data, made when it is first named.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from graph.conditions.jmespath import Interpreter
from graph.document import Document
from graph.effects import Taken
from graph.tensors.convert import in_full
from graph.tensors.model import Side

Path = tuple[str | int, ...]


class Unusable(Exception):
    """Why there is nothing to see, in words for the caller. Never leaves this package."""


class Scope:
    """`response` is None where there was no answer before, `steps` holds those that have run."""

    def __init__(
        self,
        request: Document,
        response: Document | None = None,
        steps: Mapping[str, Taken] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.request = request
        self.response = response
        self.steps = steps or {}
        self.headers = headers or {}
        self._value: dict[str, Any] | None = None
        self._interpreter: Interpreter | None = None

    @property
    def interpreter(self) -> Interpreter:
        """One for all parts of a mapping: its limit of steps is theirs together."""
        if self._interpreter is None:
            self._interpreter = Interpreter()
        return self._interpreter

    def find(self, path: Path) -> tuple[Document | bytes | None, Path]:
        """The document, or the JSON, in which a path begins, and the rest of it; None for null."""
        match path:
            case ("request", *rest):
                return self._request(), tuple(rest)
            case ("response", *rest):
                return self._response(), tuple(rest)
            case ("steps", str(name), str(part), *rest):
                taken = self.steps.get(name)
                if taken is None:
                    return None, ()
                if part == "status":
                    return msgspec.json.encode(taken.status), tuple(rest)
                return _seen(taken, part), tuple(rest)
            case ("headers", str(name), *rest):
                value = self.headers.get(name)
                return None if value is None else msgspec.json.encode(value), tuple(rest)
        raise AssertionError(f"compiling let a path through: {path}")

    def _request(self) -> Document:
        self.request = in_full(self.request, Side.REQUEST)
        return self.request

    def _response(self) -> Document | None:
        if self.response is not None:
            self.response = in_full(self.response, Side.ANSWER)
        return self.response

    def value(self, roots: frozenset[str], steps: frozenset[str]) -> dict[str, Any]:
        """All that an expression names, as Python values."""
        if self._value is None:
            self._value = value = {}
            if "request" in roots:
                value["request"] = parsed(self._request(), "the request")
            if "response" in roots:
                value["response"] = parsed(self._response(), "the answer before")
            if "headers" in roots:
                value["headers"] = dict(self.headers)
            if "steps" in roots:
                value["steps"] = {name: self._taken(name) for name in sorted(steps)}
        return self._value

    def _taken(self, name: str) -> Any:
        taken = self.steps.get(name)
        if taken is None:
            return None
        return _Record(name, taken)


class _Record(dict[str, Any]):
    """A step as an expression sees it: what is not JSON fails only who names it. Expressions reach
    its members alone, by `get`.
    """

    def __init__(self, name: str, taken: Taken) -> None:
        super().__init__(status=taken.status)
        self._name = name
        self._taken = taken

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self and key in ("request", "response"):
            self[key] = parsed(_seen(self._taken, key), called(("steps", self._name, key)))
        return super().get(key, default)


def _seen(taken: Taken, part: str) -> Document | None:
    if part == "request":
        taken.request = in_full(taken.request, Side.REQUEST)
        return taken.request
    if taken.response is not None:
        taken.response = in_full(taken.response, Side.ANSWER)
    return taken.response


def parsed(document: Document | None, name: str) -> Any:
    if document is None:
        return None
    if not document.parsed:
        reason = "is nested too deeply" if document.valid else "is not JSON"
        raise Unusable(f"{name} {reason}")
    return document.value


def called(path: Path) -> str:
    """How messages name what a path begins with."""
    match path:
        case ("request", *_):
            return "the request"
        case ("response", *_):
            return "the answer before"
        case ("steps", name, "request", *_):
            return f"the request of step {name}"
        case ("steps", name, *_):
            return f"the answer of step {name}"
    return "the headers"
