"""`graphway schema`: what manifests may say, as JSON Schema for editors."""

import json
from typing import Annotated

import typer

from controller.resources.kinds import KINDS, by_name
from controller.resources.schema import schema_of, schema_of_all


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="A kind, its plural or its short name (isvc); all of them without it.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of resource, or of all kinds in one.

    An editor with a YAML language server completes and checks a manifest with it: save it, and
    begin the manifest with `# yaml-language-server: $schema=FILE`.
    """
    if kind is None:
        print(json.dumps(schema_of_all(), indent=1))
        return
    found = by_name(kind)
    if found is None:
        known = ", ".join(item.name for item in KINDS)
        raise typer.BadParameter(f"there is no kind {kind!r}; known are {known}")
    print(json.dumps(schema_of(found), indent=1))
