"""What KServe's admission refuses of runtimes, trained models, caches and storage containers."""

import pytest

from tests.controller.manifests import resources, runtime
from tests.controller.resources.texts import GROUP, cache, container, trained


def formats(text: str) -> str:
    return f"[{{name: sklearn, autoSelect: true, {text}}}]"


RUNTIMES = {
    "two of the same priority": (
        [runtime("a", formats("priority: 1")), runtime("b", formats("priority: 1"))],
        "runtime-conflict",
    ),
    "the same format in other letters": (
        [
            runtime("a", formats("priority: 1")),
            runtime("b", formats("priority: 1").replace("sklearn", "SKLearn")),
        ],
        "runtime-conflict",
    ),
    "two priorities of one format": (
        [
            runtime(
                "a",
                "[{name: x, version: '1', autoSelect: true, priority: 1},"
                " {name: x, version: '2', autoSelect: true, priority: 2}]",
            )
        ],
        "runtime-conflict",
    ),
    "a container without a name": ([runtime("a", container="{image: x}")], "container-name"),
    "a path of Python modules": (
        [runtime("a", container="{name: a, env: [{name: PYTHONPATH}]}")],
        "reserved-env",
    ),
    "workers of two containers": (
        [runtime("a", spec="workerSpec: {containers: [{name: a}, {name: b}]}")],
        "bad-workers",
    ),
    "sizes of a group as environment": (
        [
            runtime(
                "a",
                spec="workerSpec: {containers: [{name: a}]}",
                container="{name: kserve-container, env: [{name: PIPELINE_PARALLEL_SIZE}]}",
            )
        ],
        "reserved-env",
    ),
}


@pytest.mark.parametrize(("texts", "code"), RUNTIMES.values(), ids=RUNTIMES)
def test_runtimes_are_refused(texts: list[str], code: str) -> None:
    assert [p.problem.code for p in resources(*texts).problems] == [code]


PEERS = {
    "another priority": (formats("priority: 1"), formats("priority: 2"), {}),
    "no priority": (formats("version: '1'"), formats("version: '1'"), {}),
    "another version": (
        formats("version: '1', priority: 1"),
        formats("version: '2', priority: 1"),
        {},
    ),
    "another protocol": (formats("priority: 1"), formats("priority: 1"), {"protocols": "[v2]"}),
    "another namespace": (formats("priority: 1"), formats("priority: 1"), {"namespace": "prod"}),
    "disabled": (formats("priority: 1"), formats("priority: 1"), {"spec": "disabled: true"}),
    "many models": (formats("priority: 1"), formats("priority: 1"), {"spec": "multiModel: true"}),
}


@pytest.mark.parametrize(("mine", "theirs", "of"), PEERS.values(), ids=PEERS)
def test_runtimes_live_side_by_side(mine: str, theirs: str, of: dict[str, str]) -> None:
    assert resources(runtime("a", mine), runtime("b", theirs, **of)).problems == []


OTHERS = {
    "a trained model with a dot in its name": ([trained(name="a.b")], "bad-name"),
    "a trained model where nobody fetches": ([trained(uri="abfs://a")], "bad-storage-uri"),
    "a trained model from nowhere": ([trained(uri="")], "bad-storage-uri"),
    "a pattern of nothing": ([container("{}")], "bad-pattern"),
    "a pattern that is none": ([container("{regex: '('}")], "bad-pattern"),
    "a container for another work": ([container("{prefix: a}", "job")], "bad-value"),
    "two caches of one model": ([GROUP, cache(), cache("other")], "duplicate-cache"),
    "a cache for nobody": ([cache()], "unknown-node-group"),
}


@pytest.mark.parametrize(("texts", "code"), OTHERS.values(), ids=OTHERS)
def test_other_kinds_are_refused(texts: list[str], code: str) -> None:
    assert [p.problem.code for p in resources(*texts).problems] == [code]
