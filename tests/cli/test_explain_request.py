"""`graphway explain request`: what it says of each kind of node, answers by file, bad usage."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.explain import app

EXAMPLES = Path(__file__).parents[2] / "configs" / "examples"
DEMO = EXAMPLES / "demo" / "graphs.yaml"
FLOWER = '{"instances": [[6.8, 2.8, 4.8, 1.4]]}'


def explained(
    *words: object, stdin: str | None = None, env: dict[str, str] | None = None
) -> Result:
    return CliRunner().invoke(app, ["request", *map(str, words)], input=stdin, env=env)


def record(*words: object, **further: Any) -> Any:
    result = explained(*words, "-o", "json", **further)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return tmp_path / "answers.yaml"


def test_the_way_through_a_switch_and_an_ensemble(answers: Path) -> None:
    answers.write_text("flower/sklearn: {body: {predictions: [1]}, after: 0.003}")
    result = explained(DEMO, "--graph", "everything", "-d", FLOWER, "--answers", answers)
    assert result.exit_code == 0, result.output
    where = ".default.svc.cluster.local/v1/models"
    assert result.stdout.splitlines()[1:] == [
        "POST /",
        "content-type: application/json",
        FLOWER,
        "",
        "root  Switch",
        "  no   digit  if instances.0.63  `instances.0` has 4 elements",
        "  yes  flower  if instances.0.3",
        "",
        "flower  Ensemble",
        f"  call sklearn  POST http://iris-sklearn-predictor{where}/iris-sklearn:predict",
        "       content-type: application/json",
        f"       {FLOWER}",
        '  gets 200 {"predictions": [1]} after 3 ms',
        f"  call xgboost  POST http://iris-xgboost-predictor{where}/iris-xgboost:predict",
        "       content-type: application/json",
        f"       {FLOWER}",
        "  gets 200 {}  assumed: no answer is given for it",
        "",
        '200 {"sklearn":{"predictions": [1]},"xgboost":{}}',
        "root>flower flower/sklearn(200;0+3ms) flower/xgboost(200;0+0ms) total(3ms)",
    ]


def test_the_way_through_a_sequence(answers: Path) -> None:
    answers.write_text(
        "detect: {body: {predictions: [[1, 2]]}, after: 0.01}\nclassify: {status: 503, body: busy}"
    )
    said = record(EXAMPLES / "sequence.yaml", "-d", "{}", "--answers", answers)
    assert [event["event"] for event in said["events"]] == ["call", "condition", "call"]
    assert said["events"][1]["matched"] is True
    assert said["events"][2]["body"] == '{"instances":[[1, 2]]}'
    assert said["events"][2]["started_ms"] == 10
    assert (said["outcome"]["status"], said["outcome"]["body"]) == (503, "busy")


def test_a_condition_that_ends_a_sequence_says_why() -> None:
    result = explained(EXAMPLES / "sequence.yaml", "-d", "{}")
    assert "no   classify  if predictions.0  the body has no `predictions`" in result.stdout


def test_a_seed_decides_a_draw() -> None:
    graph = EXAMPLES / "splitter.yaml"
    draws = {
        (event["step"], event["weights"]["new"])
        for seed in range(40)
        for event in record(graph, "--seed", seed)["events"][:1]
    }
    assert draws == {("old", 10), ("new", 10)}
    assert record(graph, "--seed", 3) == record(graph, "--seed", 3)
    assert "draw old  58.91 of 100: new 10, old 90" in explained(graph, "--seed", 3).stdout


def test_an_ensemble_that_goes_on_without_a_step(answers: Path) -> None:
    answers.write_text("{forest: {body: {predictions: [1]}}, boosted: {body: {predictions: [1]}}}")
    result = explained(EXAMPLES / "vote.yaml", "-d", "{}", "--answers", answers)
    assert "  fails cancelled: nobody needed its answer any more\n" in result.stdout
    assert "  part without linear\n" in result.stdout
    said = record(EXAMPLES / "vote.yaml", "-d", "{}", "--answers", answers)
    assert said["outcome"]["headers"]["x-graphway-partial"] == "linear"


def test_nobody_matches() -> None:
    said = record(DEMO, "--graph", "everything", "-d", "[1]")
    assert [event["why"] for event in said["events"]] == [
        *["`instances` finds nothing in the body, a list of 1 element"] * 2,
        "`inputs` finds nothing in the body, a list of 1 element",
    ]
    outcome = said["outcome"]
    assert (outcome["status"], outcome["failure"], outcome["at"]) == (
        *(404, "no_match", "default/everything/root"),
    )


def test_answers_for_repeated_calls_failures_and_headers(tmp_path: Path, answers: Path) -> None:
    graph = tmp_path / "graph.yaml"
    graph.write_text("""
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: twice}
spec:
  nodes:
    root:
      routerType: Sequence
      steps: [{nodeName: one}, {nodeName: one}, {nodeName: one}]
    one:
      routerType: Sequence
      steps: [{name: ask, serviceUrl: "http://127.0.0.1:9/x?y=1"}]
