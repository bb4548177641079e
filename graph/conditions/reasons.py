"""Why a condition does not match, in a few words for people: what is missing, or what stands there
instead.

Only explanations ask. A GJSON path is looked up piece by piece until nothing is found; a JMESPath
expression is taken apart at `&&`, `||` and comparisons, and what stands at both sides is shown.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from graph.conditions.paths import array_part
from graph.document import Document

NOTHING: Final = "it finds nothing"
_MOST_PIECES: Final = 32
_MOST_SHOWN: Final = 60  # characters of a value
_MOST_OF: Final = 3  # elements, and twice as many keys
_INDEX: Final = re.compile(rb"[0-9]+")

Find = Callable[[bytes, bytes], bytes]
"""The raw value that a path finds in a text; empty if there is none."""


def no_json(document: Document) -> str:
    """Why conditions on JSON cannot match."""
    if not document.body:
        return "the body is empty"
    return "the body is no JSON" if document.json else "the body cannot be opened"


# GJSON


def missing(path: bytes, text: bytes, find: Find) -> str:
    """Of a path that finds nothing in a text."""
    value, before = text, b""
    for index, (prefix, piece) in enumerate(_pieces(path)):
        if index == _MOST_PIECES:
            break
        found = find(text, prefix)
        if not found:
            return _not_in(value, before, piece, find)
        value, before = found, prefix
    return NOTHING


def _pieces(path: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The path up to each dot or pipe between its components, and the component that ends there."""
    depth, start, at = 0, 0, 0
    quoted = False
    while at < len(path):
        char = path[at : at + 1]
        if char == b"\\":
            at += 1
        elif char == b'"':
            quoted = not quoted
        elif not quoted and char in b"([{":
            depth += 1
        elif not quoted and char in b")]}":
            depth -= 1
        elif not quoted and not depth and char in b".|" and at:
            yield path[:at], path[start:at]
            start = at + 1
        at += 1
    yield path, path[start:]


def _not_in(value: bytes, before: bytes, piece: bytes, find: Find) -> str:
    whole = before in (b"", b"@this", b"[@this]")
    where = "the body" if whole else f"`{_text(before)}`"
    if piece[:2] == b"#(":
        return _no_element(value, where, piece, find, alone=before == b"[@this]")
    if value[:1] == b"[" and _INDEX.fullmatch(piece):
        return f"{where} has {_count(find(value, b'#'))}"
    if value[:1] == b"{":
        keys = _keys(value, find)
        return f"{where} has no `{_text(piece)}`" + (f", only {keys}" if keys else ": it is empty")
    if value[:1] == b"[":
        return f"`{_text(piece)}` finds nothing in {where}, a list of {_count(find(value, b'#'))}"
    return f"{where} is {shown(value)}: there is no `{_text(piece)}` in it"


def _no_element(value: bytes, where: str, piece: bytes, find: Find, *, alone: bool) -> str:
    query = array_part(piece).query
    assert query is not None  # so such a piece begins
    if value[:1] != b"[":
        return f"{where} is {shown(value)}, no list"
    said = []
    total = int(find(value, b"#") or b"0")
    for index in range(min(total, _MOST_OF)):
        element = find(value, b"%d" % index)
        operand = find(element, query.path) if query.path else element
        name = f"`{_text(query.path)}`" if query.path else "it"
        said.append(f"{name} is {shown(operand)}" if operand else f"it has no {name}")
    if alone:
        return said[0].removeprefix("it has ").replace("no `", "there is no `") if said else NOTHING
    if not said:
        return f"{where} is an empty list"
    more = ", ..." if total > _MOST_OF else ""
    return f"no element of {where} fits: {', '.join(said)}{more}"


def _keys(value: bytes, find: Find) -> str:
    try:
        keys = json.loads(find(value, b"@keys"))
    except ValueError:
        return ""
    listed = ", ".join(f"`{key}`" for key in keys[: 2 * _MOST_OF])
    return listed + (", ..." if len(keys) > 2 * _MOST_OF else "")


def _count(digits: bytes) -> str:
    return f"{_text(digits) or '0'} element{'' if digits == b'1' else 's'}"


def shown(value: bytes) -> str:
    """Raw JSON, on one line and not too long."""
    text = " ".join(_text(value[: 4 * _MOST_SHOWN]).split())
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


# JMESPath

Node = dict[str, Any]
Evaluate = Callable[[Node], Any]
"""The value of a part of the expression. May raise whatever the library raises."""

_SIGNS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def untrue(node: Node, evaluate: Evaluate, is_true: Callable[[object], bool]) -> str:
    """Of an expression whose result does not count as true."""
    children = node["children"]
    match node["type"]:
        case "and_expression":
            first, second = children
            return untrue(second if is_true(evaluate(first)) else first, evaluate, is_true)
        case "or_expression":
            reasons = [untrue(child, evaluate, is_true) for child in children]
            return "; ".join(dict.fromkeys(reasons))
        case "not_expression":
            return f"{_source(children[0])} is {_shown(evaluate(children[0]))}"
        case "comparator":
            sides = [child for child in children if child["type"] != "literal"]
            said = [f"{_source(side)} is {_shown(evaluate(side))}" for side in sides]
            return ", ".join(said) or "the comparison is false"
    return f"{_source(node)} is {_shown(evaluate(node))}"


def _shown(value: object) -> str:
    return shown(json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace"))


def _source(node: Node) -> str:
    """The expression as one would write it, where that is short; else what it comes to."""
    written = _written(node)
    return f"`{written}`" if written and len(written) <= _MOST_SHOWN else "the result"


def _written(node: Node) -> str:
    parts = [_written(child) for child in node.get("children", ()) if isinstance(child, dict)]
    match node["type"]:
        case "field":
            return str(node["value"])
        case "current":
            return "@"
        case "index":
            return f"[{node['value']}]"
        case "index_expression" if all(parts):
            return "".join(parts)
        case "subexpression" if all(parts):
            return ".".join(parts)
        case "function_expression" if all(parts):
            return f"{node['value']}({', '.join(parts)})"
        case "comparator" if all(parts):
            return f"{parts[0]} {_SIGNS[node['value']]} {parts[1]}"
        case "literal":
            value = node["value"]
            text = json.dumps(value, ensure_ascii=False)
            return f"'{value}'" if isinstance(value, str) else f"`{text}`"
    return ""
