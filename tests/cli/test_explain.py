"""`graphway explain runtime`: a table for people, lines for pipes, JSON for scripts, exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.explain import app
from tests.controller.manifests import runtime, service

SKLEARN = "[{name: sklearn, autoSelect: true, priority: 9}]"
MINE = runtime("mine", SKLEARN)
HERE = runtime("mine", SKLEARN, container="{name: kserve-container, command: [sh]}")
IRIS = service("sklearn: {storageUri: ./model}")
NOBODY = service("model: {modelFormat: {name: nobody}, storageUri: ./model}", name="nobody")
OWN = service("containers: [{image: x}]", name="own")


def explained(
    folder: Path, *texts: str, options: tuple[str, ...] = (), color: bool = False
) -> Result:
    (folder / "all.yaml").write_text("\n---\n".join(texts))
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": None} if color else {"NO_COLOR": "1"}
    words = ["runtime", str(folder / "all.yaml"), *options]
    return CliRunner().invoke(app, words, env={"COLUMNS": "120", **terminal})


def test_lines_in_a_pipe(tmp_path: Path) -> None:
    result = explained(tmp_path, IRIS, OWN, HERE)
    assert result.exit_code == 0, result.output
    heading, columns, *rows, empty, own = result.stdout.splitlines()
    assert heading == "default/iris (sklearn): mine, protocol v1"
    assert columns.split() == ["RUNTIME", "OF", "VERDICT", "WHY"]
    words = {row.split()[0]: row.split("   ")[-1].strip() for row in rows}
    assert words["mine"] == "the first of 2 that fit"
    assert words["kserve-sklearnserver"].startswith("mine goes before it by priority 9, it has 1")
    assert words["kserve-xgbserver"] == "it does not serve sklearn"
    assert len({row.index(words[row.split()[0]]) for row in rows}) == 1, "columns stay in line"
    assert (empty, own) == ("", "default/own: containers of its own; it needs no runtime")


def test_a_table_on_a_terminal(tmp_path: Path) -> None:
    result = explained(tmp_path, IRIS, HERE, color=True)
    assert result.exit_code == 0, result.output
    assert "┃" in result.stdout
    assert "the first of 2 that fit" in result.stdout


def test_what_this_machine_cannot_run_is_passed_over_unless_a_cluster_is_meant(
    tmp_path: Path,
) -> None:
    here = json.loads(explained(tmp_path, IRIS, MINE, options=("-o", "json")).stdout)
    rows = {row["name"]: row for row in here[0]["runtimes"]}
    assert rows["kserve-sklearnserver"]["verdict"] == "chosen"
    assert rows["mine"]["why"].startswith("it has only an image")
    there = explained(tmp_path, IRIS, MINE, options=("--cluster", "-o", "json"))
    assert there.exit_code == 0
    assert json.loads(there.stdout) == [
        {
            "service": "default/iris",
            "format": "sklearn",
            "version": None,
            "protocol": "v1",
            "runtimes": [
                {
                    "name": "mine",
                    "of": "cluster",
                    "verdict": "chosen",
                    "why": "the only one that fits",
                }
            ],
        }
    ]


def test_nobody_serves_it(tmp_path: Path) -> None:
    result = explained(tmp_path, NOBODY, IRIS)
    assert result.exit_code == 1
    assert "default/nobody (nobody): NoSupportingRuntime: no runtime serves nobody" in result.stdout
    said = json.loads(explained(tmp_path, NOBODY, options=("-o", "json")).stdout)
    assert said[0]["reason"] == "NoSupportingRuntime"
    assert {row["verdict"] for row in said[0]["runtimes"]} == {"passed over"}


def test_containers_of_its_own_need_nobody(tmp_path: Path) -> None:
    result = explained(tmp_path, OWN, options=("-o", "json"))
    assert (result.exit_code, json.loads(result.stdout)) == (0, [{"service": "default/own"}])


EXITS = {
    "a manifest with an error": ([service("sklearn: {storageUrl: x}")], (), 1, "storageUrl"),
    "no InferenceService": ([HERE], (), 1, "no InferenceService"),
    "a path that is not there": ([IRIS], ("/nowhere.yaml",), 2, "/nowhere.yaml"),
    "an unknown form": ([IRIS], ("-o", "xml"), 2, "xml"),
}


@pytest.mark.parametrize(("texts", "options", "code", "words"), EXITS.values(), ids=EXITS)
def test_exit_codes(
    tmp_path: Path, texts: list[str], options: tuple[str, ...], code: int, words: str
) -> None:
    result = explained(tmp_path, *texts, options=options)
    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_the_guide_shows_what_it_prints(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/runtimes.md").read_text()
    _, _, shown = guide.partition("```\ndefault/iris")
    assert explained(tmp_path, IRIS).stdout == f"default/iris{shown.partition('```')[0]}"
