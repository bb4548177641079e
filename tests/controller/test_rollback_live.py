"""Back to an earlier revision, as `graphway rollback` writes it: calls go there, and who still runs
is not started again.
"""

from pathlib import Path

from controller.rollout.back import annotations_for, earlier, spec_for
from controller.rollout.history import History
from controller.rollout.intent import before_of
from controller.rollout.revision import Revision
from controller.store.refs import Json, Ref
from controller.view import SERVICE
from tests.controller.manifests import service
from tests.controller.running import Plane, running
from tests.controller.test_rollout_live import (
    RUNTIME,
    STANDARD,
    goes_to,
    named,
    settled,
    version,
    words,
)
from tests.kit.eventually import eventually

RESTARTED = "kubectl.kubernetes.io/restartedAt"


def known(plane: Plane) -> list[Revision]:
    live = plane.live()
    assert live is not None
    return History(plane.store).of(live)


def go_back(plane: Plane, number: int | None = None) -> None:
    def changed(live: Json) -> Json:
        found = known(plane)
        names = {revision.name for revision in found}
        target = earlier(found, before_of(live, names), refused=False)
        if number is not None:
            target = found[number - 1]
        assert target is not None
        metadata = live["metadata"]
        annotations = annotations_for(target, metadata.get("annotations") or {})
        return live | {
            "spec": spec_for(target, live["spec"]),
            "metadata": metadata | {"annotations": annotations},
        }

    plane.store.edit(Ref(SERVICE, "default", "iris"), changed)


async def test_a_canary_is_taken_back(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2, 50))
        await goes_to(plane, "1:50 2:50")
        go_back(plane)
        await goes_to(plane, "1:100")
        await eventually(lambda: words(plane) == ["v1"])
        assert len(plane.watcher.pids()) == 2
        await settled(plane)


async def test_what_was_promoted_goes_back_and_forth(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2))
        await goes_to(plane, "2:100")
        for wanted in ("1:100", "2:100"):
            go_back(plane)
            await goes_to(plane, wanted)
        assert [revision.number for revision in known(plane)] == [1, 2]


async def test_a_named_canary_becomes_the_only_one_and_starts_nobody(tmp_path: Path) -> None:
    spec = (
        f"spec:\n  predictor: {named('v1', tmp_path)}"
        f"\n  canary:\n  - {{predictor: {named('v2', tmp_path)}, trafficPercent: 20}}"
    )
    async with running(tmp_path, RUNTIME, service(spec, annotations=STANDARD)) as plane:
        await goes_to(plane, "1:80 2:20")
        go_back(plane, 2)
        await goes_to(plane, "2:100")
        await eventually(lambda: words(plane) == ["v2"])
        assert len(plane.watcher.pids()) == 2
        assert len(known(plane)) == 2


async def test_a_restart_is_a_revision_that_can_be_taken_back(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.annotate(RESTARTED, "today")
        await goes_to(plane, "2:100")
        go_back(plane)
        await goes_to(plane, "1:100")
        assert len(known(plane)) == 2