""")
    answers.write_text("""
default/twice/one/ask:
  - {status: 429, headers: {Content-Type: text/plain}, body: slowly}
  - {}
  - {error: reset, cause: gone}
""")
    said = record(graph, "--answers", answers)
    assert [event["answer"] for event in said["events"]] == [
        {"status": 429, "headers": {"content-type": "text/plain"}, "body": "slowly"},
        {"status": 200, "headers": {"content-type": "application/json"}, "body": "{}"},
        {"failure": "reset", "cause": "gone"},
    ]
    assert "assumed" not in json.dumps(said)
    assert said["outcome"]["status"] == 502
    text = explained(graph, "--answers", answers).stdout
    assert "  fails reset: gone\n" in text
    assert "reset at one/ask\n" in text


def test_what_the_caller_sends() -> None:
    words = ("-X", "PUT", "--path", "/v1/x?a=1", "-H", "X-Tier: gold", "-H", "Cookie: s=1")
    said = record(EXAMPLES / "splitter.yaml", *words, env={"PROPAGATE_HEADERS": "X-.*,Cookie"})
    assert said["request"] == {
        "method": "PUT",
        "path": "/v1/x?a=1",
        "headers": {"content-type": "application/json", "x-tier": "gold", "cookie": "(hidden)"},
        "body": "",
    }
    call = said["events"][-1]
    assert call["method"] == "POST"
    assert call["headers"] == said["request"]["headers"]


@pytest.mark.parametrize(
    ("words", "stdin"),
    [(("--body", "@-"), FLOWER), (("--body", "@FILE"), None), (("--body", FLOWER), None)],
    ids=["standard input", "a file", "the text itself"],
)
def test_where_a_body_comes_from(tmp_path: Path, words: tuple[str, ...], stdin: str | None) -> None:
    (tmp_path / "body.json").write_text(FLOWER)
    given = [word.replace("FILE", str(tmp_path / "body.json")) for word in words]
    assert record(EXAMPLES / "switch.yaml", *given, stdin=stdin)["request"]["body"] == FLOWER


def test_a_body_cannot_move_the_cursor() -> None:
    result = explained(EXAMPLES / "splitter.yaml", "-d", "\x1b[31mred\rx")
    assert "\x1b" not in result.stdout
    assert "[31mred" in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clasify: {}", "1:1: error answers: no step that calls somebody is called `clasify`; did"),
        ("nothing-like-it: {}", "; there are root/classify, root/detect"),
        ("classify: {status: 99}", "1:12: error answers: classify.status: input should be greater"),
        ("classify: [{}, {statu: 1}]", "1:17: error answers: classify.statu: extra inputs are not"),
        ("classify: {error: lost}", "classify.error: input should be 'connect', 'timeout', "),
        ("classify: 7", "1:1: error answers: classify: input should be a valid dictionary"),
        ("[1]", "1:1: error answers: a mapping is needed, from steps to answers"),
        ("a: [", "error yaml-syntax"),
    ],
)
def test_answers_that_cannot_be_used(answers: Path, text: str, said: str) -> None:
    answers.write_text(text)
    result = explained(EXAMPLES / "sequence.yaml", "--answers", answers)
    assert result.exit_code == 2
    assert said in result.stderr
    assert str(answers) in result.stderr


def test_a_name_of_several_steps_is_refused(answers: Path) -> None:
    answers.write_text("sklearn: {}")
    result = explained(DEMO, "--graph", "everything", "--answers", answers)
    assert result.exit_code == 2
    assert "name one of flower/sklearn, flower-v2/sklearn" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-H", "no colon"), "-H 'no colon': write 'NAME: VALUE', on one line"),
        (("-H", "a: b\nc: d"), "write 'NAME: VALUE', on one line"),
        (("--body", "@nowhere.json"), "nowhere.json: cannot be read: No such file"),
        (("--body", "@-", "--answers", "-"), "standard input (-) can be only one of"),
        (("--graph", "none"), "there is no graph none; there are default/canary"),
    ],
)
def test_bad_usage(words: tuple[str, ...], said: str) -> None:
    result = explained(EXAMPLES / "splitter.yaml", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_first_condition_that_matches_colours_a_terminal() -> None:
    plain = {"NO_COLOR": None, "FORCE_COLOR": "1", "TERM": "xterm"}
    result = CliRunner(env=plain).invoke(
        app, ["request", str(EXAMPLES / "switch.yaml"), "-d", "{}"]
    )
    assert "\x1b[32m  yes  \x1b[0m" in result.stdout


def test_the_example_of_the_documentation(answers: Path) -> None:
    page = (EXAMPLES.parents[1] / "docs" / "explain.md").read_text()
    (shown,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    (given,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    answers.write_text(given)
    words = ("-d", '{"instances": [[1, 2]]}', "--answers", answers)
    assert explained(EXAMPLES / "sequence.yaml", *words).stdout == shown


OUTER = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: outer}
spec:
  routerTimeouts: {serviceClient: 5}
  nodes:
    root:
      routerType: Ensemble
      steps:
        - {name: inner, serviceUrl: "http://inner.default/", dependency: Hard}
        - {name: other, serviceUrl: "http://other.test/", dependency: Hard}
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: inner}
spec:
  timeout: 20
  nodes:
    root:
      routerType: Switch
      steps: [{name: ask, serviceUrl: "http://asked.test/", condition: instances}]
"""
CALLED = ["default/outer/root/inner", "default/outer/root/other", "default/inner/root/ask"]


