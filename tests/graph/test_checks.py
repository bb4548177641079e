"""Rules that a golden case cannot show: sizes, numbers, bare specs, and texts of messages."""

from itertools import pairwise

import pytest

import graph
from graph.checks.chain import KIND_RULES, check
from graph.checks.shape import MAX_CALLS, MAX_CYCLES, MAX_DEPTH
from graph.loader import load
from graph.problems import InvalidGraph, Problem
from graph.spec import GraphSpec, InferenceGraph, RouterType


def spec(nodes: dict[str, tuple[str, list[dict[str, object]]]]) -> GraphSpec:
    return GraphSpec.model_validate(
        {
            "nodes": {
                name: {"routerType": kind, "steps": steps} for name, (kind, steps) in nodes.items()
            }
        }
    )


def chain(
    length: int, ways: int = 1, kind: str = "Sequence", last: str = "serviceName"
) -> GraphSpec:
    """Nodes in a row, each leading to the next `ways` times."""
    names = ["root", *(f"n{index}" for index in range(1, length))]
    nodes: dict[str, tuple[str, list[dict[str, object]]]] = {
        name: (kind, [{"nodeName": after}] * ways) for name, after in pairwise(names)
    }
    nodes[names[-1]] = (kind, [{last: "root"}])
    return spec(nodes)


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


def test_every_kind_has_rules() -> None:
    assert KIND_RULES.keys() == set(RouterType)


def test_a_bare_spec_is_checked_without_names_and_with_the_same_paths() -> None:
    problems = check(spec({"root": ("Sequence", [{"nodeName": "a"}])}))
    assert [(problem.path, problem.code) for problem in problems] == [
        (("spec", "nodes", "root", "steps", 0, "nodeName"), "unknown-node")
    ]


@pytest.mark.parametrize("kind", ["Sequence", "Ensemble"])
def test_the_deepest_graph_that_goes(kind: str) -> None:
    assert check(chain(MAX_DEPTH, kind=kind)) == []
    assert codes(check(chain(MAX_DEPTH + 1, kind=kind))) == {"too-deep"}


def test_ten_thousand_nodes_in_a_row() -> None:
    [problem] = check(chain(10_000))
    assert problem.code == "too-deep"
    assert "10,000 deep (root -> n1 -> n2" in problem.message
    assert len(problem.message) < 300


def test_ten_thousand_nodes_in_a_circle() -> None:
    [problem] = check(chain(10_000, last="nodeName"))
    assert problem.code == "cycle"
    assert problem.path == ("spec", "nodes", "n9999", "steps", 0, "nodeName")
    assert problem.message.startswith("a request could go round for ever: root -> n1 -> ")


def test_ten_thousand_nodes_side_by_side_are_fine() -> None:
    leaves = {f"n{index}": ("Sequence", [{"serviceName": "a"}]) for index in range(MAX_CALLS)}
    root: list[dict[str, object]] = [{"nodeName": name} for name in leaves]
    assert check(spec({"root": ("Ensemble", root), **leaves})) == []  # type: ignore[dict-item]


def test_one_call_too_many() -> None:
    steps: list[dict[str, object]] = [{"serviceName": "a"}] * (MAX_CALLS + 1)
    [problem] = check(spec({"root": ("Ensemble", steps)}))
    assert "could make 10,001 calls" in problem.message


def test_more_calls_than_anyone_can_count() -> None:
    messages = [problem.message for problem in check(chain(200, ways=3))]
    assert any("could make countless calls" in message for message in messages)


def test_every_step_that_closes_a_cycle_is_told_up_to_a_number() -> None:
    steps: list[dict[str, object]] = [{"nodeName": "root"}] * 3
    assert [problem.path[4] for problem in check(spec({"root": ("Sequence", steps)}))] == [0, 1, 2]
    steps = steps * MAX_CYCLES
    assert len(check(spec({"root": ("Sequence", steps)}))) == MAX_CYCLES


def test_the_cycle_is_printed_without_the_way_to_it() -> None:
    found = check(
        spec(
            {
                "root": ("Sequence", [{"nodeName": "a"}]),
                "a": ("Sequence", [{"nodeName": "b"}]),
                "b": ("Sequence", [{"serviceName": "x"}, {"nodeName": "a"}]),
            }
        )
    )
    [problem] = found
    assert "for ever: a -> b -> a;" in problem.message
    assert problem.path == ("spec", "nodes", "b", "steps", 1, "nodeName")


def test_thousands_of_unknown_nodes_are_soon_told() -> None:
    known = {f"node-{index}": ("Sequence", [{"serviceName": "a"}]) for index in range(3_000)}
    steps: list[dict[str, object]] = [{"nodeName": f"nodde-{index}"} for index in range(3_000)]
    problems = check(spec({"root": ("Sequence", steps), **known}))  # type: ignore[dict-item]
    unknown = [problem for problem in problems if problem.code == "unknown-node"]
    assert len(unknown) == 3_000
    assert "did you mean" in unknown[0].message


def test_problems_keep_a_graph_from_compiling_and_warnings_do_not() -> None:
    [document] = load(
        "{apiVersion: serving.kserve.io/v1alpha1, kind: InferenceGraph, metadata: {name: a}, spec:"
        " {nodes: {root: {routerType: Sequence, steps: [{serviceName: a, data: $response}]}}}}"
    )
    assert document.graph is not None
    assert codes(graph.check(document.graph)) == {"first-response"}
    assert graph.compile(document.graph).key == "default/a"
    broken = document.graph.model_copy(update={"spec": chain(3, last="nodeName")})
    with pytest.raises(InvalidGraph, match="cycle"):
        graph.compile(broken)


def test_unreachable_faults_do_not_keep_a_graph_from_compiling() -> None:
    lost = spec(
        {
            "root": ("Sequence", [{"serviceName": "a"}]),
            "lost": ("Sequence", [{"nodeName": "nobody"}, {"nodeName": "lost"}]),
            "empty": ("Sequence", []),
        }
    )
    manifest = InferenceGraph.model_validate({"metadata": {"name": "a"}, "spec": lost})
    assert codes(check(manifest)) == {"unreachable-node", "unknown-node", "cycle", "no-steps"}
    assert graph.compile(manifest).root.address == "default/a/root"


def test_nothing_else_is_to_be_had_from_the_package() -> None:
    assert all(hasattr(graph, name) for name in graph.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = graph.nonsense
