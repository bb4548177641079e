"""Edits that come at a bad moment: what ran goes on as it was said last, and nobody gets calls whom
nobody gave them to.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from controller.desired import Unit
from controller.observe import Phase
from controller.scaling.scaler import Key, Scaled
from controller.store.own_kinds import CONTROLLER_REVISION
from controller.store.refs import Json
from controller.workload import Role
from tests.controller.manifests import runtime, service
from tests.controller.running import apply_manifests
from tests.controller.test_reconcile import KEY, Stage

PREDICTOR = Role.PREDICTOR


class Said:
    """Scaled as a test says, by unit; else as the manifest says."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def replicas(self, service: str, revision: str, unit: Unit) -> int:
        return self.number.get(unit.name, unit.replicas)

    def bounds(self, unit: Unit) -> tuple[int, int]:
        least = unit.component.declared.min_replicas
        return (1 if least is None else least), 9

    def told(self, service: str) -> Mapping[Key, Scaled]:
        return {}

    def forget(self, service: str) -> None:
        pass


@pytest.fixture
def scale() -> Said:
    return Said()


@pytest.fixture
def stage(tmp_path: Path, scale: Said) -> Iterator[Stage]:
    made = Stage(tmp_path, scale)
    yield made
    made.store.close()


def version(word: str, **more: int) -> str:
    said = "".join(f"{key}: {value}\n" for key, value in more.items())
    return service(f"{said}containers: [{{command: [{word}]}}]")


def settle(stage: Stage) -> None:
    while stage.look():
        pass


def apply(stage: Stage, text: str) -> None:
    apply_manifests(stage.store, text)
    settle(stage)


def comes_up(stage: Stage) -> None:
    stage.backend.becomes(PREDICTOR, Phase.READY)
    settle(stage)


def shares(stage: Stage) -> str:
    found = stage.endpoints[KEY]
    assert found is not None
    return " ".join(f"{route.revision[-1]}:{route.percent}" for route in found.routes)


def replicas(stage: Stage) -> dict[str, int]:
    observed = stage.backend.observe(KEY)
    return {name: each.unit.replicas for name, each in observed.items() if each.unit}


def revisions(stage: Stage) -> list[str]:
    return [each["metadata"]["name"] for each in stage.store.list(CONTROLLER_REVISION).items]


def test_a_revision_that_was_scaled_since_stays_so_while_the_next_one_comes(stage: Stage) -> None:
    apply(stage, version("run"))
    apply(stage, version("run", minReplicas=3))
    comes_up(stage)
    apply(stage, version("walk", minReplicas=5))
    assert replicas(stage) == {"predictor-00001": 3, "predictor-00002": 5}
    assert revisions(stage) == ["iris-00001", "iris-00002"]


def test_what_was_rolled_back_gets_no_calls_when_a_stopped_service_resumes(stage: Stage) -> None:
    apply(stage, version("run"))
    comes_up(stage)
    apply(stage, version("walk", canaryTrafficPercent=0))
    comes_up(stage)
    assert shares(stage) == "2:0 1:100"
    stage.act("stop")
    settle(stage)
    stage.backend.gone()
    settle(stage)
    assert "traffic" not in _predictor(stage)
    stage.act("resume")
    settle(stage)
    assert shares(stage) == "2:0 1:100"
    assert replicas(stage) == {"predictor-00001": 1, "predictor-00002": 1}


def _predictor(stage: Stage) -> Json:
    assert stage.live is not None
    found: Json = stage.live["status"]["components"]["predictor"]
    return found


PINNED = "serving.kserve.io/disable-auto-update: 'true'"


def on_runtime(annotations: str, below: str = "") -> str:
    model = f"{below}model: {{modelFormat: {{name: sklearn}}, args: [x]}}"
    return service(model, annotations=f"{{{annotations}}}")


def speaking(word: str) -> str:
    return runtime("fake", container=f"{{name: kserve-container, command: [{word}]}}")


def test_a_service_that_keeps_its_runtime_is_scaled_and_restarted_nevertheless(
    stage: Stage,
) -> None:
    apply_manifests(stage.store, speaking("one"), on_runtime(PINNED))
    settle(stage)
    comes_up(stage)
    apply_manifests(stage.store, speaking("one"), on_runtime(PINNED, "minReplicas: 3\n"))
    settle(stage)
    assert replicas(stage) == {"predictor-00001": 3}
    apply_manifests(stage.store, speaking("two"), on_runtime(PINNED, "minReplicas: 3\n"))
    settle(stage)
    assert revisions(stage) == ["iris-00001"]
    restarted = f"{PINNED}, kubectl.kubernetes.io/restartedAt: now"
    apply_manifests(stage.store, speaking("two"), on_runtime(restarted, "minReplicas: 3\n"))
    settle(stage)
    assert revisions(stage) == ["iris-00001", "iris-00002"]


