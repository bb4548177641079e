"""Any manifest compiles or lists problems; nothing that somebody writes raises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import graph
from graph.loader import Documents, load, load_spec_json
from graph.problems import InvalidGraph, Severity
from graph.workspace import checked

CASES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[1] / "cases").rglob("*.yaml"))
]

names = st.sampled_from(["root", "a", "b", "", "Root", "1", "0"]) | st.text(max_size=5)
odd: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
)
numbers = st.sampled_from([0, 50, 100, -50, 150, 2**40])


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of the known keys, now and then something odd in their place."""
    mostly = {key: st.one_of(value, value, value, odd) for key, value in known.items()}
    return st.fixed_dictionaries({}, optional=mostly)


conditions = st.sampled_from(
    [
        "@this",
        "a",
        "a.#(b==1)",
        "a.#(b==1 && c)",
        "jmespath:a",
        "jmespath:[",
        "cel:a",
        "{",
        "@x:",
        "\\",
    ]
) | st.text(max_size=6)
mappings = st.sampled_from(
    [
        "jmespath: request",
        "jmespath: {x: steps.a.response, y: steps.root.status}",
        "jmespath: response.[",
        "jmespath: @",
        "jmespath:",
        'jmespath: headers."X-A"',
    ]
) | st.text(max_size=8).map("jmespath:{}".format)
header = st.sampled_from(["X-A", "x-a", "Host", "", "a b"]) | st.text(max_size=4)
headers = st.dictionaries(header, st.text(max_size=4) | odd, max_size=3)
urls = st.sampled_from(
    [
        "http://a/",
        "http://graph.default",
        "http://a.a.svc/",
        "https://{x}/",
        "ftp://a",
        "http://[",
        "a:1",
        "http://a:0",
    ]
)
step = fields(
    name=names,
    nodeName=names,
    serviceName=names,
    serviceUrl=urls | st.text(max_size=8),
    data=st.sampled_from(["$request", "$response", "$response.x", ""]) | mappings,
    mapPredictionsToInstances=st.booleans(),
    weight=numbers,
    condition=conditions,
    dependency=st.sampled_from(["Soft", "Hard", "", "soft"]),
    forward=st.just("Caller"),
    headers=fields(set=headers, copy=st.lists(header, max_size=2), remove=st.lists(header)),
    respond=fields(status=st.integers(190, 610), headers=headers, body=odd | mappings),
    other=odd,
)
likely = st.one_of(
    st.builds(lambda name: {"nodeName": name}, st.sampled_from(["root", "a", "b"])),
    st.builds(lambda condition: {"serviceName": "x", "condition": condition}, conditions),
    st.builds(lambda weight: {"serviceUrl": "http://x/", "weight": weight}, numbers),
    st.builds(lambda name, text: {"name": name, "data": text}, names, mappings),
    st.builds(lambda body: {"condition": "@this", "respond": {"body": body}}, mappings),
)
node = fields(
    routerType=st.sampled_from(["Sequence", "Switch", "Ensemble", "Splitter", "sequence"]),
    steps=st.lists(likely | step, max_size=4),
    combine=st.sampled_from(["mean", "weightedMean", "vote", "first", "concat", "median"]),
    quorum=st.integers(-1, 5),
    deadlineSeconds=st.sampled_from([0, 0.5, -1, 1e300]),
)
spec = fields(
    nodes=st.dictionaries(names, node, max_size=4)
    | st.fixed_dictionaries({"root": node, "a": node}),
    timeout=numbers,
    routerTimeouts=fields(serverRead=numbers, serviceClient=numbers),
    minReplicas=numbers,
    maxReplicas=numbers,
    propagateHeaders=st.lists(st.sampled_from(["^X-", "", "(", "*"]) | st.text(max_size=3)),
    affinity=odd,
    nodeSelector=odd,
)
manifest = st.fixed_dictionaries(
    {
        "apiVersion": st.just("serving.kserve.io/v1alpha1"),
        "kind": st.just("InferenceGraph"),
        "metadata": st.just({"name": "graph"}) | fields(name=names, namespace=names, labels=odd),
        "spec": spec,
    }
)


def compiles_or_tells(documents: Documents) -> None:
    workspace = checked([documents])
    for problem in workspace.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in str(problem)
    for document in workspace.documents:
        if document.graph is None:
            assert not document.is_graph or not document.ok
            continue
        errors = [p for p in graph.check(document.graph) if p.severity is Severity.ERROR]
        if errors:
            with pytest.raises(InvalidGraph) as refused:
                graph.compile(document.graph)
            assert refused.value.problems == errors
        else:
            assert graph.compile(document.graph).key == document.key
    assert workspace.documents or workspace.problems


@given(manifest)
@settings(max_examples=300)
def test_any_structure(value: dict[str, Any]) -> None:
    compiles_or_tells(load(json.dumps(value)))


@given(spec)
def test_any_spec_on_the_command_line(value: dict[str, Any]) -> None:
    compiles_or_tells(load_spec_json(json.dumps(value)))


@given(st.text() | st.binary())
@example("[" * 100_000)
@example("a: " * 10_000)
def test_any_text(text: str | bytes) -> None:
    compiles_or_tells(load(text))
    compiles_or_tells(load_spec_json(text))


@given(st.sampled_from(CASES), st.data())
@settings(max_examples=200)
def test_any_damage_to_a_good_file(case: bytes, data: st.DataObject) -> None:
    """A file cut short, or with a stretch of it replaced: what a bad edit leaves."""
    start = data.draw(st.integers(0, len(case)))
    end = data.draw(st.integers(start, min(len(case), start + 40)))
    put = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"*", b"&a ", b"- ", b"{{", b"\t", b"!!"])
    )
    documents = load(case[:start] + put + case[end:])
    workspace = checked([documents])
    assert workspace.documents or workspace.problems or not documents.documents
