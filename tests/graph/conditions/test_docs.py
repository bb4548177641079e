"""The tables of docs/conditions.md: what is recommended has no warnings, what is not has one."""

import json
import re
from pathlib import Path

import pytest

from graph.caller import Caller
from graph.conditions import compile
from graph.document import Document
from graph.effects import Input, Payload

DOCS = Path(__file__).parents[3] / "docs" / "conditions.md"


def table(heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table below a heading, the first one if not told, without its head."""
    section = DOCS.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[number].splitlines()[2:]
    return [re.split(r"(?<!\\)\|", row.strip("|")) for row in rows]


def texts(cell: str) -> list[str]:
    """What stands in backticks."""
    return [text.replace("\\|", "|") for text in re.findall(r"`([^`]+)`", cell)]


RECOMMENDED = [text for row in table("The one rule of GJSON") for text in texts(row[0])]
INSTEAD = [text for row in table("Pitfalls") for text in texts(row[2])]
DISCOURAGED = [text for row in table("Pitfalls") for text in texts(row[0])]


@pytest.mark.parametrize("text", [*RECOMMENDED, *INSTEAD])
def test_what_is_recommended_has_no_warning(text: str) -> None:
    assert compile(text).warnings == ()


@pytest.mark.parametrize("text", DISCOURAGED)
def test_a_pitfall_has_a_warning(text: str) -> None:
    assert compile("" if text == '""' else text).warnings


@pytest.mark.parametrize("expression", re.findall(r'condition: "(jmespath:.+)"', DOCS.read_text()))
def test_expressions_compile(expression: str) -> None:
    assert compile(expression).warnings == ()


CEL = [text for row in table("CEL", 1) for text in texts(row[0]) if text.startswith("cel:")]
CEL += re.findall(r'condition: "(cel:.+)"', DOCS.read_text())


@pytest.mark.parametrize("expression", CEL)
def test_what_cel_shows_compiles(expression: str) -> None:
    assert compile(expression).warnings == ()


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ({"instances": [{"x": 11, "kind": "dog"}]}, {4}),
        ({"score": 0.5, "model": "qwen-7"}, {5, 7}),
        ({"score": 0.9, "model": "llama-7b"}, {6}),
        ({"instances": [0] * 9, "user": {"plan": "pro"}}, {1, 3}),
    ],
)
def test_what_cel_shows_matches_as_told(body: dict[str, object], held: set[int]) -> None:
    """By row; 8 and 9 look elsewhere, 10 matches always."""
    caller = Caller(headers=((b"x-tier", b"gold"),))
    request = Input(Payload(Document(json.dumps(body).encode()), ()), caller=caller)
    found = {
        number for number, row in enumerate(table("CEL", 1), 1) if compile(*texts(row[0]))(request)
    }
    assert found == {*held, 10}


def test_the_graph_goes_where_the_text_says() -> None:
    conditions = [
        compile(text)
        for text in ('[@this].#(model%"llama-*")', 'messages.#(role=="tool")', "@this")
    ]
    for body, chosen in (
        (b'{"model": "llama-3"}', 0),
        (b'{"messages": [{"role": "tool"}]}', 1),
        (b"{}", 2),
    ):
        assert [condition(body) for condition in conditions].index(True) == chosen
