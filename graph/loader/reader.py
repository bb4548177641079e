"""YAML or JSON text -> plain values, each with its line and column, in bounded time and memory.

libyaml scans and parses; its events are put together here. So depth, the number of values and what
aliases expand to are counted as they come in, nothing recurses, and no second parser can see
another document than the first one did. Nothing here knows Kubernetes. Faults go into `problems`,
and reading goes on where it can.
"""

import gc
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NoReturn

import yaml
from yaml import events

from graph.codes import Code
from graph.loader.found import Found
from graph.loader.places import START, At, Child, Place, at, line_and_column, with_text
from graph.loader.scalars import Scalar, resolve
from graph.problems import Located, Path
from graph.wording import shown

MAX_DEPTH = 200  # real manifests stay under 30; JSON libraries below us give up at 255
MAX_VALUES = 1_000_000  # keys, items and documents of a file, aliases expanded
_GC_CHARACTERS = 200_000  # the collector would walk all of a big document again and again

_TAGS = "tag:yaml.org,2002:"
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}
_TEMPLATE = "a key must be text; if this is a template (`{{ ... }}`), render it first"
_SYNTAX_HINTS = {
    "found character that cannot start any token": "indent with spaces, and quote text that begins"
    " with a tab or one of @ ` %",
    "mapping values are not allowed in this context": "check the indentation, and quote text that"
    " holds `: `",
    "did not find expected key": "check the indentation",
}


@dataclass(frozen=True, slots=True)
class Read:
    """One document: its value, and where its parts stand."""

    value: Any
    place: Place


class _Key(Enum):
    """Keys whose values get a treatment of their own."""

    MERGE = auto()
    DROP = auto()


@dataclass(slots=True)
class _Anchored:
    """A value with a name. `size` is None until its end has come."""

    value: Any
    children: Any
    size: int | None = None
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    value: Any
    children: Any
    at: At
    values_before: int
    anchored: _Anchored | None = None
    height: int = 1
    key: str | _Key | None = None  # of a mapping: waits for its value
    key_at: At = START
    merged: list[Any] = field(default_factory=list)


class _Stop(Exception):
    """Nothing can be read after this problem."""


