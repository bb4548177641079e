"""Text -> documents: which there are, what they are called, what their fields got wrong."""

import pytest

from graph.loader import load
from graph.loader.found import MAX_PROBLEMS
from graph.spec import InferenceGraph

GRAPH = """\
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: one}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""


def test_documents_come_in_order_with_their_names() -> None:
    documents = load(
        f"{GRAPH}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: two, namespace: other}}\n"
        "---\napiVersion: v1\nkind: Namespace\n"
    )
    assert [(d.kind, d.api_version, d.key) for d in documents] == [
        ("InferenceGraph", "serving.kserve.io/v1alpha1", "default/one"),
        ("Secret", "v1", "other/two"),
        ("Namespace", "v1", "default/"),
    ]
    assert isinstance(documents[0].graph, InferenceGraph)
    assert documents[1].graph is None
    assert documents[1].data["metadata"] == {"name": "two", "namespace": "other"}
    assert documents[1].locate(("metadata", "namespace")) == (8, 23)
    assert documents.problems == ()
    assert len(documents) == 3


def test_lists_are_taken_apart_with_places_and_lists_in_lists() -> None:
    documents = load(
        "apiVersion: v1\nkind: List\nitems:\n- kind: InferenceGraphList\n  items:\n"
        "  - {apiVersion: v1, kind: Pod}\n- 7\n"
    )
    assert [document.kind for document in documents] == ["Pod"]
    assert documents[0].locate(("kind",)) == (6, 22)
    assert [(p.line, p.problem.code) for p in documents.problems] == [(7, "not-a-resource")]


@pytest.mark.parametrize(
    "text", ["metadata: hello", "metadata: {name: 1, namespace: []}", "spec: 1"]
)
def test_names_that_are_no_text_are_empty(text: str) -> None:
    [document] = load(f"apiVersion: v1\nkind: Pod\n{text}")
    assert document.key == "default/"


def test_a_graph_with_faults_is_kept_with_them() -> None:
    [document] = load(GRAPH.replace("Sequence", "Sequential"), "g.yaml")
    assert document.is_graph
    assert document.graph is None
    assert not document.ok
    [problem] = document.problems
    assert problem.graph == "default/one"
    assert str(problem) == (
        "g.yaml:4:23: error bad-value: `Sequential` is not known here; did you mean `Sequence`?"
    )


def test_a_file_name_cannot_forge_a_line_of_the_report() -> None:
    [problem] = load("", "a\n:1:1: error").problems
    assert str(problem).startswith(r"'a\n:1:1: error':1:1: error no-documents: ")


METRICS = "`cpu`, `memory`, `concurrency`, `rps`"
MESSAGES = [
    ("metadata: {name: 1.0}", "expected text, found number 1.0; put it in quotes"),
    ("metadata: {name: []}", "expected text, found a list"),
    ("spec: {timeout: '1'}", "expected a whole number, found text `1`; write the number without"),
    ("spec: {scaleMetric: 1}", f"expected one of {METRICS}, found number 1"),
    ("spec: {scaleMetric: latency}", f"`latency` is not known here; choose one of {METRICS}"),
    ("spec: {routerType: Switch}", "`spec` has no key `routerType`; it belongs to a node"),
    ("spec: {nodes: {a: {x: 1}}}", "unknown key `x`; a node has `routerType`, `steps`"),
    ("spec: {nodes: }", "expected a mapping, found nothing; give it a value or remove the key"),
    ("spec: {'é\u200b': 1}", "unknown key `\\xe9\\u200b`; "),
    (f"spec: {{{'k' * 70}: 1}}", f"unknown key `{'k' * 59}…`; "),
    ("apiVersion: foo/v1", "expected `serving.kserve.io/v1alpha1`, found text `foo/v1`"),
]


@pytest.mark.parametrize(("text", "message"), MESSAGES, ids=[m[0][:30] for m in MESSAGES])
def test_messages_say_what_was_found_and_how_to_mend_it(text: str, message: str) -> None:
    head = "" if text.startswith("apiVersion") else "apiVersion: serving.kserve.io/v1alpha1\n"
    documents = load(f"{head}kind: InferenceGraph\n{text}\n")
    messages = [problem.problem.message for problem in documents.problems]
    assert any(found.startswith(message) for found in messages), messages


def test_problems_of_fields_have_an_end() -> None:
    nodes = ", ".join(f"n{n}: {{}}" for n in range(MAX_PROBLEMS + 5))
    problems = load(GRAPH.replace("root: ", f"{nodes}, root: ")).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert [p.problem.code for p in problems].count("too-many-problems") == 1


def test_thousands_of_misspelt_keys_are_soon_told() -> None:
    keys = ", ".join(f"stepz{n}: 1" for n in range(20_000))
    problems = load(GRAPH.replace("steps: ", f"{keys}, steps: ")).problems
    hinted = [problem for problem in problems if "did you mean `steps`" in problem.problem.message]
    assert 0 < len(hinted) <= len(problems) == MAX_PROBLEMS + 1
