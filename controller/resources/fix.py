"""Text of manifests -> the same with older forms in today's, comments and layout kept.

What did not change is taken over line by line, moved and indented as it has to be; only what is new
is written anew. Documents in today's form stay as they are to the byte. What comes out is read
again and compared with what went in before anybody gets it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from controller.resources.model import dump
from controller.resources.older import Change, modernize, origin
from controller.resources.parse import parse
from graph.loader import Documents, load
from graph.problems import Path

_COMMENT = re.compile(r"(?:^|\s)(#.*)$")
_START = re.compile(r"---[ \t]*(#.*)?\n")
_ALL = 1_000_000  # columns: no line is folded


def fixed(text: str) -> str | None:
    """None where there is nothing to mend, or it cannot be done without loss."""
    before = load(text)
    if before.text_problems:
        return None
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        made = "".join(map(_document, _documents(plain)))
    except yaml.YAMLError:  # JSON that is no YAML; the loader reads it all the same
        return None
    if made == plain:
        return None
    after = load(made)
    if after.text_problems or _said(after) != _said(before):
        return None
    return made.replace("\n", "\r\n") if "\r\n" in text else made


def _said(documents: Documents) -> list[Any]:
    found = parse(documents)
    return [
        *(dump(item.resource) for item in found.objects.values()),
        *((p.problem.code, p.problem.message) for p in found.problems if p.is_error),
        *(document.data for document in documents if document.is_graph),
    ]


def _documents(text: str) -> Iterator[str]:
    """The texts of the documents; each begins with its `---`, if it has one."""
    starts: list[int] = [
        event.start_mark.index
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
        if isinstance(event, yaml.DocumentStartEvent) and event.start_mark is not None
    ]
    bounds = [0, *starts[1:], len(text)]
    for start, end in pairwise(bounds):
        yield text[start:end]


def _document(text: str) -> str:
    head = match[0] if (match := _START.match(text)) else ""
    body = text[len(head) :]
    documents = load(body)
    if len(documents) != 1 or documents[0].data.get("kind") != "InferenceService":
        return text
    old = documents[0].data
    new = deepcopy(old)
    changes = modernize(new)
    if not changes:
        return text
    root: Any = yaml.compose(body, Loader=yaml.CSafeLoader)
    lines = body.splitlines()
    writer = _Writer(lines, _entries(root, 0), old, changes)
    made = [*writer.mapping(new, (), 0), *lines[_last_line(root) + 1 :]]
    lost = Counter(_comments(lines)) - Counter(_comments(made))
    return head + "".join(f"{line}\n" for line in (*lost.elements(), *made))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with its value, as lines: comments from `lead` on, the key at `start`, up to `last`."""

    key: Any  # nodes of PyYAML
    value: Any
    lead: int
    inner: dict[str, "_Entry"]

    @property
    def start(self) -> int:
        return int(self.key.start_mark.line)

    @property
    def last(self) -> int:
        return max(self.start, _last_line(self.value))


def _entries(node: Any, lead: int) -> dict[str, _Entry]:
    """Of a mapping in block style."""
    found: dict[str, _Entry] = {}
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return found
    for key, value in node.value:
        inner = _entries(value, key.start_mark.line + 1)
        entry = found[key.value] = _Entry(key, value, lead, inner)
        lead = entry.last + 1
    return found


def _last_line(node: Any) -> int:
    """The last line of its content; comments that follow belong to what comes next."""
    start, end = node.start_mark, node.end_mark
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(end.line - (1 if end.column == 0 and end.line > start.line else 0))
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else [pair])]
    return max(map(_last_line, parts), default=int(start.line))


@dataclass(frozen=True, slots=True)
class _Writer:
    lines: list[str]
    entries: dict[str, _Entry]
    old: dict[str, Any]
    changes: Sequence[Change]

    def mapping(self, data: dict[str, Any], path: Path, indent: int) -> Iterator[str]:
        for key, value in data.items():
            yield from self._entry(key, value, (*path, key), indent)

    def _entry(self, key: str, value: Any, path: Path, indent: int) -> Iterator[str]:
        source = origin(path, self.changes)
        entry = self._find(source)
        if entry is None:
            yield from self._new(key, value, path, indent)
            return
        yield from self._indented(self.lines[entry.lead : entry.start], indent)
        column = entry.key.start_mark.column
        said = self._at(source)
        first = self._renamed(entry, key)
        rest = self.lines[entry.start + 1 : entry.last + 1]
        if value == said:
            yield from _shifted([first, *rest], indent - column)
        elif isinstance(value, dict) and entry.inner:
            step = next(iter(entry.inner.values())).key.start_mark.column - column
            yield from _shifted([first], indent - column)
            yield from self.mapping(value, path, indent + step)
        elif isinstance(entry.value, yaml.ScalarNode):
            start, end = entry.value.start_mark.column, entry.value.end_mark.column
            quote = entry.value.style or ""
            first = f"{first[:start]}{quote}{value}{quote}{first[end:]}"
            yield from _shifted([first], indent - column)
        else:
            yield from _written({key: value}, indent)

    def _new(self, key: str, value: Any, path: Path, indent: int) -> Iterator[str]:
        """A key that the text does not have; a list of one may be a mapping that it has."""
        items = value if isinstance(value, list) else []
        source = origin((*path, 0), self.changes)
        entry = self._find(source)
        if len(items) != 1 or entry is None or not entry.inner:
            yield from _written({key: value}, indent)
            return
        outer = self._find(source[:-1]) if source[-2:] == ("custom", "container") else entry
        outer = outer or entry
        yield from self._indented(self.lines[outer.lead : outer.start], indent)
        yield f"{' ' * indent}{key}:{_comment(self.lines[outer.start])}"
        below = list(self.mapping(items[0], (*path, 0), indent + 4))
        first = next(i for i, line in enumerate(below) if not _is_comment(line))
        below[first] = f"{' ' * (indent + 2)}- {below[first].lstrip()}"
        yield from below

    def _find(self, path: Path) -> _Entry | None:
        here: dict[str, _Entry] = self.entries
        found = None
        for part in path:
            found = here.get(part) if isinstance(part, str) else None
            if found is None:
                return None
            here = found.inner
        return found

    def _at(self, path: Path) -> Any:
        here: Any = self.old
        for part in path:
            here = here[part]
        return here

    def _renamed(self, entry: _Entry, key: str) -> str:
        line = self.lines[entry.start]
        start, end = entry.key.start_mark.column, entry.key.end_mark.column
        return line if entry.key.value == key else line[:start] + key + line[end:]

    def _indented(self, lines: Iterable[str], indent: int) -> Iterator[str]:
        for line in lines:
            yield f"{' ' * indent}{line.lstrip()}" if line.strip() else ""


def _shifted(lines: Iterable[str], columns: int) -> Iterator[str]:
    for line in lines:
        blanks = len(line) - len(line.lstrip(" "))
        yield " " * max(0, blanks + columns) + line.lstrip(" ") if line.strip() else line


def _written(data: dict[str, Any], indent: int) -> Iterator[str]:
    text = yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, width=_ALL)
    yield from _shifted(text.splitlines(), indent)


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _comment(line: str) -> str:
    return f" {match[1]}" if (match := _COMMENT.search(line)) else ""


def _comments(lines: Iterable[str]) -> list[str]:
    return [match[1].rstrip() for line in lines if (match := _COMMENT.search(line))]
