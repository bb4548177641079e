"""Clients that people have for V1 and V2, and real model servers behind one router.

KServe's client, NVIDIA's (over HTTP), MLServer's command and curl; behind the graphs the KServe SDK
and MLServer. The clients run in the environments of these servers, which they come with.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.demo import SETOSA, _train
from controller.local import python_env
from controller.local.built_in import built_in_runtimes
from controller.local.home import Home, find_home
from controller.local.runnable import PACKAGES
from controller.resources.parse import parse
from tests.controller.test_up import up
from tests.kit.eventually import eventually

LIMIT_S = 900  # their environments are made on first use
CLIENTS = Path(__file__).parent / "clients"
MANIFEST = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: sdk}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "s3://models/iris-sklearn"}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: mlserver}
spec:
  predictor:
    model:
      modelFormat: {name: sklearn}
      protocolVersion: v2
      storageUri: s3://models/iris-sklearn
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: v1}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: sdk}]}}}
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: v2}
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: mlserver}]}}}
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: sdk} # by the name of the model, so that its own paths can go on
spec: {nodes: {root: {routerType: Sequence, steps: [{serviceName: sdk, forward: Caller}]}}}
"""

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Stage:
    address: str  # host:port of the data port
    home: Home

    async def run(self, runtime: str, program: str, *arguments: str) -> bytes:
        """What a program says in the environment of a runtime; it must succeed."""
        known = parse([], built_in_runtimes()).runtimes[None, runtime]
        annotation = known.resource.metadata.annotations[PACKAGES]
        packages = python_env.requirements(annotation, known.folder)
        command = python_env.location(self.home.envs, packages) / "bin" / program
        return await run(str(command), *arguments)


async def run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return out


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    home = find_home(os.environ)
    (home.root / "demo").mkdir(parents=True, exist_ok=True)
    assert await _train(home, home.root / "demo") is None
    folder = tmp_path_factory.mktemp("models")
    (folder / "all.yaml").write_text(MANIFEST)
    models = f"s3://models={home.root / 'demo' / 'models'}"
    project = f"clients-{os.getpid()}"
    flags = ("--uri-map", models, "--project", project)
    async with up(folder, *flags, GRAPHWAY_HOME=str(home.root)) as running:
        start = "graph default/v2: http://"
        url = await eventually(
            lambda: next((line for line in running.lines if line.startswith(start)), ""),
            deadline_s=LIMIT_S,
        )
        yield Stage(url.removeprefix(start).partition("/")[0], home)
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await running.process.wait() == 0
    shutil.rmtree(home.root / "projects" / project)


async def test_kserves_client(stage: Stage) -> None:
    script = str(CLIENTS / "kserve_client.py")
    out = await stage.run(
        "kserve-sklearnserver", "python", script, f"http://{stage.address}", "v1", "v2", "sdk"
    )
    predicted = {"predictions": [0, 2]}
    inferred = {
        "live": True,
        "ready": True,
        "model ready": True,
        "by model": [0, 2],
        "by path": [0, 2],
        "id": "mine",
    }
    assert json.loads(out.splitlines()[-1]) == {
        "v1": {"ready": True, "by model": predicted, "by path": predicted, "as a graph": predicted},
        "v2": inferred,
        "binary": inferred,
    }


@pytest.mark.parametrize(("graph", "output"), [("v2", "predict"), ("sdk", "output-0")])
async def test_nvidias_client(stage: Stage, graph: str, output: str) -> None:
    script = str(CLIENTS / "triton_client.py")
    out = await stage.run("kserve-mlserver", "python", script, stage.address, graph, output)
    said: dict[str, Any] = json.loads(out)
    (revision,) = said["model"].pop("versions")
    assert len(revision) == 8
    assert said.pop("server")["extensions"] == ["binary_tensor_data"]
    assert said == {
        "live": True,
        "ready": True,
        "model ready": True,
        "nobody ready": False,
        "model": {"name": graph, "platform": "graphway", "inputs": [], "outputs": []},
        "JSON": ["mine", [0, 2]],
        "binary": ["mine", [0, 2]],
        "nobody": ["404", "Failed to process request"],
    }


async def test_mlservers_command(stage: Stage, tmp_path: Path) -> None:
    tensor = {"name": "flowers", "shape": [1, 4], "datatype": "FP64", "data": SETOSA}
    given, heard = tmp_path / "given", tmp_path / "heard"
    given.write_text(json.dumps({"inputs": [tensor]}) + "\n")
    asked = ("infer", "-u", stage.address, "-m", "v2", "-i", str(given), "-o", str(heard))
    await stage.run("kserve-mlserver", "mlserver", *asked)
    (line,) = heard.read_text().splitlines()
    (output,) = json.loads(line)["outputs"]
    assert output["data"] == [0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_curl(stage: Stage) -> None:
    url = f"http://{stage.address}"
    for path, expected in (
        ("/v2/models/v2/ready", {"name": "v2", "ready": True}),
        ("/graphs/default/v1/v2/health/ready", {"ready": True}),
        ("/v1/models/sdk", {"name": "sdk", "ready": True}),  # the server's own page
        ("/v2/models", {"models": ["v1", "v2", "sdk"]}),
    ):
        assert json.loads(await run("curl", "-sS", "--fail", url + path)) == expected
    body = json.dumps({"instances": [SETOSA]})
    for path in ("/v1/models/v1:predict", "/graphs/default/v1", "/v1/models/sdk:predict"):
        answer = await run("curl", "-sS", "--fail", "-d", body, url + path)
        assert json.loads(answer) == {"predictions": [0]}
