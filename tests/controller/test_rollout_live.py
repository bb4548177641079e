"""Revisions as processes side by side: rollouts, canaries, rollbacks, and who fails."""

import os
import sys
from pathlib import Path

import psutil

from controller.rollout.history import History
from controller.store.own_kinds import CONTROLLER_REVISION
from tests.controller.backend import HTTP_PROBE, SERVER, alive, fake
from tests.controller.manifests import runtime, service
from tests.controller.running import Plane, running
from tests.kit.eventually import eventually

STANDARD = "{serving.kserve.io/deploymentMode: Standard}"


def version(number: int, percent: int | None = None, *vices: str) -> str:
    """Of a service that differs from other versions by a word that its server passes over."""
    said = fake("iris", f"v{number}", *vices)
    if percent is None:
        return said
    return said.replace("    containers", f"    canaryTrafficPercent: {percent}\n    containers")


def shares(plane: Plane) -> str:
    """1:90 2:10, as the router was told; each with an address."""
    found = plane.router.endpoints.get("default/iris")
    routes = sorted(found.routes, key=lambda route: route.revision) if found else []
    return " ".join(
        f"{int(route.revision[-5:])}:{route.percent}{'' if route.addresses else '!'}"
        for route in routes
    )


def words(plane: Plane) -> list[str]:
    """Which versions run: the word of each living server."""
    found = [psutil.Process(pid).cmdline() for pid in plane.watcher.pids() if alive(pid)]
    return sorted(word for line in found for word in line if word.startswith("v"))


async def goes_to(plane: Plane, wanted: str) -> None:
    await eventually(lambda: shares(plane) == wanted)


async def settled(plane: Plane) -> None:
    """Once nothing starts or ends any more, another look writes nothing."""
    states = plane.here.backend.states
    await eventually(lambda: all(state.ready for state in states().values()))
    await plane.plane.settled()
    seen = plane.store.version
    plane.plane.look_at_service("default/iris")
    await plane.plane.settled()
    assert plane.store.version == seen


async def test_from_a_canary_to_all_of_it_and_back(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2, 10))
        await goes_to(plane, "1:90 2:10")
        assert words(plane) == ["v1", "v2"]
        await settled(plane)
        plane.apply(version(2, 50))
        await goes_to(plane, "1:50 2:50")
        plane.apply(version(2))
        await goes_to(plane, "2:100")
        await eventually(lambda: words(plane) == ["v2"])
        plane.apply(version(2, 0))  # the one before is started again, from what was kept of it
        await goes_to(plane, "1:100 2:0")
        assert words(plane) == ["v1", "v2"]
        plane.apply(version(1))
        await goes_to(plane, "1:100")
        await eventually(lambda: words(plane) == ["v1"])
        assert len(plane.watcher.pids()) == 3  # nobody was started who ran already
        await settled(plane)
        told = plane.status()["components"]["predictor"]
        assert told["latestCreatedRevision"] == "iris-00001"
        assert [e for e in plane.events() if e == "TrafficMoved"]


async def test_a_revision_that_fails_to_load_never_gets_a_call_and_says_why(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2, None, "broken"))
        await eventually(lambda: plane.model()["transitionStatus"] == "BlockedByFailedLoad")
        assert shares(plane) == "1:100"
        assert plane.model()["states"] == {
            "activeModelState": "Loaded",
            "targetModelState": "FailedToLoad",
        }
        assert "cannot load the model" in plane.model()["lastFailureInfo"]["message"]
        assert plane.condition("Ready")["status"] == "False"
        assert plane.condition("Ready")["message"].endswith("iris-00001 serves")
        assert plane.condition("IngressReady")["status"] == "True"
        plane.apply(version(3))
        await goes_to(plane, "3:100")
        await eventually(lambda: words(plane) == ["v3"])
        assert all("iris-00002" not in str(table) for table in plane.router.history)


async def test_one_that_never_becomes_ready_waits_and_nothing_moves(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2, 50, "late", str(tmp_path / "never")))
        await eventually(lambda: plane.condition("PredictorReady").get("status") == "Unknown")
        await eventually(lambda: plane.condition("PredictorReady").get("reason") == "Starting")
        assert "iris-00001 serves" in plane.condition("PredictorReady")["message"]
        assert plane.model()["transitionStatus"] == "InProgress"
        assert shares(plane) == "1:100"


