"""Replicas as Pods: what `describe pod` tells of a container that ended."""

from pathlib import Path

import pytest

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


LONG = f"iris{'-v2' * 80}"  # a service may be called so; its pods may not


@pytest.mark.parametrize("other", ["iris-v2", LONG], ids=["of another's pod", "too long"])
async def test_a_name_that_a_pod_cannot_have_keeps_no_service_from_running(
    tmp_path: Path, other: str
) -> None:
    named = fake().replace("    containers", "    name: v2\n    containers")
    async with running(tmp_path, named, fake(other)) as plane:
        await eventually(lambda: plane.ready("iris") and plane.ready(other))
        assert "InternalError" not in [*plane.events("iris"), *plane.events(other)]
        assert len(plane.store.list(POD).items) == 1
