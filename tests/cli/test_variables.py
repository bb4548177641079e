"""docs/settings.md names every environment variable that the code reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from router.settings import Settings, variable

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"GRAPHWAY_[A-Z_]*[A-Z]")
ENVIRONMENT = re.compile(r"(?:.*\.)?_?environ(?:ment)?$")  # os.environ, or what is passed for it
OF_EVERY_PROGRAM = {"HOME", "PATH", "PYTHONPATH"}


def test_every_variable_is_documented() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    settings = {variable(field) for field in Settings.model_fields}
    assert documented == settings | set(read_by_the_code()) - OF_EVERY_PROGRAM


def read_by_the_code() -> Iterator[str]:
    for room in ("graph", "router", "controller", "cli"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                match node:
                    case ast.Constant(value=str(name)) if OURS.fullmatch(name):
                        yield name
                    case (
                        ast.Call(
                            func=ast.Attribute(value=place, attr="get"),
                            args=[ast.Constant(value=str(name)), *_],
                        )
                        | ast.Subscript(value=place, slice=ast.Constant(value=str(name)))
                        | ast.Compare(left=ast.Constant(value=str(name)), comparators=[place])
                    ) if ENVIRONMENT.match(ast.unparse(place)):
                        yield name
