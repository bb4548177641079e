"""The JSONPath of printer columns: keys, `[*]`, `[0]` and `[?(@.key=='text')]`; nothing else.

Compiled once for each column. What a path does not find is no value, never an error.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

_Step = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"""\.(?P<key>(?:\\\.|[^.\[\]])+)
      | \[(?P<all>\*)\]
      | \[(?P<index>-?\d+)\]
      | \['(?P<quoted>[^']*)'\]
      | \[\?\(@\.(?P<field>[\w.]+)\s*==\s*(?P<value>'[^']*'|"[^"]*"|true|false)\)\]
    """,
    re.VERBOSE,
)


@cache
def compile_path(path: str) -> Callable[[Any], list[Any]]:
    """ValueError if it is none of these."""
    steps: list[_Step] = []
    at = 0
    while at < len(path):
        token = _TOKEN.match(path, at)
        if token is None:
            raise ValueError(f"{path!r} is no path that a column can have, from {path[at:]!r}")
        steps.append(_step(token))
        at = token.end()

    def find(value: Any) -> list[Any]:
        found: Iterable[Any] = [value]
        for step in steps:
            found = [inner for outer in found for inner in step(outer)]
        return list(found)

    return find


def _step(token: re.Match[str]) -> _Step:
    if (key := token["key"] or token["quoted"]) is not None:
        return _member(key.replace("\\.", "."))
    if token["all"]:
        return lambda value: iter(value if isinstance(value, list) else ())
    if token["index"]:
        return _item(int(token["index"]))
    wanted = {"true": True, "false": False}.get(token["value"], token["value"].strip("'\""))
    return _filter(compile_path("." + token["field"]), wanted)


def _member(key: str) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and value.get(key) is not None:
            yield value[key]

    return step


def _item(index: int) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _filter(find: Callable[[Any], list[Any]], wanted: object) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            if any(type(found) is type(wanted) and found == wanted for found in find(item)):
                yield item

    return step