async def test_a_canary_that_crashes_gives_its_share_back(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    loaded.touch()
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        often = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}"
        plane.apply(version(2, 30, "late", str(loaded)).replace(HTTP_PROBE, often))
        await goes_to(plane, "1:70 2:30")
        loaded.unlink()
        await goes_to(plane, "1:100")
        loaded.touch()
        await goes_to(plane, "1:70 2:30")


RUNTIME = runtime(
    "fake",
    "[{name: fake, version: '1', autoSelect: true}]",
    container=f"{{name: kserve-container, command: [{sys.executable}, -I, {SERVER}, $(PORT)], "
    f"ports: [{{containerPort: 8080}}], readinessProbe: {HTTP_PROBE}}}",
)


def named(name: str, folder: Path) -> str:
    model = f"modelFormat: {{name: fake}}, storageUri: {folder}, args: [{name}]"
    return f"{{name: {name}, model: {{{model}}}}}"


async def test_named_canaries_and_a_promotion_that_starts_nobody(tmp_path: Path) -> None:
    def with_canaries(stable: str, *canaries: tuple[str, int]) -> str:
        said = "".join(
            f"\n  - {{predictor: {named(word, tmp_path)}, trafficPercent: {percent}}}"
            for word, percent in canaries
        )
        below = f"\n  canary:{said}" if said else ""
        spec = f"spec:\n  predictor: {named(stable, tmp_path)}{below}"
        return service(spec, annotations=STANDARD)

    async with running(tmp_path, RUNTIME, with_canaries("v1")) as plane:
        await goes_to(plane, "1:100")
        plane.apply(RUNTIME, with_canaries("v1", ("v2", 20), ("v3", 5)))
        await goes_to(plane, "1:75 2:20 3:5")
        await eventually(lambda: plane.condition("CanaryPredictorReady").get("status") == "True")
        assert plane.status()["canaryStatuses"] == [
            {"name": "v2", "ready": True, "trafficPercent": 20},
            {"name": "v3", "ready": True, "trafficPercent": 5},
        ]
        plane.apply(RUNTIME, with_canaries("v2"))
        await goes_to(plane, "2:100")
        await eventually(lambda: words(plane) == ["v2"])
        assert len(plane.watcher.pids()) == 3
        await settled(plane)


