"""Problems within a text: their column in the file, where the text stands there as it is."""

import pytest

from graph.loader import load
from graph.workspace import checked

HEAD = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: graph}
spec:
  nodes:
    root:
      routerType: Switch
      steps:
      - serviceName: a
"""


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("        condition: cel:bdy.x == 1", (10, 24)),
        ("        condition: 'cel: bdy.x == 1'", (10, 26)),
        ('        condition: "cel: bdy.x == 1"', (10, 26)),
        ("        condition:\n          'cel:bdy.x == 1'", (11, 16)),
        ("        {condition}: cel:bdy.x == 1".replace("{condition}", '"condition"'), (10, 26)),
        # named, escaped or folded: the place of the key, and the column in the message
        ("        condition: &text 'cel:bdy.x == 1'", (10, 9)),
        ("        condition: 'cel:bdy.x == ''1'''", (10, 9)),
        ('        condition: "cel:bdy.x == \\"1\\""', (10, 9)),
        ("        condition: >-\n          cel:\n          bdy.x == 1", (10, 9)),
        ("        condition: |\n          cel: bdy.x == 1", (10, 9)),
    ],
)
def test_a_fault_in_a_condition(lines: str, place: tuple[int, int]) -> None:
    workspace = checked([load(f"{HEAD}{lines}\n", "graph.yaml")])
    (problem,) = workspace.problems
    assert (problem.line, problem.column) == place
    assert "`bdy`" in problem.problem.message
