"""What is wrong with a CEL text, in words that say where it is and how to mend it.

The library's own words name a position and, for a syntax error, all that could stand there instead.
"""

import re
from collections.abc import Collection
from typing import Final

from graph.conditions.cel_names import ANSWER, missing
from graph.conditions.condition import Fault
from graph.wording import Speller, listed, shown

_ERROR: Final = re.compile(
    r"ERROR: <input>:(-?\d+):(-?\d+): (?:Syntax error: )?(.*?)(?=\n \| |\nERROR: |\Z)", re.DOTALL
)
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD: Final = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_UNEXPECTED: Final = re.compile(
    r"(?:mismatched|extraneous) input '(.*?)' expecting|token recognition error at: '(.*)'"
    r"|no viable alternative at input '(.*)'",
    re.DOTALL,
)
_INSTEAD: Final = {
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "=": "`==` compares",
    "'": "close the text with a quote",
    '"': "close the text with a quote",
    "`": "text stands in quotes",
    "&": "write `&&`",
    "|": "write `||`",
    ";": "remove it",
    "}": "remove it",
}
FUNCTIONS: Final = (
    *("size", "contains", "startsWith", "endsWith", "matches", "has", "all", "exists"),
    *("exists_one", "filter", "map", "int", "uint", "double", "string", "bytes", "bool", "type"),
    *("dyn", "timestamp", "duration", "getFullYear", "getMonth", "getDate", "getDayOfMonth"),
    *("getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)
_WORDS: Final = ("true", "false", "null")
_OPERATOR: Final = re.compile(r"_?(@?[^_@]+)_?")
_TYPES: Final = {"dyn": "any", "_": "any"}


def fault(expression: str, said: str, bound: Collection[str], prefix: int) -> Fault:
    """What the library said about an expression, `prefix` characters into the condition."""
    if "recursion" in said:
        return Fault("CEL: nested more than 32 deep; take it apart into several branches", prefix)
    found = _ERROR.findall(said)
    if not found:
        return Fault(f"CEL: {shown(said)}; mend it", prefix)
    line, column = int(found[0][0]), int(found[0][1])
    offset = min(_offset(expression, line, column), len(expression))
    words, offset = _words(expression, found[0][2], offset, bound)
    return Fault(located(expression, offset, words), prefix + offset)


def located(expression: str, offset: int, words: str) -> str:
    """Columns count from 1, in the expression without what is white around it."""
    offset = max(offset - (len(expression) - len(expression.lstrip())), 0)
    expression = expression.strip()
    line = expression.count("\n", 0, offset) + 1
    column = offset - (expression.rfind("\n", 0, offset) + 1) + 1
    where = f"line {line}, column {column}" if "\n" in expression else f"column {column}"
    head, _, tail = words.partition("; ")
    return f"CEL: {head} at {where} of {shown(expression)}; {tail or 'mend it'}"


def _offset(expression: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = expression.find("\n", start) + 1
    return max(start + column - 1, 0)


def _words(expression: str, said: str, offset: int, bound: Collection[str]) -> tuple[str, int]:
    """What to say, and the offset of what it is about."""
    if (found := _UNDECLARED.match(said)) is not None:
        return _undeclared(expression, found[1], offset, bound)
    if (found := _OVERLOAD.match(said)) is not None:
        return _overload(found[1], found[2]), offset
    if (found := _UNEXPECTED.match(said)) is not None:
        text = next(group for group in found.groups() if group is not None)
        if text == "<EOF>":
            return "the expression ends too early", offset
        before = expression[:offset].rstrip()
        if re.search(r"\bnot$", before):
            return "there is no `not`; write `!`", len(before) - 3
        hint = _INSTEAD.get(text) or _INSTEAD.get(text[:1], "")
        return f"unexpected {shown(text.strip() or text)}" + (f"; {hint}" if hint else ""), offset
    if said.startswith("missing"):
        return said.replace("'<EOF>'", "the end"), offset
    if "has() argument" in said:
        return "has() takes a path like body.x; for another name write `'x-y' in body`", offset
    return said.replace("; ", ", "), offset


def _undeclared(expression: str, name: str, offset: int, bound: Collection[str]) -> tuple[str, int]:
    first = name.partition(".")[0]
    # the library points at the last dot of a name, and at the bracket of a call
    start = expression.rfind(first, 0, offset + len(first))
    start = offset if start < 0 else start
    if expression[start + len(name) :].lstrip()[:1] == "(":
        if name in FUNCTIONS:
            return f"{name}() takes other arguments", start
        hint = _INSTEAD_OF.get(name) or Speller(FUNCTIONS).hint(name)[2:]
        return f"there is no function {shown(name)}" + (f"; {hint}" if hint else ""), start
    if first in ANSWER:
        return f"{shown(first)} is not bound here; {_bound(bound)}", start
    near = Speller((*bound, *_WORDS)).hint(first)[2:] if first not in ANSWER else ""
    hint = near or _bound(bound)
    return f"nothing is called {shown(first)}; {hint}", start


def _bound(names: Collection[str]) -> str:
    later = (
        "" if ANSWER[0] in names else f", and after the first step of a Sequence {listed(ANSWER)}"
    )
    return f"bound are {listed(names)}{later}"


def reason(said: str) -> str:
    """Why an evaluation came to nothing."""
    if (found := _ABSENT.search(said)) is not None:
        return missing(found[1])
    if "Iteration budget" in said:
        return "its loops go round more than 10,000 times"
    return said.partition(": ")[2] or said


_ABSENT: Final = re.compile(r'No value with name "(.*)" found in Activation')
_INSTEAD_OF: Final = {
    "len": "`size` tells the length",
    "length": "`size` tells the length",
    "count": "`size` tells the length",
    "any": "write `exists`",
    "some": "write `exists`",
    "lower": "`matches('(?i)...')` passes over case",
    "lowerAscii": "`matches('(?i)...')` passes over case",
    "float": "write `double`",
    "str": "write `string`",
}


def _overload(function: str, given: str) -> str:
    name = function if function.isalnum() else _OPERATOR.sub(r"\1", function)
    kinds = [_TYPES.get(kind, kind) for kind in re.split(r", |\.\(", given.strip("()"))]
    hint = ""
    if {"int", "double"} <= set(kinds):
        hint = "; numbers with and without a point do not mix: write double(...) or 1.0"
    elif {"int", "string"} <= set(kinds):
        hint = "; compare alike with alike: `'1'` with text, `1` with numbers"
    return f"{shown(name)} does not go with {' and '.join(kinds)}{hint}"
