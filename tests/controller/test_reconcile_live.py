"""Services kept as their manifests say, with real processes: they come, change, fail, go, and leave
nothing behind.
"""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from controller.graphs import Served
from controller.local.progress import Phase
from controller.local.replica import Phase as State
from graph.compiler import revision
from graph.spec import GraphSpec
from tests.controller.backend import OFTEN, TCP_PROBE, alive, fake
from tests.controller.manifests import service
from tests.controller.running import Plane, running
from tests.kit.eventually import eventually

SPEC = {"nodes": {"root": {"routerType": "Sequence", "steps": [{"serviceName": "iris"}]}}}
GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: g}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: iris}]}}}
"""


async def die(address: str | None) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{address}/die")


async def settled(plane: Plane) -> None:
    """Looked at again, nothing is written."""
    await plane.plane.settled()
    version = plane.store.version
    plane.plane.look_at_service("default/iris")
    plane.plane.look_at_graphs()
    await plane.plane.settled()
    assert plane.store.version == version


async def test_a_service_that_is_ready_says_so_and_is_found_by_graphs(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        endpoint = plane.router.endpoints["default/iris"]
        assert endpoint.path == "/v1/models/iris:predict"
        (address,) = endpoint.addresses
        async with aiohttp.ClientSession() as session, session.get(f"{address}/ready") as answer:
            assert answer.status == 200
        status = plane.status()
        assert status["url"] == status["address"]["url"] == "http://router/services/default/iris"
        assert status["components"] == {
            "predictor": {
                "url": address,
                "latestCreatedRevision": "iris-00001",
                "latestReadyRevision": "iris-00001",
                "latestRolledoutRevision": "iris-00001",
                "traffic": [{"revisionName": "iris-00001", "percent": 100, "latestRevision": True}],
            }
        }
        assert status["observedGeneration"] == 1
        assert plane.model() == {
            "transitionStatus": "UpToDate",
            "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
            "copies": {"failedCopies": 0, "totalCopies": 1},
        }
        told = {"SuccessfulCreate", "Started", "InferenceServiceReady"}
        assert {*plane.events()} == told
        assert plane.plane.waiting() == []
        await settled(plane)
        (server,) = plane.watcher.pids()
    assert not alive(server)
    assert list((tmp_path / "runs").iterdir()) == []


async def test_until_its_probe_answers_it_is_not_ready(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    async with running(tmp_path, fake("iris", "late", str(loaded)), fake("b")) as plane:
        await eventually(lambda: plane.ready("b"))
        await eventually(lambda: plane.watcher.pids(name="iris"))
        await eventually(lambda: plane.condition("PredictorReady").get("reason") == "Starting")
        assert plane.router.address() is None
        assert plane.plane.waiting() == ["default/iris"]
        assert plane.model()["transitionStatus"] == "InProgress"
        await settled(plane)
        loaded.touch()
        await eventually(plane.ready)
        assert plane.plane.waiting() == []


async def test_a_changed_service_starts_beside_the_old_one_which_then_ends(tmp_path: Path) -> None:
    async with running(tmp_path, fake("iris", "child")) as plane:
        await eventually(plane.ready)
        old, before = plane.router.address(), len(plane.router.history)
        plane.apply(fake("iris"))
        await eventually(lambda: plane.status()["observedGeneration"] == 2 and plane.ready())
        assert len(plane.watcher.pids()) == 2
        await eventually(lambda: not alive(plane.watcher.pids()[0]))
        told = [table["default/iris"].addresses for table in plane.router.history[before:]]
        assert () not in told  # callers always have somewhere to go
        assert told[-1] != (old,)
        assert plane.router.withdrawn == 1  # drained before it ended
        assert plane.status()["components"]["predictor"]["previousRolledoutRevision"] == (
            "iris-00001"
        )
        await settled(plane)


async def test_what_does_not_change_the_process_restarts_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, fake()) as plane:
        await eventually(plane.ready)
        plane.annotate("owner", "me")
        plane.apply("# a comment\n" + fake())
        await settled(plane)
        assert len(plane.watcher.pids()) == 1
        assert plane.router.withdrawn == 0


async def test_a_stopped_service_keeps_its_manifest_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path, fake(), GRAPH) as plane:
        await eventually(plane.ready)
        plane.annotate("serving.kserve.io/stop", "True")
        await eventually(lambda: plane.condition("Stopped").get("status") == "True")
        assert not alive(plane.watcher.pids()[0])
        assert plane.router.address() is None
        assert plane.condition("PredictorReady").get("reason") == "Stopped"
        assert "url" not in plane.status()
        assert plane.plane.waiting() == []
        await settled(plane)
        plane.annotate("serving.kserve.io/stop", "false")
        await eventually(plane.ready)
        assert plane.condition("Stopped")["status"] == "False"


async def test_a_deleted_service_is_withdrawn_first_and_gone_last(tmp_path: Path) -> None:
    async with running(tmp_path, fake("iris", "stubborn")) as plane:
        await eventually(plane.ready)
        (server,) = plane.watcher.pids()
        plane.delete()
        assert plane.live() is not None  # held until nothing of it runs
        await eventually(lambda: plane.router.withdrawn)
        assert plane.router.address() is None
        os.kill(server, signal.SIGKILL)
        await eventually(lambda: plane.live() is None)
        assert not alive(server)
        assert "default/iris" not in plane.router.endpoints


async def test_what_files_no_longer_say_goes(tmp_path: Path) -> None:
    async with running(tmp_path, fake(), fake("b")) as plane:
        await eventually(lambda: plane.ready() and plane.ready("b"))
        plane.apply(fake("b"))
        await eventually(lambda: plane.live() is None)
        assert plane.ready("b")
        assert [*plane.router.endpoints] == ["default/b"]


def behind(transformer: str, predictor: str = "") -> str:
    """`transformer`: its vices; `predictor`: more of it."""
    from tests.controller.backend import SERVER

    run = f"command: [python3, -I, {SERVER}, $(PORT){{}}], ports: [{{{{containerPort: 8080}}}}]"
    probe = "readinessProbe: {httpGet: {path: /ready, port: 8080}}"
    first = run.format(predictor)
    second = run.format(transformer)
    return service(
        f"spec:\n  predictor: {{containers: [{{{first}, {probe}}}]}}\n"
        f"  transformer: {{containers: [{{{second}, {probe}}}]}}"
    )


async def test_a_transformer_starts_with_the_address_of_its_predictor(tmp_path: Path) -> None:
    async with running(tmp_path, behind("")) as plane:
        await eventually(plane.ready)
        predictor, transformer = plane.watcher.pids()
        told = plane.status()["components"]
        argv = psutil.Process(transformer).cmdline()
        host = argv[argv.index("--predictor_host") + 1]
        assert told["predictor"]["url"] == f"http://{host}"
        assert plane.router.address() == told["transformer"]["url"]
        assert plane.condition("TransformerReady")["severity"] == "Info"
        await settled(plane)
        plane.delete()
        await eventually(lambda: plane.live() is None)
        ended = [key for key, phase, _ in plane.watcher.phases if phase is Phase.STOPPED]
        assert ended == ["default/iris-transformer-00001-0", "default/iris"]
        assert not alive(predictor)


async def test_a_predictor_that_is_away_takes_its_service_out_of_the_table(tmp_path: Path) -> None:
    async with running(tmp_path, behind("")) as plane:
        await eventually(plane.ready)
        await die(plane.status()["components"]["predictor"]["url"])
        await eventually(lambda: plane.router.address() is None)
        await eventually(plane.ready)
        assert plane.router.address() is not None


async def test_replicas_come_and_go_one_by_one(tmp_path: Path) -> None:
    text = fake()
    two = text.replace("    containers", "    minReplicas: 2\n    containers")
    async with running(tmp_path, text) as plane:
        await eventually(plane.ready)
        first = plane.router.address()
        plane.apply(two)
        await eventually(lambda: len(plane.router.endpoints["default/iris"].addresses) == 2)
        assert plane.router.address() == first
        assert len(plane.watcher.pids()) == 2
        plane.apply(text)
        await eventually(lambda: len(plane.here.backend.states()) == 1)
        assert plane.router.endpoints["default/iris"].addresses == (first,)
        await settled(plane)


async def test_a_graph_is_ready_once_it_is_served_and_its_services_are(tmp_path: Path) -> None:
    def ready() -> dict[str, str]:
        from controller.store.refs import Ref
        from controller.view import GRAPH as KIND

        live = plane.store.get(Ref(KIND, "default", "g"))
        found = [c for c in live.get("status", {}).get("conditions", ()) if c["type"] == "Ready"]
        return found[0] if found else {}

    loaded = tmp_path / "loaded"
    async with running(tmp_path, fake("iris", "late", str(loaded)), GRAPH) as plane:
        await eventually(lambda: ready().get("reason") == "NotServed")
        number = revision(GraphSpec.model_validate(SPEC))
        url = "http://here/graphs/default/g"
        plane.router.graphs["default/g"] = Served(url, number, everywhere=False)
        plane.plane.look_at_graphs()
        await eventually(lambda: ready().get("reason") == "ServiceNotReady")
        assert "iris" in ready()["message"]
        loaded.touch()
        await eventually(lambda: "workers" in ready().get("message", ""))
        plane.router.graphs["default/g"] = Served(url, number)
        plane.plane.look_at_graphs()
        await eventually(lambda: ready().get("status") == "True")
        plane.router.graphs["default/g"] = Served(url, number, everywhere=False)
        plane.plane.look_at_graphs()  # somebody else's endpoints are installed
        await plane.plane.settled()
        assert ready()["status"] == "True"
        plane.router.graphs["default/g"] = Served(url, "another")
        plane.plane.look_at_graphs()
        await eventually(lambda: ready().get("reason") == "NotServed")
        plane.router.graphs["default/g"] = Served(url, number)
        plane.plane.look_at_graphs()
        await eventually(lambda: ready().get("status") == "True")
        await settled(plane)
        await die(plane.router.address())
        await eventually(lambda: ready().get("reason") == "ServiceNotReady")


async def test_a_probe_may_be_a_mere_connection(tmp_path: Path) -> None:
    late = ("late", str(tmp_path / "never"))
    async with running(tmp_path, fake("iris", *late, probe=TCP_PROBE)) as plane:
        await eventually(plane.ready)


async def test_a_service_runs_in_the_environment_that_it_asks_for(tmp_path: Path) -> None:
    annotations = "{graphway.dev/python-packages: ''}"
    async with running(tmp_path, fake(python="python", annotations=annotations)) as plane:
        await eventually(plane.ready, deadline_s=60)
        (server,) = plane.watcher.pids()
        env = Path(psutil.Process(server).environ()["VIRTUAL_ENV"])
    assert env.parent == tmp_path / "envs"


async def test_who_cannot_wait_for_the_stubborn_kills_them(tmp_path: Path) -> None:
    text = fake("iris", "stubborn").replace(
        "    containers", "    terminationGracePeriodSeconds: 600\n    containers"
    )
    async with asyncio.TaskGroup() as tasks:
        async with running(tmp_path, text) as plane:
            await eventually(plane.ready)
            (server,) = plane.watcher.pids()

            async def kill() -> None:
                states = plane.here.backend.states
                await eventually(lambda: next(iter(states().values())).phase is State.STOPPING)
                plane.here.backend.kill()

            tasks.create_task(kill())
        assert not alive(server)


async def test_a_replica_that_is_too_busy_to_be_ready_is_drained_before_it_ends(
    tmp_path: Path,
) -> None:
    idle = tmp_path / "idle"
    idle.touch()
    async with running(tmp_path, fake("iris", "late", str(idle), probe=OFTEN)) as plane:
        await eventually(plane.ready)
        idle.unlink()
        await eventually(lambda: plane.router.address() is None)
        assert plane.router.withdrawn == 0
        plane.delete()
        await eventually(lambda: plane.live() is None)
        assert plane.router.withdrawn == 1


async def test_an_edited_secret_is_no_reason_to_end_who_is_ready_when_one_more_comes(
    tmp_path: Path,
) -> None:
    def secret(value: str) -> str:
        said = f"metadata: {{name: key}}\nstringData: {{a: {value}}}"
        return f"apiVersion: v1\nkind: Secret\n{said}"

    def reading(replicas: int) -> str:
        env = "env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: a}}}], command"
        number = f"    minReplicas: {replicas}\n    containers"
        return fake().replace("    containers", number).replace("command", env, 1)

    async with running(tmp_path, secret("one"), reading(1)) as plane:
        await eventually(plane.ready)
        address, seen = plane.router.address(), len(plane.router.history)
        plane.apply(secret("two"), reading(1))
        await plane.plane.settled()
        plane.apply(secret("two"), reading(2))
        await eventually(lambda: len(plane.router.endpoints["default/iris"].addresses) == 2)
        for table in plane.router.history[seen:]:
            assert address in table["default/iris"].addresses
