"""What this machine runs, and why it cannot run the rest: every problem at once, with its place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from controller.local.built_in import built_in_runtimes
from controller.local.plan import Machine, Plan, plan
from controller.resources.parse import parse
from graph.loader import load
from tests.controller.manifests import runtime, service

MODELS = {Path("/manifests/model"), Path("/copies/model")}


def planned(*texts: str, python: str = "3.11.7", uri_map: Mapping[str, Path] | None = None) -> Plan:
    machine = Machine(
        python,
        uri_map or {},
        which=lambda program: program if program in ("python", "/manifests/run.sh") else None,
        exists=MODELS.__contains__,
    )
    documents = load("\n---\n".join(texts), "/manifests/all.yaml")
    return plan(parse(documents, built_in_runtimes()), machine)


SKLEARN = "sklearn: {storageUri: ./model}"
SKLEARN_V2 = "sklearn: {storageUri: ./model, protocolVersion: v2}"
XGBOOST = "xgboost: {storageUri: ./model}"
XGBOOST_V2 = "xgboost: {storageUri: ./model, protocolVersion: v2}"

BUILT_IN = {
    "scikit-learn, V1": (SKLEARN, "3.11.7", "kserve-sklearnserver"),
    "scikit-learn, V2: MLServer": (SKLEARN_V2, "3.12.1", "kserve-mlserver"),
    "scikit-learn, V2, where MLServer does not install": (
        SKLEARN_V2,
        "3.13.0",
        "kserve-sklearnserver",
    ),
    "XGBoost, V1": (XGBOOST, "3.13.0", "kserve-xgbserver"),
    "XGBoost, V2: MLServer": (XGBOOST_V2, "3.11.7", "kserve-mlserver"),
    "XGBoost, V2, where MLServer does not install": (XGBOOST_V2, "3.13.0", "kserve-xgbserver"),
}


@pytest.mark.parametrize(("spec", "python", "name"), BUILT_IN.values(), ids=BUILT_IN)
def test_the_built_in_runtimes_serve(spec: str, python: str, name: str) -> None:
    made = planned(service(spec), python=python)
    assert made.problems == ()
    (unit,) = made.services[0].wanted.units
    chosen = made.services[0].wanted.runtime
    assert chosen is not None
    assert chosen.name == name
    assert [(mount.path, mount.uri) for mount in unit.component.mounts] == [
        ("/mnt/models", "./model")
    ]
    assert unit.packages


def test_a_python_that_is_too_new_is_a_reason() -> None:
    selection = planned(service(SKLEARN_V2), python="3.13.0").selections["default/iris"]
    reasons = {p.runtime.name: p.reason for p in selection.passed_over}
    assert reasons["kserve-mlserver"] == "it needs Python >=3.11,<3.13, and this is 3.13.0"


def test_packages_of_the_service_go_before_the_runtimes() -> None:
    annotations = "{graphway.dev/python-packages: 'a==1 ./b'}"
    (found,) = planned(service(SKLEARN, annotations=annotations)).services
    assert found.wanted.units[0].packages == ("a==1", "/manifests/b")


def test_containers_of_ones_own_run_without_an_environment() -> None:
    (found,) = planned(service("containers: [{command: [./run.sh]}]")).services
    assert (found.wanted.units[0].packages, found.wanted.runtime) == (None, None)


OTHER = "model: {modelFormat: {name: other}, storageUri: ./model}"


def other(container: str, annotations: str = "{}") -> str:
    formats = "[{name: other, autoSelect: true}]"
    container = container.replace("{", "{name: kserve-container, ", 1)
    return runtime("r", formats, container=container, annotations=annotations)


MANY = service("model: {modelFormat: {name: sklearn}, protocolVersion: v2}")


def trained(uri: str, of: str = "iris") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: TrainedModel
metadata: {{name: m}}
spec: {{inferenceService: {of}, model: {{framework: sklearn, memory: 1Gi, storageUri: {uri}}}}}
"""


