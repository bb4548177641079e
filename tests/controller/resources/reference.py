"""The tables of docs/resources.md as the models have them: a class -> its fields with types.

A field stands where it is declared. Types of Kubernetes' own API count as known.
"""

from collections.abc import Iterator
from inspect import get_annotations
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from controller.resources import core
from controller.resources.kinds import KINDS
from controller.resources.model import Model
from controller.resources.resource import Resource
from graph.spec import InferenceGraph

_HEAD = ("apiVersion", "kind", "metadata")
_PLAIN = {"str": "text", "int": "integer", "bool": "true or false", "float": "number"}


def tables() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        if kind.model is not InferenceGraph:
            for model in _models(kind.model):
                found.setdefault(model.__name__, _fields(model))
    return {name: fields for name, fields in found.items() if fields}


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """This one, those that it extends and those below it, each before its parts."""
    for base in model.__mro__:
        if issubclass(base, Model) and base.__module__ not in (core.__name__, Model.__module__):
            if not issubclass(base, Resource):  # which are a spec and a status
                yield base
            for name in _own(base):
                for inner in _inner(base.model_fields[name].annotation):
                    yield from _models(inner)


def _own(model: type[BaseModel]) -> list[str]:
    return [name for name in get_annotations(model) if name in model.model_fields]


def _fields(model: type[BaseModel]) -> dict[str, str]:
    rows = {}
    for name in _own(model):
        field = model.model_fields[name]
        key = field.alias or name
        if key not in _HEAD:
            needed = ", required" if field.is_required() else ""
            rows[key] = f"{_type(field.annotation)}{needed}"
    return rows


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _inner(argument)


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments if word)
    if origin in (Union, UnionType):
        kinds = [kind for kind in arguments if kind is not type(None)]
        return "quantity" if len(kinds) > 1 else _type(kinds[0])
    if issubclass(annotation, BaseModel):
        where = "" if annotation.__module__ != core.__name__ else " (Kubernetes)"
        return f"{annotation.__name__}{where}"
    return _PLAIN[annotation.__name__]
