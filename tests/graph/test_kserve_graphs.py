"""The graphs of KServe's own end-to-end tests, with what those tests expect of them.

Those files are not ours to ship: where they are absent, nothing is tested here.
"""

from pathlib import Path

import pytest

from graph.compiler import compile
from graph.effects import Call, Failure, FailureKind, Reply
from graph.loader import load
from router import failures
from router.upstream.script import reply
from tests.scripts import run_through

GRAPHS = Path(__file__).parents[3] / "shared" / "data" / "kserve-graphs"

FINE = b'{"message":"SUCCESS"}'
BAD = b'{"detail":"Intentional 404 code"}'
# file, what the caller asks the Switch for, status, body (None: an error of the router)
SCENARIOS = {
    "a Hard step of a Sequence fails": ("seq_scenario_3", "", 404, BAD),
    "a Switch whose branch fails": ("switch_scenario_4", "error", 404, BAD),
    "a Switch whose branch is fine": ("switch_scenario_4", "success", 200, FINE),
    "a Switch without a match": ("switch_scenario_4", "no_match", 404, None),
    "a Soft Switch that fails, in a Sequence": ("switch_scenario_5", "error", 200, FINE),
    "a Hard Switch that fails, in a Sequence": ("switch_scenario_6", "error", 404, BAD),
    "a Soft failure in an Ensemble": (
        "ensemble_scenario_7",
        "",
        200,
        b'{"rootStep1":' + FINE + b',"rootStep2":' + BAD + b"}",
    ),
    "a Hard failure in an Ensemble": ("ensemble_scenario_8", "", 404, BAD),
    "a Soft Splitter that fails, in a Sequence": ("switch_scenario_9", "error", 200, FINE),
    "a Hard Splitter that fails, in a Sequence": ("switch_scenario_10", "error", 404, BAD),
}


def predictor(call: Call) -> Reply:
    return reply(FINE) if "success" in call.target.name else reply(BAD, 404)


@pytest.mark.skipif(not GRAPHS.is_dir(), reason="KServe's files are not here")
@pytest.mark.parametrize("compat", [False, True], ids=["ours", "compat"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, compat: bool) -> None:
    file, asked, status, body = SCENARIOS[name]
    text = (GRAPHS / f"e2e_ig_test_{file}.yaml").read_text()
    for variable, value in (
        ("graph_name", "g"),
        ("success_200_isvc_id", "success"),
        ("error_404_isvc_id", "error"),
    ):
        text = text.replace("{{ %s }}" % variable, value)  # noqa: UP031
    (document,) = load(text)
    assert document.graph is not None
    compiled = compile(document.graph, compat=compat)
    sent = b"{}"
    if asked:
        picker = "" if asked == "no_match" else "_picker"
        sent = (GRAPHS / f"e2e_switch_call_{asked}{picker}_input.json").read_bytes()
    outcome, _ = run_through(compiled, sent, predictor)
    if body is None:
        assert isinstance(outcome, Failure)
        assert outcome.kind is FailureKind.NO_MATCH
        assert failures.status(outcome, compiled) == status
    else:
        assert isinstance(outcome, Reply)
        assert (outcome.status, outcome.document.body) == (status, body)
