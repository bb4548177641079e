"""Golden pictures: byte for byte what the command draws.

The pictures of the documentation are such ones; each can be made again by `graphway render SOURCE
[--graph NS/NAME] -o PICTURE`. Those of `every-word`, whose errors the command refuses, by
`python -m tests.cli.render.test_golden`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.render.command import app
from cli.render.dot import dot
from cli.render.drawing import Picture, draw
from cli.render.mermaid import mermaid
from cli.render.svg import svg
from graph.loader import load

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = ROOT / "configs" / "examples"
DEMO = EXAMPLES / "demo" / "graphs.yaml"
DOCS = ROOT / "docs"
OF_COMMAND = [
    (DOCS / "graph.svg", (DEMO, "--graph", "everything")),
    *(
        (DOCS / "pictures" / f"{kind}.svg", (EXAMPLES / f"{kind}.yaml",))
        for kind in ("sequence", "switch", "splitter", "ensemble", "data", "guards", "fastest")
    ),
    (GOLDEN / "everything.mmd", (DEMO, "--graph", "everything")),
    (GOLDEN / "everything.dot", (DEMO, "--graph", "everything")),
]
FORMATS: dict[str, Callable[[Picture], str]] = {".svg": svg, ".mmd": mermaid, ".dot": dot}


def every_word() -> Picture:
    (document,) = load((GOLDEN / "every-word.yaml").read_text(), "every-word.yaml")
    assert document.graph is not None, document.problems
    return draw(document.graph)


@pytest.mark.parametrize(("picture", "words"), OF_COMMAND, ids=lambda one: getattr(one, "name", ""))
def test_a_picture_is_what_the_command_draws(
    picture: Path, words: tuple[object, ...], tmp_path: Path
) -> None:
    drawn = tmp_path / picture.name
    result = CliRunner().invoke(app, [*map(str, words), "-o", str(drawn)])
    assert result.exit_code == 0, result.output
    assert drawn.read_text() == picture.read_text()


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_word_is_drawn(suffix: str) -> None:
    golden = GOLDEN / f"every-word{suffix}"
    assert FORMATS[suffix](every_word()) == golden.read_text()


if __name__ == "__main__":
    for suffix, write in FORMATS.items():
        (GOLDEN / f"every-word{suffix}").write_text(write(every_word()))
