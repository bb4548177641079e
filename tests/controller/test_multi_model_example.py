"""configs/examples/multi-model with a real MLServer, by `graphway up`: models come, change, go and
are refused while one of them is called all the time; the server is killed, and has them again.
"""

import asyncio
import os
import shutil
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import aiohttp
import psutil
import pytest

from cli.demo import SETOSA, VIRGINICA, _train
from controller.local.home import find_home
from controller.running import Running, find_running
from controller.store.refs import Json
from tests.controller.test_services_example import started_by
from tests.controller.test_up import PROJECT, up
from tests.kit.eventually import eventually, eventually_awaited

EXAMPLE = PROJECT / "configs" / "examples" / "multi-model" / "models.yaml"
LIMIT_S = 900  # its environment is made on first use
FLOWERS = {
    "inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP64", "data": [*SETOSA, *VIRGINICA]}]
}


GRAPH = """---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: g}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: "{url}"}}]}}}}}}
"""


class Watched:
    """What the API says, and what models answer."""

    def __init__(self, session: aiohttp.ClientSession, running: Running) -> None:
        self._session = session
        self._url = (
            f"{running.url}/apis/serving.kserve.io/v1alpha1/namespaces/default/trainedmodels"
        )

    async def get(self, name: str) -> Json:
        async with self._session.get(f"{self._url}/{name}") as answer:
            found: Json = await answer.json()
            return found if answer.status == 200 else {}

    async def ready(self, name: str, status: str = "True") -> Json:
        """The condition, once its status is that; for this generation."""

        async def told() -> Json:
            live = await self.get(name)
            said = live.get("status") or {}
            if said.get("observedGeneration") != (live.get("metadata") or {}).get("generation"):
                return {}
            found = [c for c in said.get("conditions", ()) if c["type"] == "Ready"]
            return found[0] if found and found[0]["status"] == status else {}

        return await eventually_awaited(told, f"{name} {status}", deadline_s=60)

    async def gone(self, name: str) -> None:
        async def is_gone() -> bool:
            return not await self.get(name)

        await eventually_awaited(is_gone, deadline_s=60)

    async def url(self, name: str) -> str:
        return str((await self.get(name))["status"]["url"])

    async def ask(self, url: str) -> tuple[int, list[int]]:
        async with self._session.post(url, json=FLOWERS) as answer:
            said = await answer.json()
            return answer.status, said["outputs"][0]["data"] if answer.status == 200 else []


async def failure(watched: Watched) -> str:
    said = await watched.ready("bad", "False")
    return str(said["message"]) if said["reason"] == "ModelLoadFailed" else ""


def model(name: str, uri: str, framework: str = "sklearn", memory: str = "256Mi") -> str:
    return f"""---
apiVersion: serving.kserve.io/v1alpha1
kind: TrainedModel
metadata: {{name: {name}}}
spec:
  inferenceService: flowers
  model: {{framework: {framework}, storageUri: "{uri}", memory: {memory}}}
"""


@pytest.mark.models
@pytest.mark.slow
async def test_models_come_and_go_in_a_running_mlserver(tmp_path: Path) -> None:
    home = find_home(os.environ)
    (home.root / "demo").mkdir(parents=True, exist_ok=True)
    assert await _train(home, home.root / "demo") is None
    file, example = tmp_path / "all.yaml", EXAMPLE.read_text()
    file.write_text(example)
    project = f"multi-model-{os.getpid()}"
    models = f"s3://models={home.root / 'demo' / 'models'}"
    flags = ("--uri-map", models, "--project", project)
    shared = {"GRAPHWAY_HOME": str(home.root), "STARTED_BY": str(tmp_path)}
    async with up(tmp_path, *flags, **shared) as running, aiohttp.ClientSession() as session:
        await eventually(lambda: "1 service ready" in running.lines, deadline_s=LIMIT_S)
        (me,) = (found for found in find_running(home) if found.project == project)
        watched = Watched(session, me)
        for name in ("iris", "boosted"):
            await watched.ready(name)
            assert await watched.ask(await watched.url(name)) == (200, [0, 2])
        url = await watched.url("iris")
        example += GRAPH.format(url=url)  # as docs/multi-model.md has it
        file.write_text(example)
        graph = f"{url.partition('/services/')[0]}/graphs/default/g"

        async def graph_answers() -> bool:
            return await watched.ask(graph) == (200, [0, 2])

        await eventually_awaited(graph_answers, deadline_s=60)

        answers: Counter[tuple[int, tuple[int, ...]]] = Counter()
        stop = asyncio.Event()

        async def call() -> None:
            while not stop.is_set():
                code, data = await watched.ask(url)
                answers[code, tuple(data)] += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(call())
            for _ in range(2):  # a second model comes, becomes another, and goes
                file.write_text(example + model("more", "s3://models/iris-sklearn"))
                await watched.ready("more")
                more = await watched.url("more")
                assert await watched.ask(more) == (200, [0, 2])
                file.write_text(example + model("more", "s3://models/iris-xgboost", "xgboost"))
                await watched.ready("more")
                assert await watched.ask(more) == (200, [0, 2])
                file.write_text(example)
                await watched.gone("more")
                assert (await watched.ask(more))[0] == 404
            # The model that is called becomes another, and is what it was.
            shutil.copytree(home.root / "demo" / "models" / "iris-sklearn", tmp_path / "again")
            file.write_text(example.replace("s3://models/iris-sklearn", "./again"))
            await watched.ready("iris")
            file.write_text(example + model("large", "s3://models/iris-sklearn", memory="768Mi"))
            assert (await watched.ready("large", "False"))["reason"] == "InsufficientMemory"
            (tmp_path / "bad").mkdir()
            (tmp_path / "bad" / "model.joblib").write_text("no pickle")
            file.write_text(example + model("bad", "./bad"))
            words = await eventually_awaited(partial(failure, watched), deadline_s=60)
            assert words.startswith("flowers-predictor")
            assert "Internal Server Error (500): " in words, words
            assert "Error: " in words, words  # what Python says of it, from the server's output
            stop.set()
        assert set(answers) == {(200, (0, 2))}, answers
        assert answers.total() > 100

        file.write_text(example)
        await watched.gone("bad")

        (server,) = (
            psutil.Process(pid)
            for pid in started_by(str(tmp_path))
            if "mlserver" in " ".join(psutil.Process(pid).cmdline()[:3])
        )
        server.kill()

        async def is_back() -> bool:
            try:
                asked = [await watched.ask(await watched.url(n)) for n in ("iris", "boosted")]
            except (aiohttp.ClientError, KeyError):
                return False
            return asked == [(200, [0, 2])] * 2

        await eventually_awaited(is_back, deadline_s=60)
        await watched.ready("iris")
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await running.process.wait() == 0
    shutil.rmtree(home.root / "projects" / project)
    assert not started_by(str(tmp_path))
