"""What pydantic found wrong with a resource's fields, in our words."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from graph.codes import Code
from graph.problems import Path, Problem
from graph.wording import shown

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
}


def field_problems(error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False):
        path: Path = fault["loc"]
        kind, value = fault["type"], fault["input"]
        if kind == "missing":
            yield Code.MISSING_FIELD.at(path, f"{shown(str(path[-1]))} is missing; add it")
        elif kind in _EXPECTED:
            yield Code.WRONG_TYPE.at(path, f"expected {_EXPECTED[kind]}, found {_found(value)}")
        elif kind in ("too_short", "string_too_short"):
            yield Code.BAD_VALUE.at(path, f"{shown(str(path[-1]))} is empty; add one")
        else:  # a bound of a number, a choice
            message = str(fault["msg"]).removeprefix("Input should be ")
            yield Code.BAD_VALUE.at(path, f"expected {message}, found {_plain(value)}")


def _found(value: Any) -> str:
    match value:
        case None:
            return "nothing; give it a value or remove the key"
        case bool() | int() | float():
            return f"{_plain(value)}; put it in quotes if text is meant"
    return _plain(value)


def _plain(value: Any) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"number {value}"
        case str():
            return f"text {shown(value)}"
        case list() | tuple():
            return "a list"
    return "a mapping"
