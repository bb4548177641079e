"""`graphway render`: which graph, which format, where to, and what it says when it cannot."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.render import png
from cli.render.command import app

ONE = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: one}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""
CYCLE = ONE.replace("{serviceName: iris}", "{nodeName: root}")
PNG = b"\x89PNG\r\n\x1a\n"


def rendered(*words: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(map(str, words)), input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.yaml"
    path.write_text(ONE)
    return path


def several(tmp_path: Path) -> Path:
    path = tmp_path / "several.yaml"
    path.write_text(f"{ONE}---{ONE.replace('one', 'other')}---{CYCLE.replace('one', 'bad')}")
    return path


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ((), b"<svg "),
        (("--format", "svg"), b"<svg "),
        (("-f", "mermaid"), b"%% default/one\nflowchart LR\n"),
        (("-f", "dot"), b'digraph "default/one" {\n'),
        (("-f", "png"), PNG),
    ],
    ids=["svg unless told", "svg", "mermaid", "dot", "png"],
)
def test_standard_output(file: Path, words: tuple[str, ...], begins: bytes) -> None:
    result = rendered(file, *words)
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes.startswith(begins)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.svg", b"<svg "),
        ("a.PNG", PNG),
        ("a.mmd", b"%%"),
        ("a.mermaid", b"%%"),
        ("a.dot", b"digraph"),
        ("a.gv", b"digraph"),
    ],
)
def test_the_format_by_the_name_of_the_file(file: Path, name: str, begins: bytes) -> None:
    output = file.with_name(name)
    result = rendered(file, "-o", output)
    assert (result.exit_code, result.stdout) == (0, "")
    assert output.read_bytes().startswith(begins)


def test_standard_input() -> None:
    result = rendered("-", "-f", "dot", stdin=ONE)
    assert result.stdout.startswith("digraph")


@pytest.mark.parametrize("name", ["default/other", "other"])
def test_one_graph_of_several(tmp_path: Path, name: str) -> None:
    result = rendered(several(tmp_path), "-f", "dot", "--graph", name)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith('digraph "default/other"')


def test_which_of_several_must_be_said(tmp_path: Path) -> None:
    result = rendered(several(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == (
        "several graphs there; choose one by --graph:"
        " there are default/one, default/other, default/bad\n"
    )


def test_an_unknown_graph(file: Path) -> None:
    result = rendered(file, "--graph", "lab/none")
    assert result.exit_code == 2
    assert result.stderr == "there is no graph lab/none; there are default/one\n"


def test_a_graph_with_errors_is_not_drawn(tmp_path: Path) -> None:
    result = rendered(several(tmp_path), "--graph", "bad")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error cycle:" in result.stderr


def test_no_graph(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    result = rendered(tmp_path / "config.yaml")
    assert result.exit_code == 1
    assert result.stderr == "no InferenceGraph there; name files that have one\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("missing.yaml",), "error unreadable-path"),
        (("-o", "a.bmp"), "a.bmp: its name tells no format (.svg, .png, "),
        (("-o", "nowhere/a.svg"), "nowhere/a.svg: cannot be written: No such file"),
    ],
    ids=["an input that is not there", "a suffix that says nothing", "an output nowhere"],
)
def test_paths_that_cannot_be_used(file: Path, words: tuple[str, ...], said: str) -> None:
    result = rendered(file, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_themes(file: Path) -> None:
    pictures = {theme: rendered(file, "--theme", theme).stdout for theme in ("light", "dark")}
    assert pictures["light"] != pictures["dark"]
    assert "prefers-color-scheme" not in pictures["light"] + pictures["dark"]
    assert "prefers-color-scheme" in rendered(file).stdout


def test_too_many_steps(tmp_path: Path) -> None:
    steps = ", ".join("{serviceName: iris, condition: '@this'}" for _ in range(2000))
    text = ONE.replace("Sequence", "Switch").replace("{serviceName: iris}", steps)
    (tmp_path / "large.yaml").write_text(text)
    result = rendered(tmp_path / "large.yaml")
    assert result.exit_code == 1
    assert "too many to draw" in result.stderr


def test_a_png_without_its_library(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    result = rendered(file, "-f", "png")
    assert result.exit_code == 1
    assert "pip install 'graphway[render]'" in result.stderr


def test_a_png_without_a_font(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "_WORD", png._WORD.replace("{}", "<!--{}-->"))
    result = rendered(file, "-f", "png")
    assert result.exit_code == 1
    assert "needs a font" in result.stderr