def through(folder: Path, given: str, body: str = FLOWER) -> Any:
    (folder / "graphs.yaml").write_text(OUTER)
    (folder / "given.yaml").write_text(given)
    words = ("--graph", "outer", "-d", body, "--answers", folder / "given.yaml")
    return record(folder / "graphs.yaml", *words)


def test_a_graph_that_calls_another_is_walked_through_both(tmp_path: Path) -> None:
    said = through(tmp_path, "default/inner/root/ask: {body: {a: 1}, after: 2}")
    assert [event["step"] for event in said["events"] if event["event"] == "call"] == CALLED
    assert said["events"][2]["condition"] == "instances"
    assert said["outcome"]["body"] == '{"inner":{"a": 1},"other":{}}'
    assert said["took_ms"] == 2000
    text = explained(tmp_path / "graphs.yaml", "--graph", "outer", "-d", FLOWER).stdout
    assert "\ndefault/inner/root  Switch\n" in text


def test_an_inner_graph_answers_as_over_a_socket(tmp_path: Path) -> None:
    said = through(tmp_path, "{}", "[]")
    assert said["events"][0]["answer"]["status"] == 404
    assert said["outcome"]["status"] == 404
    assert "assumed" not in json.dumps(said["events"][0])


@pytest.mark.parametrize(
    ("given", "status", "asked"),
    [
        ("inner: {status: 202}", 200, CALLED[:2]),
        ("default/inner/root/ask: {after: 9}", 504, CALLED),
        ("other: {status: 500, after: 1}\ndefault/inner/root/ask: {after: 2}", 500, CALLED),
        ("other: {status: 500}\ndefault/inner/root/ask: {status: 418, after: 2}", 418, CALLED),
    ],
    ids=[
        "an answer for the whole of it",
        "it takes longer than a call may",
        "a later step fails first, and waits for it",
        "it fails itself",
    ],
)
def test_what_an_inner_graph_comes_to(
    tmp_path: Path, given: str, status: int, asked: list[str]
) -> None:
    said = through(tmp_path, given)
    assert [event["step"] for event in said["events"] if event["event"] == "call"] == asked
    assert said["outcome"]["status"] == status


def test_an_inner_graph_that_nobody_needs_any_more(tmp_path: Path) -> None:
    swapped = OUTER.replace("name: inner, s", "name: z, s").replace("name: other, s", "name: a, s")
    (tmp_path / "g.yaml").write_text(swapped.replace(", dependency: Hard", "", 1))
    (tmp_path / "a.yaml").write_text("a: {status: 500}\ndefault/inner/root/ask: {after: 2}")
    words = ("--graph", "outer", "-d", FLOWER, "--answers", tmp_path / "a.yaml")
    said = record(tmp_path / "g.yaml", *words)
    failures = [event.get("answer", {}).get("failure") for event in said["events"]]
    assert failures[0] == "cancelled"
    assert said["outcome"]["status"] == 500
