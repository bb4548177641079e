"""What pydantic found wrong with a manifest's fields, in our words: code, path, how to mend it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError

from graph.codes import Code
from graph.loader.found import MAX_PROBLEMS
from graph.problems import Path, Problem
from graph.spec import (
    API_VERSION,
    Condition,
    GraphSpec,
    GraphStatus,
    InferenceGraph,
    Node,
    Respond,
    RouterTimeouts,
    Step,
    StepHeaders,
)
from graph.wording import Speller, listed, shown

_ANY = "*"
_OWNERS: tuple[tuple[Path, type[BaseModel], str], ...] = (
    ((), InferenceGraph, "a manifest"),
    (("spec",), GraphSpec, "`spec`"),
    (("spec", "nodes", _ANY), Node, "a node"),
    (("spec", "nodes", _ANY, "steps", _ANY), Step, "a step"),
    (("spec", "routerTimeouts"), RouterTimeouts, "`routerTimeouts`"),
    (("spec", "nodes", _ANY, "steps", _ANY, "headers"), StepHeaders, "`headers` of a step"),
    (("spec", "nodes", _ANY, "steps", _ANY, "respond"), Respond, "`respond`"),
    (("status",), GraphStatus, "`status`"),
    (("status", "conditions", _ANY), Condition, "a condition of the status"),
)
_EXPECTED = {  # pydantic's type of error -> what should stand there
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
}
_CHOICES = ("enum", "literal_error")


def field_problems(error: ValidationError) -> Iterator[Problem]:
    spellers: dict[str, Speller] = {}
    for fault in islice(error.errors(include_url=False), MAX_PROBLEMS + 1):
        path: Path = fault["loc"]
        kind, value = fault["type"], fault["input"]
        if path == ("apiVersion",):
            message = f"expected {shown(API_VERSION)}, found {_described(value)}"
            yield Code.API_VERSION.at(path, message)
        elif kind == "missing":
            yield Code.MISSING_FIELD.at(path, f"{shown(str(path[-1]))} is missing; add it")
        elif kind == "extra_forbidden":
            yield Code.UNKNOWN_FIELD.at(path, _unknown(path, spellers))
        elif kind in _EXPECTED:
            yield Code.WRONG_TYPE.at(path, _mistyped(_EXPECTED[kind], value))
        elif kind in _CHOICES:
            yield Code.BAD_VALUE.at(path, _chosen(fault["ctx"]["expected"], value, spellers))
        else:  # the bounds of a number
            message = f"{_described(value)} is out of range; {_bound(fault.get('ctx', {}))}"
            yield Code.BAD_VALUE.at(path, message)


def _unknown(path: Path, spellers: dict[str, Speller]) -> str:
    key = str(path[-1])
    model, owner = next(  # only these models refuse unknown keys, so one of them it is
        (model, owner)
        for pattern, model, owner in _OWNERS
        if len(pattern) == len(path) - 1
        and all(wanted in (_ANY, part) for wanted, part in zip(pattern, path, strict=False))
    )
    for _, other, place in _OWNERS:
        if key in _keys(other):
            return f"{owner} has no key {shown(key)}; it belongs to {place}"
    known = _keys(model)
    near = spellers.setdefault(owner, Speller(known)).nearest(key)
    if near is not None:
        return f"unknown key {shown(key)}; did you mean {shown(near)}?"
    return f"unknown key {shown(key)}; {owner} has {listed(known)}"


def _bound(given: dict[str, Any]) -> str:
    least, most = given.get("ge"), given.get("le")
    if least is not None and least >= 0:
        return f"give it at least {least:g}"
    if most is not None:
        return f"give it at most {most:g}"
    return "KServe keeps it in fewer bits"


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _mistyped(expected: str, value: Any) -> str:
    message = f"expected {expected}, found {_described(value)}"
    if expected == "text" and isinstance(value, bool):
        return f"{message} (as YAML reads yes, no, on, off, y and n too); put it in quotes"
    if expected == "text" and isinstance(value, int | float):
        return f"{message}; put it in quotes"
    if expected.endswith("number") and isinstance(value, str):
        return f"{message}; write the number without quotes"
    if value is None:
        return f"{message}; give it a value or remove the key"
    return message


def _chosen(expected: str, value: Any, spellers: dict[str, Speller]) -> str:
    if not isinstance(value, str):
        return f"expected one of {_words(expected)}, found {_described(value)}"
    speller = spellers.setdefault(expected, Speller(_split(expected)))
    if (near := speller.nearest(value)) is not None:
        return f"{shown(value)} is not known here; did you mean {shown(near)}?"
    return f"{shown(value)} is not known here; choose one of {_words(expected)}"


def _split(expected: str) -> list[str]:
    """pydantic lists choices as `'Soft', 'Medium' or 'Hard'`."""
    quoted = expected.replace(" or ", ", ").split(", ")
    return [word for part in quoted if (word := part.strip("'"))]


def _words(expected: str) -> str:
    return listed(_split(expected))


def _described(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "`true`" if value else "`false`"
        case int() | float():
            return f"number {value}"
        case str():
            return f"text {shown(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"
