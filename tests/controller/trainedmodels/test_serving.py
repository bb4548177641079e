"""TrainedModels on a scripted server of the V2 repository API, by the whole control plane: loaded,
reloaded, refused, unloaded; servers that fail, wait, forget and die.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from controller.storage.shelf import evict
from controller.store.own_kinds import EVENT
from controller.store.refs import Json, Ref
from controller.view import TRAINED_MODEL
from tests.controller.manifests import service
from tests.controller.running import Plane, running
from tests.controller.storage.site import Site
from tests.kit.eventually import eventually, eventually_awaited

SERVER = Path(__file__).with_name("many_server.py")


def many(limit: str = "", replicas: int = 1, name: str = "iris") -> str:
    words = ", ".join(f"'{w}'" for w in (sys.executable, "-I", str(SERVER), "$(PORT)"))
    limits = f"resources: {{limits: {{memory: {limit}}}}}, " if limit else ""
    return service(
        f"minReplicas: {replicas}\n"
        f"containers: [{{command: [{words}, /mnt/models], ports: [{{containerPort: 8080}}], "
        f"{limits}readinessProbe: {{httpGet: {{path: /v2/health/live, port: 8080}}, "
        "periodSeconds: 1}, "
        "env: [{name: MULTI_MODEL_SERVER, value: 'true'}, {name: PROTOCOL, value: v2}]}]",
        name=name,
    )


def model(name: str, folder: Path | str, memory: str = "1Mi", of: str = "iris") -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: TrainedModel
metadata: {{name: {name}}}
spec:
  inferenceService: {of}
  model: {{framework: sklearn, storageUri: "{folder}", memory: {memory}}}
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model").write_text(text)
    return folder


class Models:
    """What the store and the servers say of them."""

    def __init__(self, plane: Plane, home: Path) -> None:
        self.plane = plane
        self.repository = home / "repositories" / "default" / "iris"

    def live(self, name: str) -> Json | None:
        return self.plane.store.find(Ref(TRAINED_MODEL, "default", name))

    def status(self, name: str) -> Json:
        return (self.live(name) or {}).get("status") or {}

    def told(self, name: str, kind: str = "Ready") -> Json:
        found = [c for c in self.status(name).get("conditions", ()) if c["type"] == kind]
        return found[0] if found else {}

    def ready(self, *names: str) -> bool:
        return all(self.told(name).get("status") == "True" for name in names)

    def events(self, name: str) -> list[str]:
        found = self.plane.store.list(EVENT).items
        return [e["reason"] for e in found if e["involvedObject"]["name"] == name]

    def printed(self, word: str) -> list[str]:
        return [line for _, line in self.plane.watcher.lines if line.startswith(word)]

    async def says(self, name: str, address: str | None = None) -> str:
        url = f"{address or self.plane.router.address()}/v2/models/{name}/infer"
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
            said: Json = await answer.json()
            return str(said.get("said", answer.status))

    async def get(self, path: str) -> None:
        address = self.plane.router.address()
        async with aiohttp.ClientSession() as session:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{address}{path}") as answer:
                    await answer.read()

    def edit_uri(self, name: str, folder: Path | str) -> None:
        def changed(live: Json) -> Json:
            said = live["spec"]["model"] | {"storageUri": str(folder)}
            return live | {"spec": live["spec"] | {"model": said}}

        self.plane.store.edit(Ref(TRAINED_MODEL, "default", name), changed)

    def delete(self, name: str) -> None:
        self.plane.store.delete(Ref(TRAINED_MODEL, "default", name))


def addresses(plane: Plane) -> Sequence[str]:
    found = plane.router.endpoints.get("default/iris")
    return found.addresses if found else ()


async def test_models_are_loaded_and_found_at_their_urls(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", "one"), write(tmp_path / "b", "two")
    async with running(tmp_path, many(), model("a", a), model("b", b)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a", "b"))
        assert await models.says("a") == "one"
        assert await models.says("b") == "two"
        url = f"{plane.status()['url']}/v2/models/a/infer"
        assert models.status("a")["url"] == models.status("a")["address"]["url"] == url
        assert "ModelReady" in models.events("a")
        live = models.live("a")
        assert live is not None
        assert live["metadata"]["finalizers"] == ["trainedmodel.finalizer"]
        assert live["metadata"]["labels"] == {
            "inferenceservice": "iris",
            "serving.kserve.io/trainedmodel-allocated": "iris",
        }
        await plane.plane.settled()
        version = plane.store.version
        plane.plane.look_at_service("default/iris")
        await plane.plane.settled()
        assert plane.store.version == version
        assert sorted(models.printed("load")) == ["load a", "load b"]


async def test_a_service_is_ready_once_its_models_are_loaded(tmp_path: Path) -> None:
    """Of which there were files already."""
    go = tmp_path / "go"
    a = write(tmp_path / "a", f"wait {go}")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.printed("load a"))
        await plane.plane.settled()
        assert plane.condition("PredictorReady")["reason"] == "LoadingModels"
        assert addresses(plane) == ()
        go.touch()
        await eventually(lambda: models.ready("a") and plane.ready())


async def test_a_model_that_goes_is_unloaded_and_the_others_stay(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", "one"), write(tmp_path / "b", "two")
    async with running(tmp_path, many(), model("a", a), model("b", b)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a", "b"))
        assert (models.repository / "b" / "model").read_text() == "two"
        models.delete("b")
        await eventually(lambda: models.live("b") is None)
        assert models.printed("unload") == ["unload b"]
        assert await models.says("b", plane.router.address()) == "404"
        assert await models.says("a") == "one"
        assert not (models.repository / "b").exists()
        assert plane.ready()


async def test_a_changed_model_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1", "one"), write(tmp_path / "2", "two")
    async with running(tmp_path, many(), model("a", first)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        models.edit_uri("a", second)
        await eventually(lambda: models.status("a")["observedGeneration"] == 2)
        assert models.ready("a")
        assert await models.says("a") == "two"
        assert models.printed("unload") == []
        assert len([*(models.repository / ".models").glob("a@*")]) == 1


async def test_a_change_that_cannot_be_loaded_leaves_the_old_one(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1", "one"), write(tmp_path / "2", "broken")
    async with running(tmp_path, many(), model("a", first)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        models.edit_uri("a", second)
        await eventually(lambda: models.told("a", "Loaded").get("reason") == "ModelLoadFailed")
        assert "the model before it is still served" in models.told("a")["message"]
        assert await models.says("a") == "one"


async def test_a_model_that_fails_says_why_and_is_tried_again(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", "broken"), write(tmp_path / "b", "two")
    async with running(tmp_path, many(), model("a", a), model("b", b)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.told("a").get("reason") == "ModelLoadFailed")
        words = models.told("a")["message"]
        assert "cannot load it (500)" in words
        assert "LoadError: it is broken" in words
        assert words.startswith("iris-predictor")
        await eventually(lambda: models.ready("b") and plane.ready())  # a does not hold it up
        assert "ModelLoadFailed" in models.events("a")
        write(a, "mended")
        await eventually(lambda: models.ready("a"))
        assert await models.says("a") == "mended"


async def test_a_framework_that_nobody_knows_needs_settings(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    of_another = model("a", tmp_path / "a").replace("sklearn", "tensorrt")
    async with running(tmp_path, many(), of_another) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.told("a").get("reason") == "ModelLoadFailed")
        assert "Model a not found (404)" in models.told("a")["message"]
        assert "add a model-settings.json" in models.told("a")["message"]


async def test_a_model_that_is_not_there_says_so_until_it_is(tmp_path: Path) -> None:
    async with running(tmp_path, many(), model("a", tmp_path / "a")) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: "put the model there" in models.told("a").get("message", ""))
        await eventually(plane.ready)
        write(tmp_path / "a", "one")
        await eventually(lambda: models.ready("a"))


async def test_no_memory_no_model_until_another_goes(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", "one"), write(tmp_path / "b", "two")
    manifests = many("100Mi"), model("a", a, "60Mi"), model("b", b, "60Mi")
    async with running(tmp_path, *manifests) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a") or models.ready("b"))
        served, refused = ("a", "b") if models.ready("a") else ("b", "a")
        await eventually(lambda: models.told(refused).get("reason") == "InsufficientMemory")
        assert "60Mi" in models.told(refused)["message"]
        assert "InsufficientMemory" in models.events(refused)
        assert models.printed("load") == [f"load {served}"]
        models.delete(served)
        await eventually(lambda: models.ready(refused))


async def test_a_server_that_starts_again_gets_its_models_before_its_calls(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        old = plane.router.address()
        await models.get("/die")
        await eventually(lambda: plane.router.address() not in (None, old))
        assert await models.says("a", plane.router.address()) == "one"
        await eventually(lambda: models.ready("a"))


async def test_a_server_that_forgot_a_model_gets_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("carrier", "models"):
        monkeypatch.setattr(f"controller.trainedmodels.{room}.RESYNC_S", 0.1)
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        await models.get("/forget")
        await eventually(lambda: len(models.printed("load a")) == 2)
        await eventually(lambda: models.ready("a"))
        assert await models.says("a") == "one"


async def test_each_replica_gets_each_model(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(replicas=2), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: len(addresses(plane)) == 2 and models.ready("a"))
        for address in addresses(plane):
            assert await models.says("a", address) == "one"


async def test_without_its_service_a_model_waits(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.told("a").get("reason") == "InferenceServiceNotFound")
        plane.apply(model("a", a), many())
        await eventually(lambda: models.ready("a"))


async def test_a_service_of_one_model_takes_no_other(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    single = many().replace("value: 'true'", "value: 'false'")
    async with running(tmp_path, single, model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.told("a", "IsMMSPredictor").get("status") == "False")
        assert models.printed("load") == []


async def test_a_model_goes_with_its_service(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        plane.delete()
        await eventually(lambda: models.live("a") is None and plane.live() is None)
        await eventually(lambda: not models.repository.exists())


async def test_models_of_a_run_before_are_there_again(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
    async with running(tmp_path, many(), model("a", a)) as plane:
        address = await eventually(plane.router.address)
        assert await Models(plane, tmp_path).says("a", address) == "one"


async def test_a_slow_load_holds_up_nobody_else(tmp_path: Path) -> None:
    go = tmp_path / "go"
    a, b = write(tmp_path / "a", "one"), write(tmp_path / "b", f"wait {go}")
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        plane.apply(many(), model("a", a), model("b", b))
        await eventually(lambda: models.printed("load b"))
        c = write(tmp_path / "c", "three")
        plane.apply(many(), model("a", a), model("b", b), model("c", c))
        await eventually(lambda: models.ready("c"))
        assert await models.says("a") == "one"
        assert plane.ready()
        assert models.told("b", "Loaded")["status"] == "False"
        go.touch()
        await eventually(lambda: models.ready("b"))


async def test_calls_of_one_model_go_on_while_others_come_and_go(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    others = [model(f"m{i}", write(tmp_path / f"m{i}", str(i))) for i in range(5)]
    async with running(tmp_path, many(), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        said: set[str] = set()

        async def call(stop: asyncio.Event) -> None:
            while not stop.is_set():
                said.add(await models.says("a"))

        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(call(stop))
            for _ in range(3):
                plane.apply(many(), model("a", a), *others)
                await eventually(lambda: models.ready(*(f"m{i}" for i in range(5))))
                plane.apply(many(), model("a", a))
                await eventually(lambda: not any(models.live(f"m{i}") for i in range(5)))
            stop.set()
        assert said == {"one"}


async def test_another_service_gets_a_model_that_moves(tmp_path: Path) -> None:
    a = write(tmp_path / "a", "one")
    async with running(tmp_path, many(), many(name="other"), model("a", a)) as plane:
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        here = plane.router.address()
        plane.apply(many(), many(name="other"), model("a", a, of="other"))
        await eventually(lambda: models.status("a")["observedGeneration"] == 2)
        await eventually(lambda: models.ready("a"))
        there = plane.router.address("other")
        assert await models.says("a", there) == "one"

        async def is_gone() -> bool:
            return await models.says("a", here) == "404"

        await eventually_awaited(is_gone)


async def test_a_fetched_model_is_nobodys_to_evict_while_it_is_served(tmp_path: Path) -> None:
    async with Site() as site, running(tmp_path, many()) as plane:
        for which in ("one", "two"):
            site.put(f"/{which}/model", which.encode())
        plane.apply(many(), model("a", site.url("/one/model")))
        models = Models(plane, tmp_path)
        await eventually(lambda: models.ready("a"))
        assert await models.says("a", plane.router.address()) == "one"
        first = (models.repository / "a" / "model").resolve().parent
        assert not evict(first)
        models.edit_uri("a", site.url("/two/model"))
        await eventually(lambda: models.status("a")["observedGeneration"] == 2)
        assert await models.says("a", plane.router.address()) == "two"
        second = (models.repository / "a" / "model").resolve().parent
        assert evict(first)
        assert not evict(second)
        models.delete("a")
        await eventually(lambda: models.live("a") is None)
        assert evict(second)
