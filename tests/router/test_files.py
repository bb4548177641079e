"""Graphs from files: what loads, what is bad and whose it is, through edits as people make them."""

import json
import os
from pathlib import Path

import pytest

from router.files import Beside, FileSource, JsonSource
from router.generation import Generation, settle
from tests.kit.manifests import graph

URL = {"serviceUrl": "http://127.0.0.1:9/p"}
A = graph("a", "Sequence", URL)
B = graph("b", "Sequence", URL)
A2 = graph("a", "Sequence", URL, URL)


class Edited:
    """A folder that is served, edit by edit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = FileSource([str(folder)])
        self.generation = Generation()

    def write(self, **texts: str | None) -> "Edited":
        for name, text in texts.items():
            file = self.folder / f"{name}.yaml"
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        self.generation = settle(self.generation, self.source.load(), 0.0)
        return self

    def shown(self) -> dict[str, str]:
        """Which graphs serve: with one step or two, and ! where the newest edit is bad."""
        return {
            key.partition("/")[2]: str(graph.loaded.source.manifest.count(b"serviceUrl"))
            + ("!" if graph.stale else "")
            for key, graph in self.generation.graphs.items()
        }


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path).write(one=A + B)


@pytest.mark.parametrize(
    ("edit", "served"),
    [
        pytest.param({"one": A2 + B}, {"a": "2", "b": "1"}, id="a good edit"),
        pytest.param({"one": B}, {"b": "1"}, id="a document goes"),
        pytest.param({"one": None}, {}, id="the file goes"),
        pytest.param({"one": ""}, {"a": "1!", "b": "1!"}, id="the file is emptied"),
        pytest.param({"one": (A + B)[:-40]}, {"a": "1", "b": "1!"}, id="a file half written"),
        pytest.param({"one": A[:-40]}, {"a": "1!", "b": "1!"}, id="half of the first document"),
        pytest.param({"one": "\0"}, {"a": "1!", "b": "1!"}, id="no text"),
        pytest.param(
            {"one": A.replace("Sequence", "Sequins") + B},
            {"a": "1!", "b": "1"},
            id="one of the two is bad",
        ),
        pytest.param(
            {"one": A.replace('"a"', "7") + B}, {"a": "1!", "b": "1"}, id="its name is broken"
        ),
        pytest.param({"two": A2}, {"a": "1!", "b": "1"}, id="a second one of the same name"),
        pytest.param({"one": B, "two": A2}, {"a": "2", "b": "1"}, id="moved to another file"),
    ],
)
def test_what_serves_after_an_edit(
    edit: dict[str, str | None], served: dict[str, str], edited: Edited
) -> None:
    assert edited.write(**edit).shown() == served


def test_a_circle_by_the_own_port_is_told_with_its_place(tmp_path: Path) -> None:
    back = {"serviceUrl": "http://127.0.0.1:8123/graphs/test/a"}
    (tmp_path / "a.yaml").write_text(graph("a", "Sequence", back) + B)
    loaded = FileSource([str(tmp_path)], port=8123).load()
    assert [each.key for each in loaded.graphs] == ["test/b"]
    (problem,) = loaded.problems
    assert problem.problem.code == "graph-loop"
    assert problem.problem.path == ("spec", "nodes", "root", "steps", 0, "serviceUrl")
    assert FileSource([str(tmp_path)], port=8124).load().problems == ()


def test_it_recovers(edited: Edited) -> None:
    assert edited.write(one="").write(one=A2 + B).shown() == {"a": "2", "b": "1"}
    assert edited.generation.problems == ()


def test_a_file_that_nobody_may_read_keeps_its_graphs(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = edited.folder / "one.yaml"
    file.unlink()
    os.symlink("one.yaml", file)  # a loop: cannot be read by anybody, not even by root
    edited.source = FileSource([str(file)])
    assert edited.write().shown() == {"a": "1!", "b": "1!"}


def test_a_config_map_is_read_once_and_its_swap_seen(tmp_path: Path) -> None:
    for version, text in (("..v1", A), ("..v2", A2)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "graph.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "graph.yaml").symlink_to("..data/graph.yaml")
    edited = Edited(tmp_path).write()
    assert edited.shown() == {"a": "1"}
    (tmp_path / "..data_tmp").symlink_to("..v2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert edited.write().shown() == {"a": "2"}
    assert edited.generation.problems == ()


def test_the_same_files_give_the_same_load(edited: Edited) -> None:
    assert edited.source.load() == edited.source.load()


def test_the_line_of_a_graph_is_told(edited: Edited) -> None:
    lines = {graph.key: graph.line for graph in edited.source.load().graphs}
    assert lines == {"test/a": 2, "test/b": 4}


def test_a_spec_as_kserve_hands_it_over() -> None:
    step = {**URL, "serviceName": "iris"}
    spec = {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}, "newField": 1}
    loaded = JsonSource(json.dumps(spec)).load()
    assert [graph.key for graph in loaded.graphs] == ["default/graph"]
    assert not any(problem.is_error for problem in loaded.problems)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"nodes": {}}', '"\ud800"'])
def test_a_spec_that_is_none(text: str) -> None:
    loaded = JsonSource(text).load()
    assert loaded.graphs == ()
    assert any(problem.is_error for problem in loaded.problems)


def test_graphs_from_elsewhere_join_those_of_the_files(tmp_path: Path) -> None:
    text = (
        "apiVersion: serving.kserve.io/v1alpha1\nkind: InferenceGraph\nmetadata: {{name: {}}}\n"
        "spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: 'http://{}/'}}]}}}}}}\n"
    )
    file = tmp_path / "all.yaml"
    file.write_text(text.format("a", "file") + "---\n" + text.format("b", "file"))
    beside = [Beside()]
    source = FileSource([str(file)], beside=lambda: beside[0])

    def served() -> dict[str, tuple[str, bool]]:
        loaded = source.load()
        return {
            graph.key: (graph.file, b"http://file/" in graph.source.manifest)
            for graph in loaded.graphs
        }

    both = {"default/a": (str(file), True), "default/b": (str(file), True)}
    assert served() == both
    beside[0] = Beside({"api:c": text.format("c", "api"), "api:b": text.format("b", "api")})
    assert served() == both | {"default/c": ("api:c", False)}  # b is the file's
    beside[0] = Beside(beside[0].texts, frozenset({"default/a", "default/b"}))
    assert served() == {"default/b": ("api:b", False), "default/c": ("api:c", False)}
