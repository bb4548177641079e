"""The benchmark measures what it says: its graphs compile, its bodies have their sizes, its
budgets are placed.
"""

import json

import pytest

from bench.cases import (
    BODIES,
    GROUPS,
    QUICK_GROUPS,
    SHAPES,
    SMALL,
    Body,
    Group,
    graph_path,
    manifests,
    request_body,
    select,
)
from bench.load import Seen
from bench.rounds import Result, Run
from graph.compiler import compile
from graph.spec import InferenceGraph


def test_every_graph_compiles_and_is_where_the_load_goes() -> None:
    documents = manifests(dict.fromkeys(BODIES, "http://127.0.0.1:1")).split("---\n")[1:]
    plans = [compile(InferenceGraph.model_validate(json.loads(text))) for text in documents]
    paths = {graph_path(shape, group.body) for group in GROUPS for shape in group.shapes}
    assert paths <= {f"/graphs/{plan.key}" for plan in plans}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_a_body_is_json_of_exactly_its_size(body: Body) -> None:
    data = request_body(body)
    assert len(data) == body.size_bytes
    assert json.loads(data)["kind"] == "e"


def test_quick_measures_all_that_has_a_budget() -> None:
    def budgeted(groups: tuple[Group, ...]) -> dict[str, float]:
        return {
            group.case_name(shape): budget
            for group in groups
            for shape in group.shapes
            if (budget := group.budget(shape))
        }

    assert budgeted(QUICK_GROUPS) == budgeted(GROUPS)
    assert budgeted(GROUPS) == {f"{s.name}/{SMALL.name}/32": s.budget for s in SHAPES if s.budget}


def test_cases_are_selected_by_their_name() -> None:
    groups = select(GROUPS, "sequence-1/50b/")
    names = [group.case_name(shape) for group in groups for shape in group.shapes]
    assert sorted(names) == ["Sequence-1/50b/2", "Sequence-1/50b/256", "Sequence-1/50b/32"]
    assert select(GROUPS, "nothing") == ()


def run(cpu_us: float) -> Run:
    return Run(Seen(1000, 1.0, 10.0, 20.0, ()), cpu_us)


@pytest.mark.parametrize(
    ("ours", "faults", "verdict"),
    [([20, 30, 90], [], "ok"), ([40, 50, 20], [], "OVER"), ([10], ["1 timeouts"], "FAILED")],
)
def test_the_verdict_is_the_median_ratio_against_the_budget_unless_a_run_had_errors(
    ours: list[float], faults: list[str], verdict: str
) -> None:
    result = Result("case", budget=3.0, faults=faults)
    result.graphway = [run(cpu_us) for cpu_us in ours]
    result.nginx = [run(10)] * len(ours)
    assert result.verdict == verdict