PROBLEMS = {
    "a placeholder that nobody fills": (
        [service("sklearn: {storageUri: ./model, args: ['{{.Nmae}}']}")],
        "unknown-placeholder",
        "{{.Name}}",
    ),
    "a runtime that speaks gRPC alone": (
        [
            service(OTHER.replace("storageUri", "runtime: r, storageUri")),
            other("{command: [python]}").replace("[v1]", "[grpc-v2]"),
        ],
        "no-rest-protocol",
        "grpc-v2",
    ),
    "a model that is not there": (
        [service("sklearn: {storageUri: ./nothing}")],
        "missing-model",
        "nothing at /manifests/nothing",
    ),
    "a URI that nobody fetches": (
        [service("sklearn: {storageUri: ftp://a/b}")],
        "bad-storage-uri",
        "ftp",
    ),
    "no model at all": ([service("sklearn: {}")], "no-runtime", "add storageUri"),
    "no model, and a runtime for one": (
        [service("model: {modelFormat: {name: sklearn}, runtime: kserve-sklearnserver}")],
        "no-storage",
        "a runtime that serves many",
    ),
    "a format that nobody serves": (
        [service(OTHER)],
        "no-runtime",
        "runtimes for sklearn, xgboost",
    ),
    "a runtime that has only an image": (
        [service(OTHER), other("{image: big}")],
        "no-runtime",
        "r: it has only an image (big)",
    ),
    "a runtime whose command is in its image": (
        [service(OTHER), other("{image: big, command: [python]}")],
        "no-runtime",
        "its command belongs to an image (big)",
    ),
    "a runtime whose command is not here": (
        [service(OTHER), other("{command: [absent]}")],
        "no-runtime",
        "its command absent is not found",
    ),
    "a version range that is none": (
        [service(OTHER), other("{command: [x]}", "{graphway.dev/python: new}")],
        "no-runtime",
        "no version range",
    ),
    "containers that have only an image": (
        [service("containers: [{image: big}]")],
        "not-runnable-here",
        "only an image (big)",
    ),
    "a transformer that has only an image": (
        [
            service(
                f"spec:\n  predictor: {{{SKLEARN}}}\n  transformer: {{containers: [{{image: x}}]}}"
            )
        ],
        "not-runnable-here",
        "only an image (x)",
    ),
    "a container beside the one that is called": (
        [service("containers: [{name: a, command: [./run.sh]}, {name: b, command: [./run.sh]}]")],
        "unsupported-here",
        "side container b does not run on this machine",
    ),
    "a container that runs before": (
        [service("{containers: [{command: [./run.sh]}], initContainers: [{name: first}]}")],
        "unsupported-here",
        "init container first does not run on this machine",
    ),
    "a variable from a Secret that is not there": (
        [
            service(
                "containers: [{command: [./run.sh], env: [{name: A, valueFrom: "
                "{secretKeyRef: {name: s, key: k}}}]}]"
            )
        ],
        "not-runnable-here",
        "there is no Secret s",
    ),
}


@pytest.mark.parametrize(("texts", "code", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(texts: list[str], code: str, words: str) -> None:
    made = planned(*texts)
    assert made.services == ()
    assert [p.problem.code for p in made.problems] == [code]
    assert words in made.problems[0].problem.message


OF_TRAINED_MODELS = {
    "a model of many that is not there": (
        [MANY, trained("./nothing")],
        "missing-model",
        "nothing at /manifests/nothing",
    ),
    "a model of many whose server is not there": (
        [MANY, trained("s3://a/b", of="other")],
        "no-server",
        "other is not in these files",
    ),
    "a model for a server of one": (
        [service(SKLEARN), trained("s3://a/b")],
        "no-server",
        "iris serves one model",
    ),
}


@pytest.mark.parametrize(
    ("texts", "code", "words"), OF_TRAINED_MODELS.values(), ids=OF_TRAINED_MODELS
)
def test_problems_of_trained_models(texts: list[str], code: str, words: str) -> None:
    """They keep no service from running."""
    made = planned(*texts)
    assert [planned.key for planned in made.services] == ["default/iris"]
    assert [p.problem.code for p in made.problems] == [code]
    assert words in made.problems[0].problem.message


def test_a_model_of_many_whose_server_is_there_has_no_problem() -> None:
    assert planned(MANY, trained("./model")).problems == ()


def test_a_missing_model_is_told_with_file_line_and_column() -> None:
    (problem,) = planned(service("sklearn:\n  storageUri: ./nothing")).problems
    assert str(problem).startswith("/manifests/all.yaml:8:7: error missing-model: there is nothing")


def test_one_bad_service_hides_no_other() -> None:
    made = planned(
        service(SKLEARN),
        service("sklearn: {}", name="a"),
        service("sklearn: {storageUri: ./nothing}", name="b"),
        service("{}", name="c"),
    )
    assert [found.key for found in made.services] == ["default/iris"]
    assert len(made.problems) == 3


def test_a_mapped_uri_is_a_local_copy() -> None:
    made = planned(
        service("sklearn: {storageUri: gs://bucket/model}"),
        uri_map={"gs://bucket": Path("/copies")},
    )
    assert [found.key for found in made.services] == ["default/iris"]
    missing = planned(
        service("sklearn: {storageUri: gs://bucket/other}"),
        uri_map={"gs://bucket": Path("/copies")},
    )
    assert "nothing at /copies/other" in missing.problems[0].problem.message


def test_what_is_fetched_is_not_looked_for() -> None:
    assert planned(service("sklearn: {storageUri: s3://bucket/model}")).problems == ()


def test_transformer_and_explainer_are_planned_behind_their_predictor() -> None:
    run = "{containers: [{command: [./run.sh]}]}"
    made = planned(service(f"spec:\n  predictor: {run}\n  transformer: {run}\n  explainer: {run}"))
    (found,) = made.services
    assert [unit.role for unit in found.wanted.units] == ["predictor", "transformer", "explainer"]
    assert found.wanted.entry == "transformer"
    assert "--predictor_host" in found.wanted.units[1].component.container.args
