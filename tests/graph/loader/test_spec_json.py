"""`--graph-json`: the spec as KServe's controller hands it to its router."""

import json
from typing import Any

import pytest

from graph.loader import load_spec_json


def spec(*steps: dict[str, Any], **more: Any) -> str:
    return json.dumps({"nodes": {"root": {"routerType": "Sequence", "steps": steps}}, **more})


def test_the_controllers_own_spec() -> None:
    text = spec({"serviceName": "iris", "serviceUrl": "http://iris/x"}, resources={})
    [document] = load_spec_json(text, "shop", "prod")
    assert document.problems == ()
    assert document.key == "prod/shop"
    assert document.graph is not None
    [step] = document.graph.spec.nodes["root"].steps or ()
    assert (step.service_name, step.service_url) == (None, "http://iris/x")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"nodeName": "a", "serviceUrl": "http://b/", "serviceName": "c"}, "nodeName"),
        ({"nodeName": "", "serviceUrl": "http://b/", "serviceName": "c"}, "serviceUrl"),
        ({"nodeName": "", "serviceUrl": "", "serviceName": "c"}, "serviceName"),
    ],
)
def test_of_several_targets_the_routers_choice_counts(given: dict[str, str], kept: str) -> None:
    [document] = load_spec_json(spec(given))
    step = document.data["spec"]["nodes"]["root"]["steps"][0]
    assert [key for key, value in step.items() if value] == [kept]


def test_unknown_keys_only_warn() -> None:
    text = spec({"serviceName": "iris", "retries": {"count": 3}}, fromTheFuture=True)
    [document] = load_spec_json(text)
    assert [problem.problem.message for problem in document.problems] == [
        "unknown key `retries` is passed over",
        "unknown key `fromTheFuture` is passed over",
    ]
    assert document.ok
    assert document.graph is not None


def test_unknown_keys_beside_an_alias_and_real_faults() -> None:
    text = "{nodes: {root: &r {routerType: Sequence, x: 1, steps: []}, b: *r, c: {routerType: 7}}}"
    documents = load_spec_json(text)
    assert [p.problem.code for p in documents.problems] == [
        "ignored-field",
        "ignored-field",
        "bad-value",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-a-resource"),
        ("[]", "not-a-resource"),
        ("a: 1\n---\nb: 1", "not-a-resource"),
        ("{", "yaml-syntax"),
        (b"\xff", "not-text"),
        ('{"nodes": {"root": 1}}', "wrong-type"),
        ('{"nodes": {"root": {"steps": 1}}}', "wrong-type"),
        ('{"nodes": {"root": {"steps": [1]}}}', "wrong-type"),
        ('{"nodes": 1}', "wrong-type"),
        ("{}", "missing-field"),
    ],
)
def test_what_is_no_spec_is_told(text: str | bytes, code: str) -> None:
    assert code in {problem.problem.code for problem in load_spec_json(text).problems}