def test_calls_for_who_is_at_zero_wait_also_if_the_next_one_may_not_be(
    stage: Stage, scale: Said
) -> None:
    apply(stage, version("run", minReplicas=0))
    comes_up(stage)
    scale.number["predictor-00001"] = 0
    settle(stage)
    apply(stage, version("walk", minReplicas=1))
    found = stage.endpoints[KEY]
    assert found is not None
    assert (shares(stage), found.hold) == ("1:100", True)
    scale.number["predictor-00001"] = 1  # somebody has called
    comes_up(stage)  # the newest
    assert shares(stage) == "2:100"


def test_calls_that_wait_at_zero_go_on_waiting_when_zero_is_forbidden(
    stage: Stage, scale: Said
) -> None:
    apply(stage, version("run", minReplicas=0))
    comes_up(stage)
    scale.number["predictor-00001"] = 0
    settle(stage)
    stage.backend.becomes(PREDICTOR, Phase.STARTING)
    scale.number["predictor-00001"] = 1
    apply(stage, version("run", minReplicas=1))
    found = stage.endpoints[KEY]
    assert found is not None
    assert (found.addresses, found.hold) == ((), True)
    comes_up(stage)
    found = stage.endpoints[KEY]
    assert found is not None
    assert (len(found.addresses), found.hold) == (1, False)
    stage.backend.becomes(PREDICTOR, Phase.NOT_READY)
    settle(stage)
    found = stage.endpoints[KEY]
    assert found is not None
    assert not found.hold


def test_who_was_rolled_back_to_gets_calls_when_it_is_there_not_while_it_starts(
    stage: Stage,
) -> None:
    apply(stage, version("run", minReplicas=0))
    comes_up(stage)
    apply(stage, version("walk", minReplicas=0))
    comes_up(stage)
    stage.backend.gone()
    apply(stage, version("walk", minReplicas=0, canaryTrafficPercent=0))
    assert replicas(stage) == {"predictor-00001": 1, "predictor-00002": 1}
    assert shares(stage) == "2:100"
    comes_up(stage)
    assert shares(stage) == "2:0 1:100"


def test_an_explainer_never_goes_to_zero(stage: Stage, scale: Said) -> None:
    run = "containers: [{command: [run]}]"
    explainer = f"{{minReplicas: 0, {run}}}"
    scale.number["explainer-00001"] = 0
    apply(stage, service(f"spec:\n  predictor: {{{run}}}\n  explainer: {explainer}"))
    comes_up(stage)
    assert replicas(stage) == {"predictor-00001": 1, "explainer-00001": 1}


def test_a_clock_that_is_set_back_makes_nobody_wait_longer(stage: Stage) -> None:
    apply(stage, version("run"))
    assert stage.again_s == 30.0
    stage.now -= 3600
    stage.look()
    assert stage.again_s == 30.0
    stage.now += 20
    stage.look()
    assert stage.again_s == 10.0


def test_one_replica_of_four_gets_no_calls_that_it_had_not_whoever_asks_for_it(
    stage: Stage,
) -> None:
    apply(stage, version("run", minReplicas=4))
    comes_up(stage)
    apply(stage, version("walk", minReplicas=4))
    comes_up(stage)
    stage.backend.gone()
    apply(stage, version("walk", minReplicas=4, canaryTrafficPercent=0))
    stage.backend.most_of["predictor-00001"] = 1
    comes_up(stage)
    assert shares(stage) == "2:100"
    stage.backend.most_of["predictor-00001"] = 4
    settle(stage)
    assert shares(stage) == "2:0 1:100"
    stage.backend.most_of["predictor-00001"] = 1  # three are lost
    settle(stage)
    assert shares(stage) == "2:0 1:100"


def test_a_canary_is_promoted_once_it_has_the_replicas_of_the_whole(stage: Stage) -> None:
    def said(word: str, canary: str = "") -> str:
        model = "model: {modelFormat: {name: sklearn}, args: [%s]}"
        predictor = f"{{name: {word}, minReplicas: 4, {model % word}}}"
        if canary:
            of_canary = f"{{name: {canary}, {model % canary}}}"
            canary = f"\n  canary: [{{trafficPercent: 20, predictor: {of_canary}}}]"
        annotations = "{serving.kserve.io/deploymentMode: Standard}"
        return service(f"spec:\n  predictor: {predictor}{canary}", annotations=annotations)

    apply_manifests(stage.store, speaking("one"), said("v1", "v2"))
    settle(stage)
    for name in ("v1-predictor-00001", "v2-predictor-00002"):
        stage.backend.is_ready(name)
    settle(stage)
    assert shares(stage) == "1:80 2:20"
    stage.backend.most_of["v2-predictor-00002"] = 1
    apply_manifests(stage.store, speaking("one"), said("v2"))
    settle(stage)
    assert replicas(stage) == {"v1-predictor-00001": 4, "v2-predictor-00002": 4}
    assert shares(stage) == "1:100"
    stage.backend.most_of["v2-predictor-00002"] = 3
    settle(stage)
    assert shares(stage) == "2:100"