class Reader:
    def __init__(self, text: str, file: str) -> None:
        self._found = Found()
        self._file = file
        self._text = text
        self._values = 0
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}

    def read(self) -> list[Read]:
        """All documents, up to a fault that nothing can be read after."""
        documents: list[Read] = []
        collecting = len(self._text) > _GC_CHARACTERS and gc.isenabled()
        if collecting:
            gc.disable()
        try:
            documents.extend(self._documents())
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            self._stack.clear()
            self._report(Code.YAML_SYNTAX, *_syntax(error))
        finally:
            if collecting:
                gc.enable()
        return documents

    @property
    def problems(self) -> tuple[Located, ...]:
        return self._found.all()

    def _documents(self) -> Iterator[Read]:
        parser = yaml.CSafeLoader(self._text)
        stack, anchors = self._stack, self._anchors
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is events.ScalarEvent:
                self._scalar(event)
            elif kind is events.MappingStartEvent:
                self._open({}, {}, event)
            elif kind is events.MappingEndEvent:
                self._merge()
                self._close()
            elif kind is events.SequenceStartEvent:
                self._open([], [], event)
            elif kind is events.SequenceEndEvent:
                self._close()
            elif kind is events.AliasEvent:
                self._alias(event)
            elif kind is events.DocumentStartEvent:
                anchors.clear()
                stack.append(_Open([], [], START, self._values))
                self._count(1, _at(event))
            elif kind is events.DocumentEndEvent:
                whole = stack.pop()
                place = whole.children[0]
                yield Read(whole.value[0], Place(place, []) if isinstance(place, int) else place)
            elif kind is events.StreamEndEvent:
                return

    def _scalar(self, event: Any) -> None:
        where = _at(event)
        self._count(1, where)
        text: str = event.value
        top = self._stack[-1]
        if event.tag is not None:
            value = self._tagged(text, event.tag, where)
        elif event.implicit[0]:
            if text == "<<" and top.key is None and isinstance(top.value, dict):
                top.key, top.key_at = _Key.MERGE, where
                return
            value = resolve(text)
        else:
            value = text
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, None, size=1)
        if type(value) is float and not math.isfinite(value):
            self._report(
                Code.YAML_NUMBER, where, f"{shown(text)} is no number in JSON; write a finite one"
            )
        self._add(value, None, where, 0, _verbatim(event) if type(value) is str else 0)

    def _tagged(self, text: str, tag: str, where: At) -> Scalar:
        name = tag.removeprefix(_TAGS)
        if name in ("!", "str"):
            return text
        if name in _TYPES:
            value = resolve(text)
            if name == "float" and type(value) is int:
                return float(value)
            if type(value) is not _TYPES[name]:
                message = f"{shown(text)} cannot be read as {shown('!!' + name)}; remove the tag"
                self._report(Code.YAML_SYNTAX, where, message)
            return value
        self._odd_tag(tag, where)
        return text

    def _odd_tag(self, tag: str, where: At) -> None:
        self._report(
            Code.YAML_TAG, where, f"the tag {shown(tag)} means nothing in a manifest; remove it"
        )

    def _open(self, value: Any, children: Any, event: Any) -> None:
        where = _at(event)
        self._count(1, where)
        if len(self._stack) > MAX_DEPTH:
            self._too_deep(where)
        if event.tag is not None and event.tag.removeprefix(_TAGS) not in ("!", "map", "seq"):
            self._odd_tag(event.tag, where)
        opened = _Open(value, children, where, self._values - 1)
        if event.anchor is not None:
            opened.anchored = self._anchors[event.anchor] = _Anchored(value, children)
        self._stack.append(opened)

    def _close(self) -> None:
        closed = self._stack.pop()
        if closed.anchored is not None:
            closed.anchored.size = self._values - closed.values_before
            closed.anchored.height = closed.height
        self._add(closed.value, closed.children, closed.at, closed.height)

    def _alias(self, event: Any) -> None:
        where = _at(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            message = f"{shown('*' + event.anchor)} stands for nothing; name it before, with `&`"
            self._stop(Code.YAML_ALIAS, where, message)
        if known.size is None:
            message = f"{shown('*' + event.anchor)} would contain itself; write the value out"
            self._stop(Code.YAML_ALIAS, where, message)
        self._count(known.size, where)
        if len(self._stack) - 1 + known.height > MAX_DEPTH:
            self._too_deep(where)
        self._add(known.value, known.children, where, known.height)

    def _add(self, value: Any, children: Any, where: At, height: int, text: At = 0) -> None:
        """Put a finished value into what is open: as an item, as a key or as the key's value.
        `text` is where a text begins that stands there as it is.
        """
        top = self._stack[-1]
        if height >= top.height:
            top.height = height + 1
        if isinstance(top.value, list):
            top.value.append(value)
            top.children.append(where if children is None else Place(where, children))
        elif top.key is None:
            top.key_at = where
            top.key = self._key(top, value, where)
        else:
            key, top.key = top.key, None
            if key is _Key.MERGE:
                top.merged.append((value, children, top.key_at))
            elif key is not _Key.DROP:
                top.value[key] = value
                if children is None:
                    top.children[key] = with_text(top.key_at, text)
                else:
                    top.children[key] = Place(top.key_at, children)

    def _key(self, top: _Open, value: Any, where: At) -> str | _Key:
        if type(value) is not str:
            if not isinstance(value, bool | int | float):
                self._report(Code.BAD_KEY, where, _TEMPLATE)
                return _Key.DROP
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if type(value) is not int:
                message = f"YAML reads this key as {shown(text)}; put it in quotes"
                self._report(Code.KEY_TYPE, where, message)
            value = text
        if value in top.value:
            first, _ = line_and_column(_where(top.children[value]))
            message = f"key {shown(value)} is already in line {first}; remove one of them"
            self._report(Code.DUPLICATE_KEY, where, message, value)
        return str(value)

    def _merge(self) -> None:
        """What `<<` brings in: keys that the mapping has not itself, earlier sources first."""
        top = self._stack[-1]
        for value, children, where in top.merged:
            sources = zip(value, children, strict=True) if isinstance(value, list) else [(value, 0)]
            for source, place in sources:
                if not isinstance(source, dict):
                    message = "`<<` takes a mapping, or a list of them; give it an alias of one"
                    self._report(Code.YAML_MERGE, where, message)
                    continue
                places = place.children if isinstance(place, Place) else children
                for key in source:
                    if key not in top.value:
                        top.value[key] = source[key]
                        top.children[key] = places[key]

    def _count(self, values: int, where: At) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            message = (
                f"more than {MAX_VALUES:,} values in one file, aliases expanded;"
                " split it, or write less by aliases"
            )
            self._stop(Code.YAML_SIZE, where, message)

    def _too_deep(self, where: At) -> NoReturn:
        message = f"nested more than {MAX_DEPTH} levels deep; no manifest needs that"
        self._stop(Code.YAML_DEPTH, where, message)

    def _stop(self, code: Code, where: At, message: str) -> NoReturn:
        self._report(code, where, message)
        raise _Stop

    def _report(self, code: Code, where: At, message: str, *inner: str) -> None:
        line, column = line_and_column(where)
        problem = code.at((*self._path(), *inner), message)
        self._found.add(Located(self._file, line, column, problem))

    def _path(self) -> Path:
        """What is being read, from the document's top: the keys and indexes of all that is open."""
        path: list[str | int] = []
        for opened in self._stack[1:]:
            if isinstance(opened.value, list):
                path.append(len(opened.value))
            elif isinstance(opened.key, str):
                path.append(opened.key)
        return tuple(path)


def _at(event: Any) -> At:
    mark = event.start_mark
    return at(mark.line, mark.column)


def _verbatim(event: Any) -> At:
    """Where the text of a scalar begins; 0 if it is folded, or some of it is escaped."""
    start, end = event.start_mark, event.end_mark
    quotes = 1 if event.style in ("'", '"') else 0
    if start.line != end.line or end.column - start.column != len(event.value) + 2 * quotes:
        return 0
    return at(start.line, start.column + quotes)


def _where(place: Child) -> At:
    return place if isinstance(place, int) else place.at


def _syntax(error: yaml.MarkedYAMLError) -> tuple[At, str]:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "cannot be read"
    message = f"{error.context}, {problem}" if error.context else problem
    if (hint := _SYNTAX_HINTS.get(problem)) is not None:
        message = f"{message}; {hint}"
    return (at(mark.line, mark.column) if mark is not None else START), message
