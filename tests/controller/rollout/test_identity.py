"""What makes another unit, and what does not."""

import pytest

from controller.desired import Wanted, World, desired
from controller.local.plan import HERE
from controller.rollout.identity import PLACEHOLDER, digests
from tests.controller.manifests import only_service, service, sound


def made(spec: str = "", pod: str = "", annotations: str = "{}") -> dict[str, str]:
    """By role; `spec` and `pod` are added to the predictor and its container."""
    container = f"{{command: [run, a]{pod}}}"
    text = service(
        f"spec:\n  predictor: {{containers: [{container}]{spec}}}\n"
        "  transformer: {containers: [{command: [run]}]}",
        annotations=annotations,
    )
    wanted = desired(only_service(text), World(terms=HERE, needs_host=True), PLACEHOLDER)
    assert isinstance(wanted, Wanted)
    return digests(wanted.units, routed=False)


SAME: dict[str, dict[str, str]] = {
    "replicas": {"spec": ", minReplicas: 3, maxReplicas: 5"},
    "a scaling target": {"spec": ", scaleMetric: rps, scaleTarget: 5"},
    "a share of the calls": {"spec": ", canaryTrafficPercent: 10"},
    "a time limit": {"spec": ", timeout: 5"},
    "an annotation of the author's": {"annotations": "{owner: me}"},
    "an annotation about scaling": {"annotations": "{autoscaling.knative.dev/window: 9s}"},
    "the class of the autoscaler": {"annotations": "{serving.kserve.io/autoscalerClass: none}"},
}
OTHER: dict[str, dict[str, str]] = {
    "an argument": {"pod": ", args: [b]"},
    "a variable": {"pod": ", env: [{name: A, value: b}]"},
    "a limit": {"pod": ", resources: {limits: {cpu: 1}}"},
    "another account": {"spec": ", serviceAccountName: other"},
    "an annotation that KServe reads": {"annotations": "{serving.kserve.io/s3-region: x}"},
    "a wish for a restart": {"annotations": "{kubectl.kubernetes.io/restartedAt: today}"},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_it_stays_the_same_unit_with(change: dict[str, str]) -> None:
    assert made(**change) == made()


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_it_is_another_unit_with(change: dict[str, str]) -> None:
    assert made(**change)["predictor"] != made()["predictor"]


def test_a_transformer_is_another_one_with_another_predictor() -> None:
    """Each calls its own: two revisions side by side cannot share one."""
    assert made(pod=", args: [b]")["transformer"] != made()["transformer"]


def test_a_transformer_is_another_one_when_its_predictor_is_called_in_another_way() -> None:
    """Else all of them would be replaced at once, where they stand."""
    text = service("spec:\n  predictor: {containers: [{}]}\n  transformer: {containers: [{}]}")
    wanted = desired(only_service(text), World(needs_host=True), PLACEHOLDER)
    assert isinstance(wanted, Wanted)
    direct, routed = digests(wanted.units, routed=False), digests(wanted.units, routed=True)
    assert direct["predictor"] == routed["predictor"]
    assert direct["transformer"] != routed["transformer"]


def test_labels_matter_to_who_reads_them() -> None:
    field = "{fieldRef: {fieldPath: \"metadata.annotations['owner']\"}}"
    reads = f", env: [{{name: A, valueFrom: {field}}}]"
    mine = made(pod=reads, annotations="{owner: me}")
    assert mine["predictor"] != made(pod=reads, annotations="{owner: you}")["predictor"]


@pytest.mark.parametrize(
    ("uri", "same"), [("s3://models/iris", True), ("/models/iris", True), ("./iris", False)]
)
def test_the_folder_of_a_manifest_matters_to_relative_paths_only(uri: str, same: bool) -> None:
    def digest_in(folder: str) -> str:
        env = f"env: [{{name: STORAGE_URI, value: {uri}}}]"
        text = service(f"containers: [{{command: [run], {env}}}]")
        (found,) = sound(text, file=f"{folder}/all.yaml").services.values()
        wanted = desired(found, World(terms=HERE, needs_host=True), PLACEHOLDER)
        assert isinstance(wanted, Wanted)
        return digests(wanted.units, routed=False)["predictor"]

    assert (digest_in("/here") == digest_in("/there")) is same
