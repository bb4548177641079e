"""Events of a service's whole life, as `kubectl describe` shows them, with real processes."""

from pathlib import Path

import pytest

from controller.local.gpus import Device, FixedInventory
from controller.store.own_kinds import EVENT
from tests.controller.backend import fake
from tests.controller.running import Plane, running
from tests.controller.test_reconcile_live import die
from tests.kit.eventually import eventually


def told(plane: Plane) -> dict[str, int]:
    """How often, by reason."""
    found = plane.store.list(EVENT).items
    return {each["reason"]: each["count"] for each in found}


async def test_the_life_of_a_service_whose_model_comes_late(tmp_path: Path) -> None:
    model = tmp_path / "models" / "iris"
    env = f"env: [{{name: STORAGE_URI, value: {model}}}], readinessProbe"
    async with running(tmp_path, fake().replace("readinessProbe", env)) as plane:
        await eventually(lambda: "Failed" in told(plane))
        assert "Pulled" not in told(plane)
        model.mkdir(parents=True)
        await eventually(plane.ready)
        assert {"SuccessfulCreate", "Pulling", "Pulled", "Started"} <= told(plane).keys()
        await die(plane.router.address())
        await eventually(lambda: told(plane)["Started"] == 2 and plane.ready())
        await die(plane.router.address())
        await eventually(lambda: "BackOff" in told(plane))
        plane.annotate("serving.kserve.io/stop", "true")
        await eventually(lambda: plane.condition("Stopped").get("status") == "True")
        assert "Killing" in told(plane)
        assert told(plane)["SuccessfulCreate"] == 1


async def test_an_end_that_was_asked_for_is_no_failure(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        plane.annotate("serving.kserve.io/stop", "true")
        await eventually(lambda: plane.condition("Stopped").get("status") == "True")
        assert told(plane).keys() & {"ModelLoadFailed", "Failed", "BackOff"} == set()


async def test_who_waits_for_a_gpu_says_who_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = FixedInventory([Device("GPU-a", "H200", 0)])
    monkeypatch.setattr("controller.local.backend.NvmlInventory", lambda: one)
    gpu = "resources: {limits: {nvidia.com/gpu: 1}}, readinessProbe"
    first, second = (fake(name).replace("readinessProbe", gpu) for name in ("a", "b"))
    async with running(tmp_path, first) as plane:
        await eventually(lambda: plane.ready("a"))
        plane.apply(first, second)
        await eventually(lambda: "FailedScheduling" in told(plane))
        events = plane.store.list(EVENT).items
        (event,) = [each for each in events if each["reason"] == "FailedScheduling"]
        assert event["involvedObject"]["name"] == "b"
        assert "default/a" in event["message"]
        plane.apply(second)
        await eventually(lambda: plane.ready("b"))  # the device is free


async def test_one_that_is_deleted_says_so_to_its_end(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        plane.delete()
        await eventually(lambda: plane.live() is None)
        assert told(plane)["Killing"] == 1
        assert "ModelLoadFailed" not in told(plane)
