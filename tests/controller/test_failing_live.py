"""Services that fail, with real processes: what is told, what serves meanwhile, how they return."""

import os
import signal
from pathlib import Path

from controller.local.progress import Phase
from tests.controller.backend import OFTEN, alive, fake
from tests.controller.manifests import service
from tests.controller.running import running
from tests.controller.test_reconcile_live import die, settled
from tests.kit.eventually import eventually


async def test_a_service_that_ends_is_started_again_and_tells_how_it_ended(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        await die(plane.router.address())
        await eventually(lambda: plane.router.address() is None)
        await eventually(lambda: len(plane.watcher.pids()) == 2 and plane.ready())
        first, second = plane.watcher.pids()
        assert not alive(first)
        assert alive(second)
        failure = plane.model()["lastFailureInfo"]
        assert (failure["reason"], failure["exitCode"]) == ("ModelLoadFailed", 3)
        assert failure["location"] == "iris-predictor-00001-0"
        assert "status 3" in failure["message"]
        assert "told to die" in failure["message"]
        assert "InferenceServiceNotReady" in plane.events()
        await settled(plane)


async def test_a_service_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    async with running(tmp_path, fake("iris", "broken")) as plane:
        await eventually(
            lambda: plane.condition("PredictorReady").get("reason") == "CrashLoopBackOff"
        )
        assert plane.model()["transitionStatus"] == "BlockedByFailedLoad"
        assert plane.model()["states"]["targetModelState"] == "FailedToLoad"
        assert plane.model()["lastFailureInfo"]["exitCode"] == 1
        assert "cannot load the model" in plane.model()["lastFailureInfo"]["message"]
        assert plane.condition("IngressReady")["message"] == "Predictor ingress not created"
        assert "ModelLoadFailed" in plane.events()


async def test_the_children_of_a_dead_server_die_before_it_is_started_again(tmp_path: Path) -> None:
    async with running(tmp_path, fake("iris", "child")) as plane:
        await eventually(plane.ready)
        (child,) = plane.watcher.pids("child")
        os.kill(plane.watcher.pids()[0], signal.SIGKILL)
        await eventually(lambda: len(plane.watcher.pids()) == 2)
        assert not alive(child)
        assert "SIGKILL" in plane.watcher.seen(Phase.CRASHED)[0]


async def test_what_no_longer_answers_is_not_called_until_it_does(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    loaded.touch()
    text = fake("iris", "late", str(loaded), probe=OFTEN)
    async with running(tmp_path, text) as plane:
        await eventually(plane.ready)
        loaded.unlink()
        await eventually(lambda: plane.condition("PredictorReady").get("reason") == "Unready")
        assert plane.router.address() is None
        loaded.touch()
        await eventually(plane.ready)
        assert len(plane.watcher.pids()) == 1  # it was never started again


async def test_a_bad_spec_keeps_what_runs_and_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        address = plane.router.address()
        plane.apply(service("containers: [{image: big}]"))
        await eventually(lambda: plane.model()["transitionStatus"] == "InvalidSpec")
        assert plane.model()["lastFailureInfo"]["reason"] == "InvalidPredictorSpec"
        assert "only an image (big)" in plane.model()["lastFailureInfo"]["message"]
        assert plane.model()["states"]["activeModelState"] == "Loaded"
        assert plane.router.address() == address
        await settled(plane)
        plane.apply(fake())
        await eventually(lambda: plane.model()["transitionStatus"] == "UpToDate")
        assert "lastFailureInfo" not in plane.model()
        assert len(plane.watcher.pids()) == 1


async def test_a_format_that_nobody_serves_waits_for_a_runtime(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    async with running(tmp_path, service(f"sklearn: {{storageUri: {model}}}")) as plane:
        await eventually(lambda: plane.model().get("transitionStatus") == "InvalidSpec")
        assert plane.model()["lastFailureInfo"]["reason"] == "NoSupportingRuntime"
        assert plane.condition("PredictorReady").get("reason") == "NoSupportingRuntime"
        assert plane.plane.waiting() == ["default/iris"]


async def test_a_model_is_waited_for_and_found_when_it_is_there(tmp_path: Path) -> None:
    model = tmp_path / "models" / "iris"
    text = fake("iris", "late", "/mnt/models/ready").replace(
        "readinessProbe", f"env: [{{name: STORAGE_URI, value: {model}}}], readinessProbe"
    )
    async with running(tmp_path, text) as plane:
        await eventually(
            lambda: plane.condition("PredictorReady").get("reason") == "ModelLoadFailed"
        )
        assert str(model) in plane.model()["lastFailureInfo"]["message"]
        assert plane.model()["transitionStatus"] == "BlockedByFailedLoad"
        model.mkdir(parents=True)
        (model / "ready").touch()
        await eventually(plane.ready)


async def test_while_a_new_model_cannot_be_had_the_old_one_serves(tmp_path: Path) -> None:
    def with_model(folder: Path) -> str:
        env = f"env: [{{name: STORAGE_URI, value: {folder}}}], readinessProbe"
        return fake("iris", "late", "/mnt/models").replace("readinessProbe", env)

    (tmp_path / "old").mkdir()
    async with running(tmp_path, with_model(tmp_path / "old")) as plane:
        await eventually(plane.ready)
        address = plane.router.address()
        plane.apply(with_model(tmp_path / "new"))
        await eventually(lambda: plane.model()["transitionStatus"] == "BlockedByFailedLoad")
        assert not plane.ready()
        assert plane.condition("IngressReady")["status"] == "True"
        assert plane.model()["states"]["activeModelState"] == "Loaded"
        assert plane.router.address() == address
        (tmp_path / "new").mkdir()
        await eventually(lambda: plane.model()["transitionStatus"] == "UpToDate")
        await eventually(lambda: plane.router.address() not in (None, address))
        await settled(plane)


async def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    async with running(tmp_path, fake()) as plane:
        await eventually(lambda: plane.watcher.seen(Phase.CRASHED))
        assert "cannot be started" in plane.watcher.seen(Phase.CRASHED)[0]
        await eventually(lambda: "cannot be started" in str(plane.model()))
