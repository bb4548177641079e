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
    others = len(among) - 1
    assert "runtime:" in spec or len(selection.passed_over) == others


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
        "several nodes",
    ),
}


@pytest.mark.parametrize(("spec", "other", "words"), REASONS.values(), ids=REASONS)
def test_why_a_runtime_is_passed_over(spec: str, other: str, words: str) -> None:
    selection = chosen(spec, [other])
    assert selection.chosen is None
    assert selection.reason == "NoSupportingRuntime"
    assert words in selection.passed_over[0].reason


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
