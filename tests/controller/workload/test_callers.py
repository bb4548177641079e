"""Transformers and explainers: what they are told of the predictor that they call."""

import pytest

from controller.workload import Component, Mount, Role, Terms
from tests.controller.manifests import runtime
from tests.controller.workload.rendering import SERVER, built, env, made, whole

PREDICTOR = "spec: {predictor: {sklearn: {storageUri: x}}"


def caller(said: str, role: str = "transformer", **more: object) -> Component:
    result = whole(f"{PREDICTOR}, {role}: {{{said}}}}}", **more)
    assert [component.role for component in result.components] == ["predictor", role]
    return result.components[1]


TOLD = ("--model_name", "iris", "--predictor_host", "iris-predictor.default", "--http_port", "8080")

ARGS = {
    "of model, predictor and port": ("containers: [{image: t}]", TOLD),
    "after what it says itself": ("containers: [{image: t, args: [run]}]", ("run", *TOLD)),
    "unless it says it itself": (
        "containers: [{image: t, args: ['--model_name=mine', --http_port, '9']}]",
        ("--model_name=mine", "--http_port", "9", *TOLD[2:4]),
    ),
    "of its workers, if it serves so many calls at once": (
        "containers: [{image: t}], containerConcurrency: 4",
        (*TOLD, "--workers", "4"),
    ),
}


@pytest.mark.parametrize("role", ["transformer", "explainer"])
@pytest.mark.parametrize(("said", "args"), ARGS.values(), ids=ARGS)
def test_told(said: str, args: tuple[str, ...], role: str) -> None:
    assert caller(said, role).container.args == args


def test_a_variant_is_called_by_its_name() -> None:
    spec = "spec: {predictor: {name: blue, sklearn: {}}, transformer: {containers: [{image: t}]}}"
    assert "iris-blue-predictor.default" in whole(spec).components[1].container.args


def test_a_backend_says_where_its_things_are() -> None:
    terms = Terms(predictor_host="127.0.0.1:4711", http_port="$(PORT)")
    args = caller("containers: [{image: t}]", terms=terms).container.args
    assert args[2:] == ("--predictor_host", "127.0.0.1:4711", "--http_port", "$(PORT)")


def test_a_transformer_knows_its_service_and_an_explainer_does_not() -> None:
    assert env(caller("containers: [{image: t}]")) == {"INFERENCE_SERVICE_NAME": "iris"}
    assert env(caller("containers: [{image: t}]", "explainer")) == {}


def test_the_first_container_serves_whatever_its_name() -> None:
    result = caller("containers: [{name: mine, image: t}, {name: side, image: s}]")
    assert [container.name for container in result.pod.containers] == ["kserve-container", "side"]
    assert result.container.readiness_probe is not None
    assert (result.name, result.labels["component"]) == ("iris-transformer", "transformer")
    assert "--model_name" not in result.pod.containers[1].args


MOUNTS = {
    "by its variable": (
        "containers: [{image: t, env: [{name: STORAGE_URI, value: s3://b}]}]",
        Mount("/mnt/models", "s3://b", ("spec", "transformer", "containers", 0, "env")),
    ),
    "by storageUris": (
        "containers: [{image: t}], storageUris: [{uri: s3://a, mountPath: /a}]",
        Mount("/a", "s3://a", ("spec", "transformer", "storageUris", 0, "uri")),
    ),
}


@pytest.mark.parametrize(("said", "mount"), MOUNTS.values(), ids=MOUNTS)
def test_models_of_a_transformer(said: str, mount: Mount) -> None:
    result = caller(said)
    assert result.mounts == (mount,)
    assert env(result).get("STORAGE_URI", "/mnt/models") == "/mnt/models"


def test_graphs_call_the_transformer_and_never_the_explainer() -> None:
    both = "transformer: {containers: [{image: t}]}, explainer: {containers: [{image: e}]}"
    assert whole(f"{PREDICTOR}, {both}}}").entry.role is Role.TRANSFORMER
    only = "explainer: {containers: [{image: e}]}"
    assert whole(f"{PREDICTOR}, {only}}}").entry.role is Role.PREDICTOR


def test_the_explainer_that_kserve_ships() -> None:
    result = caller(
        "art: {type: SquareAttack, storageUri: s3://a, config: {z: '1', b: '2'}, args: [--b=3]}",
        "explainer",
    )
    assert result.container.image == "kserve/art-explainer:latest"
    flags = ("--storage_uri", "/mnt/models", "--adversary_type", "SquareAttack", "--z", "1")
    assert result.container.args == (*TOLD, *flags, "--b=3")
    assert result.mounts == (
        Mount("/mnt/models", "s3://a", ("spec", "explainer", "art", "storageUri")),
    )


def test_another_build_of_it() -> None:
    assert caller("art: {runtimeVersion: '7'}", "explainer").container.image == (
        "kserve/art-explainer:7"
    )
    assert caller("art: {image: mine}", "explainer").container.image == "mine"


NAMED = "{graphway.dev/explainer-runtime: explains}"


def explained(container: str, args: str) -> object:
    of = runtime("explains", container=f"{{name: kserve-container, {container}}}")
    spec = f"{PREDICTOR}, explainer: {{containers: [{{args: [{args}]}}]}}}}"
    return built(spec, SERVER, explainer=of, annotations=NAMED)


def test_an_explainer_with_a_runtime_gets_its_words_before_its_own() -> None:
    """What an older explainer says itself is a command after the options."""
    result = explained("image: alibi, args: [--name, '{{.Name}}']", "AnchorTabular, --seed, '1'")
    assert not isinstance(result, list)
    container = result.components[1].container  # type: ignore[attr-defined]
    assert container.image == "alibi"
    assert container.args == ("--name", "iris", *TOLD, "AnchorTabular", "--seed", "1")


def test_a_runtime_of_an_explainer_with_a_word_that_nobody_knows() -> None:
    problems = explained("image: alibi, args: ['{{.X}}']", "a")
    assert isinstance(problems, list)
    assert [(p.code, p.path[:2]) for p in problems] == [
        ("unknown-placeholder", ("spec", "explainer"))
    ]


def test_an_explainers_runtime_that_is_not_there() -> None:
    spec = f"{PREDICTOR}, explainer: {{containers: [{{image: e}}]}}}}"
    problems = built(spec, annotations=NAMED)
    assert isinstance(problems, list)
    assert [p.code for p in problems] == ["no-runtime"]


def test_a_predictor_alone() -> None:
    assert whole("sklearn: {storageUri: x}").entry == made("sklearn: {storageUri: x}")
