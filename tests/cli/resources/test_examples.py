"""Each command that a help text or the guide shows is one that there is, with options it has."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from cli.commands import COMMANDS, app

GUIDE = Path(__file__).parents[3] / "docs/command-line.md"
OURS = (
    *("get", "describe", "top", "apply", "delete", "logs", "events", "stop", "resume", "rollback"),
    "completion",
)

root = get_command(app)
context = root.make_context("graphway", [], resilient_parsing=True)


def commands(lines: Iterable[str]) -> Iterator[list[str]]:
    """The words of each, without the first; what is piped into another is one of its own."""
    for line in lines:
        for part in re.split(r"[|&<>()]+", re.split(r" {3}", line.strip())[0]):
            words = shlex.split(part)
            if words[:1] == ["graphway"]:
                yield words[1:]


def in_the_guide() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return [*commands(line for block in blocks for line in block.splitlines())]


def in_the_help() -> list[list[str]]:
    epilogs = [root.resolve_command(context, [name])[1].epilog or "" for name in OURS]  # type: ignore[attr-defined]
    return [*commands(line for epilog in epilogs for line in epilog.splitlines())]


@pytest.mark.parametrize("words", [*in_the_guide(), *in_the_help()], ids=" ".join)
def test_an_example_is_a_command_that_there_is(words: list[str]) -> None:
    if words == ["--install-completion"]:
        assert any("--install-completion" in option.opts for option in root.params)
        return
    name, command, rest = root.resolve_command(context, words)  # type: ignore[attr-defined]
    assert command.make_context(name, rest, parent=context).args == []


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_in_the_guide_and_teaches(name: str) -> None:
    assert name in COMMANDS
    assert name in {words[0] for words in in_the_guide()}
    assert name in {words[0] for words in in_the_help()}
