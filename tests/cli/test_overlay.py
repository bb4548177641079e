"""Which graphs the router takes from the store, and not from the files that say them."""

import json
from typing import Any

import pytest

from cli.overlay import overlay

Json = dict[str, Any]
SPEC: Json = {"nodes": {"root": {"routerType": "Sequence", "steps": [{"serviceName": "a"}]}}}
OTHER: Json = {"nodes": {"root": {"routerType": "Sequence", "steps": [{"serviceName": "b"}]}}}


def graph(
    spec: Json = SPEC, *, file: bool = False, stop: bool = False, going: bool = False
) -> Json:
    annotations = {"graphway.dev/manifest": "/all.yaml"} if file else {}
    annotations |= {"serving.kserve.io/stop": "true"} if stop else {}
    metadata: Json = {"name": "g", "namespace": "default", "annotations": annotations, "uid": "1"}
    if going:
        metadata["deletionTimestamp"] = "now"
    head = {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "InferenceGraph"}
    return head | {"metadata": metadata, "spec": spec, "status": {"url": "x"}}


SAID = {"default/g": {"metadata": {"name": "g"}, "spec": SPEC}}
Rows = dict[str, tuple[list[Json], dict[str, Json] | None, set[str], set[str]]]
ROWS: Rows = {
    "as its file says it: the file's": ([graph(file=True)], SAID, set(), set()),
    "somebody changed it: the store's": ([graph(OTHER)], SAID, {"api:default/g"}, {"default/g"}),
    "no file says it: the store's": ([graph()], {}, {"api:default/g"}, {"default/g"}),
    "somebody stopped it: nobody's": ([graph(file=True, stop=True)], SAID, set(), {"default/g"}),
    "it is on its way out: nobody's": ([graph(going=True)], {}, set(), {"default/g"}),
    "somebody deleted it: nobody's": ([], SAID, set(), {"default/g"}),
    "before the files are read, theirs is left to them": ([graph(file=True)], None, set(), set()),
    "before the files are read, the others are the store's": (
        [graph()],
        None,
        {"api:default/g"},
        {"default/g"},
    ),
}


@pytest.mark.parametrize(("stored", "said", "texts", "hidden"), ROWS.values(), ids=ROWS)
def test_whose_graphs_they_are(
    stored: list[Json], said: dict[str, Json] | None, texts: set[str], hidden: set[str]
) -> None:
    beside = overlay(stored, said)
    assert set(beside.texts) == texts
    assert beside.hidden == hidden


def test_a_manifest_of_the_store_is_what_its_author_said() -> None:
    (text,) = overlay([graph(OTHER)], {}).texts.values()
    said = json.loads(text)
    assert said["spec"] == OTHER
    assert "status" not in said
    assert "uid" not in said["metadata"]
