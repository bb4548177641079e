"""docs/checks.md is the registry of codes: no room has a problem that it does not list."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from controller.resources.codes import Code as OfResources
from graph.codes import Code as OfGraphs

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([a-z-]+)` \| (error|warning)(\*?) \|", re.MULTILINE)
REGISTRIES = {"graph/codes.py", "controller/resources/codes.py"}


def test_the_document_lists_every_code_with_its_severity_in_order() -> None:
    rows = ROW.findall((ROOT / "docs/checks.md").read_text())
    graphs = [(code.text, str(code.severity), "*" * code.admission) for code in OfGraphs]
    shared = {code.text for code in OfGraphs}
    resources = [(text, str(severity), "") for text, severity in (c.value for c in OfResources)]
    assert rows == graphs + [row for row in resources if row[0] not in shared]


def test_only_the_registries_make_problems() -> None:
    """So that a code which the document does not list cannot reach anybody."""
    assert set(makers_of_problems()) == REGISTRIES


def makers_of_problems() -> Iterator[str]:
    for room in ("graph", "router", "controller", "cli"):
        for file in sorted((ROOT / room).rglob("*.py")):
            calls = (node for node in ast.walk(ast.parse(file.read_text())))
            names = (ast.unparse(node.func) for node in calls if isinstance(node, ast.Call))
            if any(name.rpartition(".")[2] == "Problem" for name in names):
                yield str(file.relative_to(ROOT))
