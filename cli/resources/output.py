"""The forms that `-o` can ask for: tables are the server's, the others are made of the objects.

What nobody reads (`managedFields`) is left out, as kubectl does.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer

from controller.client.api import Json, ServedKind


class Form(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"

    @property
    def is_table(self) -> bool:
        return self in (Form.TABLE, Form.WIDE)


Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to print; wide: a table with all its columns.")
]

Found = tuple[ServedKind, Json]


def put(lines: Iterable[str]) -> None:
    """At once: whoever follows in a pipe waits for it."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def put_objects(form: Form, objects: Sequence[Found], *, one: bool) -> None:
    """`one`: a single object was asked for, so it is no list."""
    if form is Form.NAME:
        put(name_of(kind, item) for kind, item in objects)
        return
    shown = [readable(item) for _, item in objects]
    body = shown[0] if one and shown else {"apiVersion": "v1", "kind": "List", "items": shown}
    put([as_text(form, body)])


def name_of(kind: ServedKind, item: Json) -> str:
    return f"{kind.full_name}/{item['metadata']['name']}"


def readable(item: Json) -> Json:
    kept = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return item | {"metadata": kept}


def as_text(form: Form, body: Json) -> str:
    return json.dumps(body, indent=4, ensure_ascii=False) if form is Form.JSON else as_yaml(body)


def as_yaml(body: Json) -> str:
    # The models behind it take longer to load than most answers to come.
    text: str = import_module("controller.resources.model").to_yaml(body)
    return text.rstrip("\n")
