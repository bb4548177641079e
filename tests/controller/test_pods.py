"""Replicas as Pods: what `describe pod` tells of a container that ended."""

from pathlib import Path

from controller.store.own_kinds import POD
from controller.store.refs import Json, Ref
from tests.controller.backend import fake
from tests.controller.running import running
from tests.controller.test_reconcile_live import die
from tests.kit.eventually import eventually


async def test_a_pod_tells_how_its_container_ended_last(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)

        def container() -> Json:
            pod = plane.store.get(Ref(POD, "default", "iris-predictor-00001-0"))
            (said,) = pod["status"]["containerStatuses"]
            return dict(said)

        assert "lastState" not in container()
        await die(plane.router.address())
        await eventually(lambda: "lastState" in container())
        ended = container()["lastState"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("Error", 3)
