"""Many files at once: which graphs can be served, and what they have against one another."""

from pathlib import Path

from graph.workspace import Workspace, load_paths

GRAPH = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{{target}}}]}}}}}}
"""


def write(file: Path, name: str, namespace: str = "a", target: str = "serviceName: x") -> None:
    file.write_text(GRAPH.format(name=name, namespace=namespace, target=target))


def look(folder: Path) -> tuple[Workspace, list[str]]:
    found = load_paths([str(folder)])
    return found, [str(problem).removeprefix(f"{folder}/") for problem in found.problems]


def test_good_and_bad_files_side_by_side(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "one")
    write(tmp_path / "b.yaml", "two", target="nodeName: nobody")
    (tmp_path / "c.yaml").write_text("{")
    (tmp_path / "d.yaml").write_text("")
    found, problems = look(tmp_path)
    assert [document.key for document in found.graphs] == ["a/one"]
    assert [document.key for document in found.documents] == ["a/one", "a/two"]
    assert [Path(file.file).name for file in found.files] == [
        "a.yaml",
        "b.yaml",
        "c.yaml",
        "d.yaml",
    ]
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["b.yaml:4:54", "error unknown-node"],
        ["c.yaml:2:1", "error yaml-syntax"],
        ["d.yaml:1:1", "error no-documents"],
    ]
    assert [problem.graph for problem in found.problems] == ["a/two", None, None]


def test_a_second_graph_of_a_name_is_refused_and_the_first_served(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "one")
    write(tmp_path / "b.yaml", "one")
    found, [problem] = look(tmp_path)
    assert [document.file for document in found.graphs] == [str(tmp_path / "a.yaml")]
    assert problem.startswith("b.yaml:3:12: error duplicate-graph: graph a/one is already in ")


def test_a_broken_graph_keeps_its_name_from_others(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "one", target="serviceName: 7")
    write(tmp_path / "b.yaml", "one")
    found, problems = look(tmp_path)
    assert found.graphs == ()
    assert [problem.split(": ")[1] for problem in problems] == [
        "error wrong-type",
        "error duplicate-graph",
    ]


def test_the_same_name_in_another_namespace_is_fine(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "one", "a")
    write(tmp_path / "b.yaml", "one", "b")
    found, problems = look(tmp_path)
    assert problems == []
    assert len(found.graphs) == 2


def test_clashing_host_names_warn(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "x-y", "z")
    write(tmp_path / "b.yaml", "x", "y-z")
    found, [problem] = look(tmp_path)
    assert len(found.graphs) == 2
    assert "warning host-clash: host name `x-y-z` is that of graph z/x-y (" in problem


def test_looking_again_sees_the_files_anew(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "one")
    assert len(look(tmp_path)[0].graphs) == 1
    write(tmp_path / "b.yaml", "two")
    assert len(look(tmp_path)[0].graphs) == 2


def test_paths_that_are_not_there(tmp_path: Path) -> None:
    found = load_paths([str(tmp_path / "none")])
    assert [problem.problem.code for problem in found.problems] == ["unreadable-path"]
    assert found.files == ()


def test_graphs_within_graphs_have_a_depth(tmp_path: Path) -> None:
    for number in range(17):
        target = f"serviceUrl: 'http://g{number + 1}.a'"
        write(tmp_path / f"{number:02}.yaml", f"g{number}", target=target)
    (problem,) = look(tmp_path)[1]
    assert problem == (
        "00.yaml:3:12: error too-deep: graphs nest 17 deep below it, and 16 is the most;"
        " make nodes of some"
    )
    (tmp_path / "16.yaml").unlink()
    assert look(tmp_path)[1] == []
