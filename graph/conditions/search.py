"""Go's `gjson.Get`, whole: a text and a path give the raw bytes of a value, or none.

This is the evaluator that is right about everything: texts that are no JSON, malformed paths,
duplicate keys, depth. A search walks forward over the text and keeps the containers that it is
inside of in a list, so that no body can exhaust the stack. What it reads is counted as fuel, since
modifiers can multiply a text without end, and so is each element that it tries, since a long body
can have very many.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from graph.conditions.compare import holds
from graph.conditions.modifiers import modifier_call
from graph.conditions.paths import (
    ArrayPart,
    ObjectPart,
    array_part,
    object_part,
    selectors,
    split_pipe,
)
from graph.conditions.scan import (
    CONTAINER,
    STRING,
    VALUE_START,
    next_value,
    skip_container,
    skip_value,
    unescape,
    whole,
)
from graph.conditions.skip import AT_ONCE, count_elements
from graph.conditions.write import multipath

_KEY_OR_END: Final = re.compile(rb'["}]')
_ELEMENT_OR_END: Final = re.compile(rb'["{\[ntf+\-0-9iIN\]]')
_NOT_BLANK: Final = re.compile(rb"[^ \t\r\n]")
_STATIC_LITERALS: Final = frozenset((b"true", b"false", b"null", b"nan", b"inf"))
_STATIC_TEXT: Final = b'{["+-0123456789'
_LONG: Final = 4096  # what is left of a text, if the patterns that skip are worth their compiling
MOST_STEPS: Final = 50_000  # searches, and elements tried: 0.6 s in which a worker does no more
_SEARCH_COST: Final = 2  # of one search, beside the bytes that it reads


class OutOfFuel(Exception):
    """The search costs more than its text and path justify."""


class _Step(Enum):
    """Where the walk through a container got to."""

    FOUND = auto()
    ENDED = auto()
    INSIDE = auto()  # at the bracket of a container that the path leads into


@dataclass(slots=True)
class _Found:
    """What the walk through one text has found; after a query for all matches it still goes on."""

    value: bytes = b""
    pipe: bytes | None = None


class _Frame:
    """A container that the walk is inside of."""

    __slots__ = ("matches", "part", "rest", "seen", "starts")

    def __init__(self, part: ObjectPart | ArrayPart, found: _Found) -> None:
        self.part = part
        self.rest = part.rest.path
        self.seen = 0  # elements of an array
        self.starts: list[int] = []  # where they begin, for `#.path`
        self.matches: list[bytes] = []  # of a query for all
        if part.rest.pipe is not None:
            found.pipe = part.rest.pipe


class Search:
    """One evaluation; its searches share the fuel."""

    __slots__ = ("_most", "_steps", "fuel")

    def __init__(self, fuel: int, steps: int = MOST_STEPS) -> None:
        self.fuel = fuel  # bytes that may still be read
        self._most = self._steps = steps

    @property
    def steps_taken(self) -> int:
        return self._most - self._steps

    def spend(self, cost: int) -> None:
        self.fuel -= cost
        self._steps -= 1
        if self.fuel < 0 or self._steps < 0:
            raise OutOfFuel

    def get(self, text: bytes, path: bytes) -> bytes:
        """The raw value that a path finds in a text; empty if there is none."""
        while True:
            self.spend(len(text) + _SEARCH_COST)
            found = self._construct(text, path) if len(path) > 1 else None
            if found is None:
                if path[:1] in (b"[", b"{") and len(path) > 1:
                    # A multipath that never closes leaves no path; after one that does comes a path
                    # of its own.
                    parts = selectors(path)
                    path = b"" if parts is None else parts[1]
                found = _Found()
                self._walk(text, path, found)
            if found.pipe is None:
                return found.value
            text, path = found.value, found.pipe

    def _construct(self, text: bytes, path: bytes) -> _Found | None:
        """What a modifier, literal or multipath at the head of a path makes; None: no such head."""
        if path[:1] in (b"[", b"{"):
            parts = selectors(path)
            if parts is None or parts[1][:1] not in (b"", b"|", b"."):
                return None
            picked = [(name, sub, self.get(text, sub)) for name, sub in parts[0]]
            made, rest = multipath(path[:1], picked), parts[1]
            return _Found(made, rest[1:] if rest else None)
        if path[:1] == b"@":
            call = modifier_call(path)
            if call is None:
                return None
            made, rest = call.apply(text, call.argument, self), call.rest
        elif path[:1] == b"!":
            static = _static(path)
            if static is None:
                return None
            made, rest = static
        else:
            return None
        if rest[:1] in (b"|", b"."):
            return _Found(made, rest[1:])
        return _Found(whole(made))

    def _walk(self, text: bytes, path: bytes, found: _Found) -> None:
        if path[:2] == b"..":  # the text is a list of lines
            frames = [_Frame(array_part(path[2:]), found)]
            at = 0
        else:
            start = CONTAINER.search(text)
            if start is None:
                return
            frames = [_frame(start[0], path, found)]
            at = start.end()
        while frames:
            frame = frames[-1]
            if isinstance(frame.part, ObjectPart):
                step, at = _object(text, at, frame, frame.part, found)
            else:
                step, at = self._array(text, at, frame, frame.part, found)
            if step is _Step.FOUND:
                return
            if step is _Step.ENDED:
                frames.pop()
            else:
                frames.append(_frame(text[at : at + 1], frame.rest or b"", found))
                at += 1

    def _array(
        self, text: bytes, at: int, frame: _Frame, part: ArrayPart, found: _Found
    ) -> tuple[_Step, int]:
        while at <= len(text):
            if len(text) - at > _LONG and not _near(part.index, frame.seen):
                run = part.skipped.match(text, at) if part.skipped is not None else None
                if run is not None:
                    frame.seen += count_elements(run[0])
                    at = run.end()
            index = frame.seen
            frame.seen += 1
            if part.each is not None:
                frame.starts.append(at)
            start = _ELEMENT_OR_END.search(text, at)
            if start is None:  # GJSON closes an array that nobody closed
                return self._close(text, frame, part, found), len(text) + 1
            if start[0] == b"]":
                return self._close(text, frame, part, found), start.end()
            at = start.start()
            inside = index == part.index and frame.rest is not None
            if inside and text[at] in b"{[":
                return _Step.INSIDE, at
            end = skip_value(text, at)
            if end < 0:
                break
            if part.query is not None:
                if self._matches(text[at:end], frame, part, found):
                    return _Step.FOUND, end
            elif index == part.index and not inside:
                found.value = text[at:end]
                return _Step.FOUND, end
            at = end
        return _Step.ENDED, len(text) + 1

    def _matches(self, element: bytes, frame: _Frame, part: ArrayPart, found: _Found) -> bool:
        """Try a query on an element. The first match ends the walk, unless the query wants all."""
        query = part.query
        assert query is not None  # the caller has seen it
        if element[:1] in (b"{", b"["):
            operand = self.get(element, query.path)
        else:
            self.spend(0)
            if query.path:
                return False
            operand = element
        if not holds(query, operand):
            return False
        if frame.rest is not None:
            sides = split_pipe(frame.rest)
            if sides is not None:
                frame.rest, found.pipe = sides
            element = self.get(element, frame.rest)
        if not query.all:
            found.value = element
            return True
        if element:
            frame.matches.append(element)
        return False

    def _close(self, text: bytes, frame: _Frame, part: ArrayPart, found: _Found) -> _Step:
        """The end of an array: its count, each element's path, or the list of all matches."""
        if part.count:
            if part.each is None:
                found.value = b"%d" % (frame.seen - 1)
            else:
                found.value = self._each(text, frame.starts, part.each, found)
            return _Step.FOUND
        if not found.value and part.query is not None and part.query.all:
            found.value = b"[" + b",".join(frame.matches) + b"]"
        return _Step.ENDED

    def _each(self, text: bytes, starts: list[int], path: bytes, found: _Found) -> bytes:
        sides = split_pipe(path)
        if sides is not None:
            path, found.pipe = sides
        picked = []
        for start in starts:
            begin = _NOT_BLANK.search(text, start)
            if begin is not None and begin[0] != b"]":
                element, _ = next_value(text, begin.start())
                value = self.get(element, path) if element else b""
                if value:
                    picked.append(value)
        return b"[" + b",".join(picked) + b"]"


