"""What must not change, and what must not go, while others depend on it."""

import pytest

from controller.resources.validate import (
    Surroundings,
    problems_among,
    problems_of_change,
)
from tests.controller.manifests import runtime, service
from tests.controller.resources.texts import GROUP, KNATIVE, MODEL, STANDARD, cache, only, trained

RUNNING = "\nstatus: {deploymentMode: RawDeployment}"


CHANGES = {
    "another mode": (
        service(MODEL, annotations=f"{{{STANDARD}}}") + RUNNING,
        service(MODEL, annotations=f"{{{KNATIVE}}}"),
        "stays",
    ),
    "another name for the same model": (
        service(f"name: a\n{MODEL}"),
        service(f"name: b\n{MODEL}"),
        "keep the name",
    ),
    "a trained model of more memory": (trained(), trained(memory="2Gi"), "the memory"),
    "a runtime without its workers": (
        runtime("a", spec="workerSpec: {containers: [{name: a}]}"),
        runtime("a"),
        "a workerSpec stays",
    ),
    "a cache of another model": (cache(), cache(uri="hf://c"), "create another cache"),
}


@pytest.mark.parametrize(("old", "new", "words"), CHANGES.values(), ids=CHANGES)
def test_changes_are_refused(old: str, new: str, words: str) -> None:
    found = problems_of_change(only(old), only(new))
    assert [p.code for p in found] == ["immutable"]
    assert words in found[0].message
    assert problems_of_change(only(old), only(old)) == []


def test_the_older_name_of_a_mode_is_no_change() -> None:
    old = service(MODEL, annotations=f"{{{STANDARD}}}") + RUNNING
    assert problems_of_change(only(old), only(service(MODEL, annotations=f"{{{STANDARD}}}"))) == []


def test_the_same_memory_in_other_words_is_no_change() -> None:
    assert problems_of_change(only(trained()), only(trained(memory="1024Mi"))) == []


def test_only_some_kinds_care_for_others() -> None:
    assert problems_among(only(trained()), Surroundings([only(GROUP)])) == []
