"""Which runtime serves a model, and what is said of the others: KServe's rules as a table."""

from collections.abc import Sequence

import pytest

from controller.resources.inferenceservice import model_of
from controller.runtimes import Selection, select
from tests.controller.manifests import only_service, runtime, runtimes, service

AUTO = "[{name: sklearn, version: '1', autoSelect: true}]"


def formats(*entries: str) -> str:
    return "[" + ", ".join(f"{{name: sklearn, {entry}}}" for entry in entries) + "]"


def chosen(model: str, among: Sequence[str], namespace: str = "default") -> Selection:
    unscaled = "{serving.kserve.io/autoscalerClass: none}"  # as several nodes have to be
    predictor = only_service(service(model, annotations=unscaled)).resource.spec.predictor
    wanted = model_of(predictor)
    assert wanted is not None
    return select(
        wanted, namespace, runtimes(*among), worker_spec=predictor.worker_spec is not None
    )


def model(extra: str = "", version: str = "") -> str:
    wanted = f"name: sklearn, version: '{version}'" if version else "name: sklearn"
    return f"model: {{modelFormat: {{{wanted}}}{extra}}}"


V2 = ", protocolVersion: v2"

CHOSEN = {
    "the only one": (model(), [runtime("a")], "a", "v1"),
    "V1 is asked for by default": (
        model(),
        [runtime("a", protocols="[v2]"), runtime("b", protocols="[v2, v1]")],
        "b",
        "v1",
    ),
    "the protocol that the service asks for": (
        model(V2),
        [runtime("a"), runtime("b", protocols="[v1, v2]")],
        "b",
        "v2",
    ),
    "a runtime that lists no protocol speaks any": (
        model(V2),
        [runtime("a", protocols="[]")],
        "a",
        "v2",
    ),
    "the highest priority": (
        model(),
        [
            runtime("a", formats("autoSelect: true, priority: 1")),
            runtime("b", formats("autoSelect: true, priority: 2")),
        ],
        "b",
        "v1",
    ),
    "a priority before none": (
        model(),
        [runtime("a"), runtime("b", formats("autoSelect: true, priority: 1"))],
        "b",
        "v1",
    ),
    "the priority of the first entry of the format counts": (
        model(version="2"),
        [
            runtime("a", formats("priority: 9", "version: '2', autoSelect: true, priority: 1")),
            runtime("b", formats("version: '2', autoSelect: true, priority: 5")),
        ],
        "a",
        "v1",
    ),
    "a better protocol, if the priorities are equal": (
        model(V2),
        [runtime("a", protocols="[v2]"), runtime("b", protocols="[v2, v1]")],
        "b",
        "v2",
    ),
    "the newer one, if all else is equal": (
        model(),
        [
            runtime("a", created="2026-01-01T00:00:00Z"),
            runtime("b", created="2026-02-01T00:00:00Z"),
        ],
        "b",
        "v1",
    ),
    "the first name, if nothing decides": (model(), [runtime("b"), runtime("a")], "a", "v1"),
    "the namespace's before the cluster's, whatever the priority": (
        model(),
        [runtime("a", formats("autoSelect: true, priority: 9")), runtime("b", namespace="default")],
        "b",
        "v1",
    ),
    "a version that is the same text": (
        model(version="1"),
        [runtime("a", formats("version: '1.0', autoSelect: true")), runtime("b")],
        "b",
        "v1",
    ),
    "by name, also if it would never be chosen": (
        model(", runtime: b"),
        [runtime("a"), runtime("b", formats("autoSelect: false"))],
        "b",
        "v1",
    ),
    "by name, with the first REST protocol that it lists": (
        model(", runtime: a"),
        [runtime("a", protocols="[grpc-v2, v2, v1]")],
        "a",
        "v2",
    ),
    "by name, the namespace's before the cluster's": (
        model(", runtime: a"),
        [runtime("a"), runtime("a", protocols="[v2]", namespace="default")],
        "a",
        "v2",
    ),
    "by name, with the protocol that servers of its type are told to speak": (
        model(", runtime: a"),
        [
            runtime(
                "a",
                protocols="[v2, v1]",
                annotations="{serving.kserve.io/server-type: torchserve}",
            )
        ],
        "a",
        "v1",
    ),
    "by name, where it does not speak that protocol": (
        model(", runtime: a"),
        [
            runtime(
                "a",
                protocols="[grpc-v2]",
                annotations="{serving.kserve.io/server-type: torchserve}",
            )
        ],
        "a",
        "grpc-v2",
    ),
    "a format that is V2 unless the service says otherwise": (
        "model: {modelFormat: {name: triton}}",
        [
            runtime("a", "[{name: triton, autoSelect: true}]"),
            runtime("b", "[{name: triton, autoSelect: true}]", protocols="[v2]"),
        ],
        "b",
        "v2",
    ),
    "by no other namespace": (
        model(),
        [runtime("a", namespace="prod"), runtime("b")],
        "b",
        "v1",
    ),
    "a runtime of several nodes for a service of several": (
        f"{model(', storageUri: pvc://a')}\nworkerSpec: {{}}",
        [runtime("a"), runtime("b", spec="workerSpec: {containers: [{name: worker-container}]}")],
        "b",
        "v1",
    ),
}


@pytest.mark.parametrize(("spec", "among", "name", "protocol"), CHOSEN.values(), ids=CHOSEN)
def test_chosen(spec: str, among: list[str], name: str, protocol: str) -> None:
    selection = chosen(spec, among)
    assert selection.chosen is not None
    assert (selection.chosen.name, selection.protocol) == (name, protocol)
    passed_over = [passed.runtime for passed in selection.passed_over]
    assert len(passed_over) == len(among) - 1  # each of the others has a reason
    assert selection.chosen not in passed_over
    assert all(passed.reason for passed in selection.passed_over)
    assert selection.why


