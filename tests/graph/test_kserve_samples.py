"""KServe's own sample graphs load and compile, with the placeholders of their templates filled."""

import re
from pathlib import Path

import pytest

import graph
from graph.loader import load
from graph.workspace import checked

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "kserve-graphs"
GRAPHS = sorted(SAMPLES.glob("*.yaml"))
WARNED = {
    "switch.yaml": {"url-placeholder"},
    "e2e_ig_test_switch_scenario_9.yaml": {"condition-ignored"},
    "e2e_ig_test_switch_scenario_10.yaml": {"condition-ignored"},
}

pytestmark = pytest.mark.skipif(not GRAPHS, reason="KServe's samples are not here")


@pytest.mark.parametrize("sample", GRAPHS, ids=lambda path: path.name)
def test_a_sample_loads_and_compiles(sample: Path) -> None:
    text = re.sub(r"\{\{ *(\w+) *\}\}", lambda m: m[1].replace("_", "-"), sample.read_text())
    workspace = checked([load(text, sample.name)])
    found = {problem.problem.code for problem in workspace.problems}
    assert found == WARNED.get(sample.name, set())
    [document] = workspace.graphs
    assert document.graph is not None
    assert graph.compile(document.graph).root.steps