def _frame(bracket: bytes, path: bytes, found: _Found) -> _Frame:
    return _Frame(object_part(path) if bracket == b"{" else array_part(path), found)


def _object(
    text: bytes, at: int, frame: _Frame, part: ObjectPart, found: _Found
) -> tuple[_Step, int]:
    while True:
        if len(text) - at > _LONG:
            skipped = part.skipped.match(text, at)
            assert skipped is not None  # it also matches nothing
            at = skipped.end()
        start = _KEY_OR_END.search(text, at)
        if start is None:
            break
        if start[0] == b"}":
            return _Step.ENDED, start.end()
        key = STRING.match(text, start.start())
        value = VALUE_START.search(text, key.end()) if key is not None else None
        if key is None or value is None:
            break
        at = value.start()
        name = key[0][1:-1]
        if b"\\" in name:
            name = unescape(name)
        matched = part.glob.matches(name) if part.glob is not None else part.key == name
        if matched and frame.rest is not None and text[at] in b"{[":
            return _Step.INSIDE, at
        end = skip_value(text, at)
        if end < 0:
            break
        if matched and frame.rest is None:
            found.value = text[at:end]
            return _Step.FOUND, end
        at = end
    return _Step.ENDED, len(text) + 1


def _near(index: int | None, seen: int) -> bool:
    return index is not None and 0 <= index - seen < AT_ONCE


def _static(path: bytes) -> tuple[bytes, bytes] | None:
    """`!literal`: the text that it stands for, and the rest of the path. None: it is a key."""
    if path[1] in _STATIC_TEXT:
        end = skip_container(
            path, 1
        )  # also of a string or number: up to a bracket that nobody opened
        return path[1:end], path[end:]
    name, rest = path[1:], b""
    for at, char in enumerate(path):
        if char in b"|.":
            name, rest = path[1:at], path[at:]
            break
    return (name, rest) if name.lower() in _STATIC_LITERALS else None


# What can make a search start another one, and how much it takes of the limit: Python's stack has
# room for far more than anybody writes, and `@dig` starts one for every value of a text.
_NESTING: Final = {b"#": 1, b"[": 1, b"{": 1, b"@dig": 10}
_DEEPEST: Final = 64


def nests_too_deep(path: bytes) -> bool:
    """The path could nest searches beyond what the stack holds; it is not tried."""
    return sum(path.count(word) * weight for word, weight in _NESTING.items()) > _DEEPEST