async def test_without_room_for_two_the_old_one_goes_first(tmp_path: Path) -> None:
    def recreate(number: int) -> str:
        return version(number).replace(
            "    containers", "    deploymentStrategy: {type: Recreate}\n    containers"
        )

    async with running(tmp_path, recreate(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(recreate(2))
        await eventually(lambda: "1:100!" in shares(plane) or shares(plane) == "2:100")
        await goes_to(plane, "2:100")
        assert words(plane) == ["v2"]


async def test_so_many_revisions_are_kept_and_go_with_their_service(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        for number in range(2, 14):
            plane.apply(version(number))
            await plane.plane.settled()
        live = plane.live()
        assert live is not None
        kept = [revision.number for revision in History(plane.store).of(live)]
        assert kept[-10:] == [*range(4, 14)]
        plane.delete()
        await eventually(lambda: plane.live() is None)
        assert plane.store.list(CONTROLLER_REVISION).items == []


async def test_a_transformer_of_scaled_predictors_calls_them_through_the_router(
    tmp_path: Path,
) -> None:
    command = f"command: ['{sys.executable}', '-I', '{SERVER}', $(PORT), v1]"
    probe = f"ports: [{{containerPort: 8080}}], readinessProbe: {HTTP_PROBE}"
    run = f"containers: [{{{command}, {probe}}}]"
    text = service(f"spec:\n  predictor: {{minReplicas: 2, {run}}}\n  transformer: {{{run}}}")
    async with running(tmp_path, text) as plane:
        await eventually(plane.ready)
        inner = plane.router.endpoints["default/iris.predictor-00001"]
        assert len(inner.addresses) == 2
        lines = [psutil.Process(pid).cmdline() for pid in plane.watcher.pids(name="iris")]
        lines += [psutil.Process(pid).cmdline() for pid in plane.watcher.pids()]
        hosts = {
            line[line.index("--predictor_host") + 1] for line in lines if "--predictor_host" in line
        }
        assert hosts == {"router/services/default/iris.predictor-00001"}
        await settled(plane)
        plane.delete()
        await eventually(lambda: plane.live() is None)
        assert not plane.router.endpoints


async def test_each_revision_calls_its_own_predictor_through_its_own_transformer(
    tmp_path: Path,
) -> None:
    def behind(word: str, share: str = "") -> str:
        def run(what: str) -> str:
            command = f"command: ['{sys.executable}', '-I', '{SERVER}', $(PORT), {what}]"
            probe = f"ports: [{{containerPort: 8080}}], readinessProbe: {HTTP_PROBE}"
            return f"containers: [{{{command}, {probe}}}]"

        predictor, transformer = f"{{{share}{run(word)}}}", f"{{{run('t')}}}"
        return service(f"spec:\n  predictor: {predictor}\n  transformer: {transformer}")

    async with running(tmp_path, behind("v1")) as plane:
        await goes_to(plane, "1:100")
        plane.apply(behind("v2", "canaryTrafficPercent: 40, "))
        await goes_to(plane, "1:60 2:40")
        lines = [
            psutil.Process(state.pid).cmdline()
            for state in plane.here.backend.states().values()
            if state.pid
        ]
        hosts = {line[line.index("--predictor_host") + 1] for line in lines if "t" in line}
        assert len(hosts) == 2
        await settled(plane)


async def test_more_predictors_behind_a_transformer_take_nobody_away(tmp_path: Path) -> None:
    command = f"command: ['{sys.executable}', '-I', '{SERVER}', $(PORT)]"
    probe = f"ports: [{{containerPort: 8080}}], readinessProbe: {HTTP_PROBE}"
    run = f"containers: [{{{command}, {probe}}}]"

    def behind(replicas: int) -> str:
        return service(
            f"spec:\n  predictor: {{minReplicas: {replicas}, {run}}}\n  transformer: {{{run}}}"
        )

    async with running(tmp_path, behind(1)) as plane:
        await goes_to(plane, "1:100")
        told = len(plane.router.history)
        plane.apply(behind(2))
        await goes_to(plane, "2:100")
        tables = [table["default/iris"] for table in plane.router.history[told:]]
        assert all(table.addresses for table in tables)
        pids = {state.pid for state in plane.here.backend.states().values() if state.ready}
        assert plane.watcher.pids()[0] in pids  # the predictor is the one that it was


async def test_a_canary_is_called_by_its_own_path(tmp_path: Path) -> None:
    def model(name: str, share: str = "") -> str:
        named = version(1).replace("ports:", f"args: [--model_name={name}], ports:")
        return named.replace("    containers", f"{share}    containers")

    async with running(tmp_path, model("a")) as plane:
        await goes_to(plane, "1:100")
        plane.apply(model("b", "    canaryTrafficPercent: 50\n"))
        await goes_to(plane, "1:50 2:50")
        routes = plane.router.endpoints["default/iris"].routes
        assert {route.revision: route.path for route in routes} == {
            "iris-00001": "/v1/models/a:predict",
            "iris-00002": "/v1/models/b:predict",
        }


async def test_a_restart_goes_on_with_the_shares_that_were(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        plane.apply(version(2, 10))
        await goes_to(plane, "1:90 2:10")
    async with running(tmp_path, version(2, 10)) as plane:
        await goes_to(plane, "1:90 2:10")
        assert words(plane) == ["v1", "v2"]


def left(home: Path) -> list[str]:
    """Working directories, and what is being removed of them."""
    # Not by rglob, which fails over a folder that goes while it looks.
    folders = (name for _, names, _ in os.walk(home) for name in names)
    return [name for name in folders if "predictor-0" in name]


async def test_the_working_directory_of_a_revision_goes_with_it(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
        assert left(tmp_path) == ["predictor-00001-0"]
        plane.apply(version(2))
        await eventually(lambda: left(tmp_path) == ["predictor-00002-0"])


async def test_started_again_with_another_manifest_only_the_new_one_runs(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
    async with running(tmp_path, version(2)) as plane:
        await goes_to(plane, "2:100")
        assert len(plane.watcher.pids()) == 1


async def test_started_again_with_one_that_fails_the_one_before_serves(tmp_path: Path) -> None:
    async with running(tmp_path, version(1)) as plane:
        await goes_to(plane, "1:100")
    async with running(tmp_path, version(2, None, "broken")) as plane:
        await goes_to(plane, "1:100")
        assert plane.model()["transitionStatus"] == "BlockedByFailedLoad"