REASONS = {
    "another format": (
        model(),
        runtime("a", "[{name: onnx, autoSelect: true}]"),
        "not serve sklearn",
    ),
    "another version": (model(version="2"), runtime("a"), "in version 1, not 2"),
    "only by name": (model(), runtime("a", formats("autoSelect: false")), "only by name"),
    "disabled": (model(), runtime("a", spec="disabled: true"), "disabled"),
    "many models": (model(), runtime("a", spec="multiModel: true"), "many models"),
    "another protocol": (model(V2), runtime("a"), "speaks v1, not v2"),
    "several nodes": (
        model(),
        runtime("a", spec="workerSpec: {containers: [{name: worker-container}]}"),
        "it runs on several nodes",
    ),
    "one node": (
        f"{model(', storageUri: pvc://a')}\nworkerSpec: {{}}",
        runtime("a"),
        "it runs on one node",
    ),
    "another namespace's": (model(), runtime("a", namespace="prod"), "only the namespace prod"),
}


@pytest.mark.parametrize(("spec", "other", "words"), REASONS.values(), ids=REASONS)
def test_why_a_runtime_is_passed_over(spec: str, other: str, words: str) -> None:
    selection = chosen(spec, [other])
    assert selection.chosen is None
    assert selection.reason == "NoSupportingRuntime"
    assert words in selection.passed_over[0].reason


FIRST = runtime("a", formats("autoSelect: true, priority: 2"))
BEATEN = {
    "scope": (
        [runtime("a", namespace="default"), runtime("b")],
        "a is of its namespace, and goes before the cluster's",
    ),
    "priority": (
        [FIRST, runtime("b", formats("autoSelect: true, priority: 1"))],
        "a goes before it by priority 2, it has 1",
    ),
    "a priority and none": ([FIRST, runtime("b")], "a goes before it by priority 2, it has none"),
    "protocol": (
        [runtime("a"), runtime("b", protocols="[]")],
        "a goes before it by protocol: v1 before any protocol",
    ),
    "age": (
        [
            runtime("a", created="2026-02-01T00:00:00Z"),
            runtime("b", created="2026-01-01T00:00:00Z"),
        ],
        "a goes before it: it is newer",
    ),
    "name": ([runtime("a"), runtime("b")], "a goes before it by name; nothing else decides"),
}


@pytest.mark.parametrize(("among", "reason"), BEATEN.values(), ids=BEATEN)
def test_what_decides_between_two_that_fit(among: list[str], reason: str) -> None:
    for order in (among, among[::-1]):
        (passed,) = chosen(model(), order).passed_over
        assert (passed.runtime.name, passed.reason) == ("b", reason)


def test_those_that_came_closest_are_told_first() -> None:
    among = [
        runtime("other", "[{name: onnx, autoSelect: true}]"),
        runtime("elsewhere", namespace="prod"),
        runtime("old", formats("version: '0', autoSelect: true"), protocols="[v2]"),
        runtime("second"),
        runtime("first"),
    ]
    passed_over = chosen(model(), among).passed_over
    assert [passed.runtime.name for passed in passed_over] == [
        "second",
        "old",
        "other",
        "elsewhere",
    ]


def test_others_are_passed_over_because_one_is_named() -> None:
    among = [runtime("a"), runtime("b"), runtime("a", namespace="default")]
    selection = chosen(model(", runtime: a"), among)
    assert selection.chosen is not None
    assert not selection.chosen.resource.is_cluster_wide
    assert [passed.reason for passed in selection.passed_over] == [
        "there is one of this name in the namespace",
        "the service names a",
    ]


REFUSED = {
    "nobody of that name": (
        model(", runtime: b"),
        [runtime("a")],
        "RuntimeNotRecognized",
        "known are: a",
    ),
    "it is disabled": (
        model(", runtime: a"),
        [runtime("a", spec="disabled: true")],
        "RuntimeDisabled",
        "disabled",
    ),
    "it speaks another protocol": (
        model(f", runtime: a{V2}"),
        [runtime("a")],
        "NoSupportingRuntime",
        "speaks v1, not v2",
    ),
    "it serves another format": (
        model(", runtime: a"),
        [runtime("a", "[{name: onnx}]")],
        "NoSupportingRuntime",
        "does not serve sklearn",
    ),
    "it is another namespace's": (
        model(", runtime: a"),
        [runtime("a", namespace="prod")],
        "RuntimeNotRecognized",
        "known are: none",
    ),
    "there is none for the format": (
        model(),
        [runtime("a", "[{name: onnx, autoSelect: true}]")],
        "NoSupportingRuntime",
        "runtimes for onnx",
    ),
}


@pytest.mark.parametrize(("spec", "among", "reason", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(spec: str, among: list[str], reason: str, words: str) -> None:
    selection = chosen(spec, among)
    assert (selection.chosen, selection.reason) == (None, reason)
    assert words in selection.message


def test_a_backend_may_know_a_reason_of_its_own() -> None:
    predictor = only_service(service(model())).resource.spec.predictor
    wanted = model_of(predictor)
    assert wanted is not None
    selection = select(
        wanted,
        "default",
        runtimes(runtime("a"), runtime("b")),
        obstacle=lambda one: "it is too big" if one.name == "a" else None,
    )
    assert selection.chosen is not None
    assert selection.chosen.name == "b"
    assert [(p.runtime.name, p.reason) for p in selection.passed_over] == [("a", "it is too big")]
