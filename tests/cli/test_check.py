"""`graphway check` as people and scripts use it: lines, summary, exit codes, help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: graph}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""
WARNS = GOOD.replace("serviceName: iris", "serviceName: iris, weight: 1")
BAD = GOOD.replace("serviceName: iris", "nodeName: iris")


def graphway(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *args],
        input=stdin,
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("good", GOOD), ("warns", WARNS), ("bad", BAD), ("empty", "# later\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "nothing").mkdir()
    return tmp_path


EXITS = [
    ("a good file", ["good.yaml"], 0),
    ("a good file, strictly", ["--strict", "good.yaml"], 0),
    ("a warning", ["warns.yaml"], 0),
    ("a warning, strictly", ["warns.yaml", "--strict"], 1),
    ("an error", ["bad.yaml"], 1),
    ("an error beside a good file", ["good.yaml", "bad.yaml"], 1),
    ("an empty file", ["empty.yaml"], 1),
    ("a folder without manifests", ["nothing"], 1),
    ("a path that is not there", ["good.yaml", "none.yaml"], 2),
    ("no path", [], 2),
    ("an unknown option", ["--stric", "good.yaml"], 2),
]


@pytest.mark.parametrize(("args", "code"), [e[1:] for e in EXITS], ids=[e[0] for e in EXITS])
def test_exit_codes(folder: Path, args: list[str], code: int) -> None:
    done = graphway("check", *(a if a.startswith("-") else str(folder / a) for a in args))
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr


def test_lines_and_summary(folder: Path) -> None:
    done = graphway("check", str(folder / "bad.yaml"), str(folder / "warns.yaml"))
    assert done.stdout.splitlines() == [
        f"{folder}/bad.yaml:4:54: error unknown-node: there is no node `iris`;"
        " add it, or name another",
        f"{folder}/warns.yaml:3:12: error duplicate-graph: graph default/graph is already in"
        f" {folder}/bad.yaml:3; rename or remove one",
        f"{folder}/warns.yaml:4:73: warning weight-ignored: only a Splitter and `combine:"
        " weightedMean` use weights; remove it",
    ]
    assert done.stderr == "2 graphs, 0 other documents in 2 files: 2 errors, 1 warning\n"


def test_standard_input() -> None:
    done = graphway("check", "-", stdin=b"a: \xff")
    assert done.stdout.startswith("<stdin>:1:4: error not-text: ")
    assert done.returncode == 1


def test_the_kserve_option(tmp_path: Path) -> None:
    file = tmp_path / "graph.yaml"
    file.write_text(GOOD.replace("iris", "iris, condition: 'jmespath:a'"))
    assert graphway("check", str(file)).stdout == ""
    done = graphway("check", "--kserve", str(file))
    assert "warning kserve-condition: " in done.stdout
    assert done.returncode == 0


def test_a_file_name_that_is_no_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(name, "wb") as file:
        file.write(b"")
    done = graphway("check", str(tmp_path))
    assert done.returncode == 1
    assert "udcff.yaml':1:1: error no-documents: " in done.stdout


def test_help_lists_the_commands() -> None:
    done = graphway("--help")
    assert done.returncode == 0
    assert "Find every problem of some manifests." in done.stdout
    assert graphway().stdout.strip() == done.stdout.strip()


def test_help_of_check_tells_its_options_and_exit_codes() -> None:
    text = graphway("check", "--help").stdout
    assert all(word in text for word in ("PATH", "--strict", "--kserve", "Exit code"))


def test_an_unknown_command_is_wrong_usage() -> None:
    done = graphway("chekc")
    assert done.returncode == 2
    assert "chekc" in done.stderr


def test_version() -> None:
    assert graphway("version").stdout.startswith("graphway ")


def test_help_imports_no_room() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from cli.commands import app;"
        " CliRunner().invoke(app, ['--help']);"
        " print([m for m in sys.modules if m.split('.')[0] in ('graph', 'router', 'pydantic')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_graphs_that_call_one_another_by_the_usual_port(tmp_path: Path) -> None:
    def calling(name: str, other: str) -> str:
        url = f"serviceUrl: 'http://localhost:8080/graphs/default/{other}'"
        return GOOD.replace("name: graph", f"name: {name}").replace("serviceName: iris", url)

    (tmp_path / "a.yaml").write_text(calling("a", "b") + "---\n" + calling("b", "a"))
    done = graphway("check", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.count("error graph-loop: ") == 2
