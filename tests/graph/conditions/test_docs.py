"""The tables of docs/conditions.md: what is recommended has no warnings, what is not has one."""

import re
from pathlib import Path

import pytest

from graph.conditions import compile

DOCS = Path(__file__).parents[3] / "docs" / "conditions.md"


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    section = DOCS.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
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
