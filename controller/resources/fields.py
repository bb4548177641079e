"""What pydantic found wrong with a resource's fields, in our words: where, what, how to mend it."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from graph.codes import Code
from graph.loader.found import MAX_PROBLEMS
from graph.problems import Path, Problem
from graph.wording import Speller, listed, shown

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "quantity": "a quantity such as 1, 500m or 2Gi",
    "int_or_string": "a whole number or text",
}


def field_problems(model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    for fault in islice(error.errors(include_url=False), MAX_PROBLEMS + 1):
        path: Path = fault["loc"]
        kind, value = fault["type"], fault["input"]
        if kind == "missing":
            yield Code.MISSING_FIELD.at(path, f"{shown(str(path[-1]))} is missing; add it")
        elif kind == "extra_forbidden":
            yield Code.UNKNOWN_FIELD.at(path, _unknown(model, path))
        elif kind in _EXPECTED:
            yield Code.WRONG_TYPE.at(path, f"expected {_EXPECTED[kind]}, found {_found(value)}")
        elif kind in ("too_short", "string_too_short"):
            yield Code.BAD_VALUE.at(path, f"{shown(str(path[-1]))} is empty; add one")
        elif kind == "literal_error":
            yield Code.BAD_VALUE.at(path, _chosen(str(fault["ctx"]["expected"]), value))
        elif kind == "string_pattern_mismatch":
            pattern = fault["ctx"]["pattern"]
            message = f"{_plain(value)} does not match `{pattern}`; write one that does"
            yield Code.BAD_VALUE.at(path, message)
        else:  # a bound of a number or of a length
            message = str(fault["msg"]).removeprefix("Input should be ")
            yield Code.BAD_VALUE.at(path, f"expected {message}, found {_plain(value)}")


def without_unknown(data: Mapping[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """The data without the keys that nobody knows; None if there are other faults."""
    faults = error.errors(include_url=False)
    if any(fault["type"] != "extra_forbidden" for fault in faults):
        return None
    rest = deepcopy(dict(data))
    for fault in faults:
        *path, key = fault["loc"]
        owner: Any = rest
        for part in path:
            owner = owner[part]
        del owner[key]
    return rest


def keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(model: type[BaseModel], path: Path) -> str:
    key = str(path[-1])
    owners = list(_owners(model, path[:-1]))
    here, place = owners[-1]
    unknown = f"unknown key {shown(key)}"
    for other, where in reversed(owners[:-1]):
        if key in keys(other):
            return f"{unknown}; it belongs into {_at(where)}"
    for child, field in here.model_fields.items():
        inner = _model(field.annotation)
        if inner is not None and key in keys(inner) and not key.startswith("name"):
            return f"{unknown}; it belongs into {_at((*place, field.alias or child))}"
    if (near := Speller(keys(here)).nearest(key)) is not None:
        return f"{unknown}; did you mean {shown(near)}?"
    known = keys(here)
    if len(known) > _MANY:
        return f"{unknown} in {_at(place)}; remove it"
    return f"{unknown}; {_at(place)} has {listed(known)}"


_MANY = 12  # more words than that help nobody


def _at(path: Path) -> str:
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return shown("".join(words)[1:]) if words else "the manifest"


def _owners(model: type[BaseModel], path: Path) -> Iterator[tuple[type[BaseModel], Path]]:
    """The models along a path, outermost first."""
    here: Any = model
    yield model, ()
    for depth, part in enumerate(path, start=1):
        found = _model(here)
        if found is None or isinstance(part, int):
            here = _inner(here)
        else:
            given = {field.alias or name: field for name, field in found.model_fields.items()}
            here = given[part].annotation if part in given else None
        if isinstance(here, type) and issubclass(here, BaseModel):
            yield here, path[:depth]
        elif (inner := _model(here)) is not None and get_origin(here) not in (tuple, dict):
            yield inner, path[:depth]


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model that a type is, or may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return next((m for arg in get_args(annotation) if (m := _model(arg)) is not None), None)
    return None


def _inner(annotation: Any) -> Any:
    """What a list or mapping holds."""
    match get_origin(annotation):
        case origin if origin is tuple:
            return get_args(annotation)[0]
        case origin if origin is dict:
            return get_args(annotation)[1]
    return None


def _chosen(expected: str, value: Any) -> str:
    words = [word for word in expected.replace(" or ", ", ").split(", ") if word.strip("'")]
    choices = [word.strip("'") for word in words]
    if isinstance(value, str):
        hint = Speller(choices).hint(value)
        return f"{shown(value)} is not known here{hint or f'; choose one of {listed(choices)}'}"
    return f"expected one of {listed(choices)}, found {_plain(value)}"


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
