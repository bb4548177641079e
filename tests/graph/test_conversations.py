"""Golden conversations: each file in tests/cases/walks, and many an example in configs, holds a
manifest and what it says to its predictors.

After the manifest come conversations as comments, each of them begun by `# sent BODY` (or
`# sent BODY seed NUMBER`, or `# sent BODY with NAME: VALUE` for a header) and written as playbooks
are: see tests/scripts.py. To add a case, add a file or a conversation.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.caller import Caller
from graph.compiler import compile
from graph.loader import load
from tests.scripts import play

CASES = Path(__file__).parents[1] / "cases" / "walks"
EXAMPLES = Path(__file__).parents[2] / "configs" / "examples"
SENT = re.compile(r"# sent (?P<body>.*?)(?: seed (?P<seed>\d+))?(?: with (?P<header>[\w-]+: .+))?")


@dataclass(frozen=True)
class Conversation:
    manifest: str
    body: str
    seed: int
    header: str
    playbook: str


def conversations() -> dict[str, Conversation]:
    found: dict[str, Conversation] = {}
    for file in (*sorted(CASES.glob("*.yaml")), *sorted(EXAMPLES.glob("*.yaml"))):
        manifest, *blocks = re.split(r"^(?=# sent )", file.read_text(), flags=re.MULTILINE)
        for number, block in enumerate(blocks, 1):
            first, *lines = block.splitlines()
            match = SENT.fullmatch(first)
            assert match, f"{file.name}: {first}"
            found[f"{file.stem}-{number}"] = Conversation(
                manifest,
                match["body"],
                int(match["seed"] or 0),
                match["header"] or "",
                "\n".join(line.removeprefix("# ") for line in lines),
            )
    return found


FOUND = conversations()


@pytest.mark.parametrize("name", FOUND)
def test_conversation(name: str) -> None:
    case = FOUND[name]
    (document,) = load(case.manifest)
    assert document.graph is not None, document.problems
    name, _, value = case.header.encode().partition(b": ")
    caller = Caller(headers=((name.lower(), value),) if name else ())
    play(compile(document.graph), case.body, case.playbook, seed=case.seed, caller=caller)


def test_every_file_has_a_conversation() -> None:
    assert {name.rsplit("-", 1)[0] for name in FOUND} >= {file.stem for file in CASES.iterdir()}
