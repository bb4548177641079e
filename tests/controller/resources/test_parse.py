"""Documents become resources, or problems with a place and a way to mend them; no traceback."""

import pytest

from controller.resources.inferenceservice import InferenceService, model_of
from controller.resources.model import dump, read
from controller.resources.parse import parse
from graph.loader import load
from tests.controller.manifests import resources, runtime, service, sound

BAD = {
    "a misspelt key is guessed": (
        service("sklearn: {storageUrl: x}"),
        "unknown-field",
        "did you mean `storageUri`?",
    ),
    "a key of the model, beside it": (
        service("model: {modelFormat: {name: sklearn}}\nstorageUri: x"),
        "unknown-field",
        "it belongs into `spec.predictor.model`",
    ),
    "a key of the predictor, in its model": (
        service("model: {modelFormat: {name: sklearn}, minReplicas: 2}"),
        "unknown-field",
        "it belongs into `spec.predictor`",
    ),
    "a key that nothing is like": (
        service("sklearn: {qqq: 1}"),
        "unknown-field",
        "remove it",
    ),
    "an empty predictor is told what to add": (
        service("{}"),
        "no-implementation",
        "storageUri: ./model",
    ),
    "two frameworks are one too many": (
        service("sklearn: {}\nxgboost: {}"),
        "several-implementations",
        "sklearn and xgboost",
    ),
    "a model beside containers of one's own": (
        service("sklearn: {}\ncontainers: [{name: kserve-container}]"),
        "several-implementations",
        "sklearn and containers",
    ),
    "a model without format": (service("model: {}"), "missing-field", "`modelFormat`"),
    "a number where Kubernetes wants text": (
        service("sklearn: {env: [{name: A, value: 1}]}"),
        "wrong-type",
        "in quotes",
    ),
    "a mapping where a list belongs": (
        service("sklearn: {args: {a: b}}"),
        "wrong-type",
        "expected a list",
    ),
    "a name that no host can have": (service("sklearn: {}", name="Iris_1"), "bad-name", "Iris_1"),
    "an old version of the kind": (
        service("sklearn: {}").replace("v1beta1", "v1alpha2"),
        "api-version",
        "v1beta1",
    ),
    "nothing where text belongs": (
        service("sklearn: {storageUri: [1]}"),
        "wrong-type",
        "found a list",
    ),
    "a switch that is text": (
        runtime("r", spec="disabled: maybe"),
        "wrong-type",
        "expected true or false, found text `maybe`",
    ),
    "half a megabyte by a comma": (
        service("sklearn: {resources: {limits: {memory: '0,5Mi'}}}"),
        "wrong-type",
        "expected a quantity such as 1, 500m or 2Gi, found text `0,5Mi`",
    ),
    "a quantity that is a list": (
        service("sklearn: {resources: {limits: {cpu: [1]}}}"),
        "wrong-type",
        "expected a quantity such as 1, 500m or 2Gi, found a list",
    ),
    "a metric that nobody scales by": (
        service("sklearn: {}\nscaleMetric: cqu"),
        "bad-value",
        "did you mean `cpu`?",
    ),
    "a path that begins nowhere": (
        service("sklearn: {}\nstorageUris: [{uri: x, mountPath: models}]"),
        "bad-value",
        "does not match `^/`",
    ),
    "no spec at all": (service("spec: 3"), "wrong-type", "a mapping"),
    "a runtime without containers": (
        runtime("r", container=""),
        "no-implementation",
        "it has no containers; add one",
    ),
    "a priority below one": (
        runtime("r", "[{name: x, priority: 0}]"),
        "bad-value",
        "greater than or equal to 1",
    ),
}


@pytest.mark.parametrize(("text", "code", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told(text: str, code: str, words: str) -> None:
    found = resources(text)
    assert [p.problem.code for p in found.problems] == [code]
    assert words in found.problems[0].problem.message
    assert not found.services
    assert not found.runtimes


def test_an_unknown_key_does_not_hide_what_else_is_wrong() -> None:
    found = resources(service("sklern: {}"))
    assert [(p.problem.code, p.line) for p in found.problems] == [
        ("unknown-field", 7),
        ("no-implementation", 6),
    ]
    assert "did you mean `sklearn`?" in found.problems[0].problem.message


def test_null_is_no_key_at_all() -> None:
    found = sound(runtime("r", spec="disabled:"))
    assert found.runtimes[None, "r"].resource.spec.disabled is False


def test_every_problem_is_told_with_its_place() -> None:
    found = resources(service("sklearn:\n  storageUri: 1\n  args: x"))
    assert [(p.line, p.column, p.problem.path[-1]) for p in found.problems] == [
        (9, 7, "args"),
        (8, 7, "storageUri"),
    ]


def test_the_same_service_twice_is_a_problem_in_the_second() -> None:
    found = resources(service("sklearn: {}"), service("xgboost: {}"))
    assert [p.problem.code for p in found.problems] == ["duplicate-resource"]
    kept = found.services["default/iris"].resource.spec.predictor
    assert [*kept.frameworks()] == ["sklearn"]


def test_the_same_runtime_twice_is_a_problem_in_the_second() -> None:
    found = resources(runtime("r"), runtime("r", namespace="prod"), runtime("r", protocols="[v2]"))
    assert [p.problem.code for p in found.problems] == ["duplicate-resource"]
    assert [*found.runtimes] == [(None, "r"), ("prod", "r")]


def test_the_same_name_in_another_namespace_is_another_service() -> None:
    found = sound(service("sklearn: {}"), service("sklearn: {}", namespace="prod"))
    assert [*found.services] == ["default/iris", "prod/iris"]


def test_a_runtime_of_the_user_replaces_a_built_in_one() -> None:
    built_in = load(runtime("r", protocols="[v1]"), "built-in.yaml")
    own = load(runtime("r", protocols="[v2]"), "own.yaml")
    found = parse(own, built_in)
    assert found.problems == []
    assert found.runtimes[None, "r"].resource.spec.protocol_versions == ("v2",)


def test_documents_of_other_kinds_are_left_alone() -> None:
    found = resources("{apiVersion: apps/v1, kind: Deployment, metadata: {name: s}}")
    assert (found.objects, found.problems) == ({}, [])


def test_what_we_do_not_interpret_stays_as_it_was_written() -> None:
    text = service("sklearn: {resources: {limits: {cpu: '1'}}}\nnodeSelector: {disk: ssd}")
    data = load(text, "x.yaml")[0].data
    assert dump(read(InferenceService, data)) == data


def test_a_framework_key_is_a_model_of_that_format() -> None:
    (found,) = sound(service("onnx: {storageUri: x, args: [a]}")).services.values()
    model = model_of(found.resource.spec.predictor)
    assert model is not None
    assert (model.model_format.name, model.protocol_version) == ("onnx", "v2")
    assert (model.storage_uri, model.args) == ("x", ("a",))
