"""configs/examples/services, end to end: MLServer, the KServe SDK, a transformer and a container of
one's own behind graphs, by `graphway up`. The models are the demo's.
"""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from cli.demo import SETOSA, VIRGINICA, _train
from controller.local.home import find_home
from tests.controller.test_up import PROJECT, up
from tests.kit.eventually import eventually

EXAMPLE = PROJECT / "configs" / "examples" / "services"
FLOWERS_MM = [[length * 10 for length in flower] for flower in (SETOSA, VIRGINICA)]
LIMIT_S = 900  # their environments are made on first use


@pytest.mark.models
@pytest.mark.slow
async def test_four_ways_to_serve_answer_behind_their_graphs(tmp_path: Path) -> None:
    home = find_home(os.environ)
    (home.root / "demo").mkdir(parents=True, exist_ok=True)
    assert await _train(home, home.root / "demo") is None
    for file in EXAMPLE.iterdir():
        if file.is_file():
            shutil.copyfile(file, tmp_path / file.name)
    (tmp_path / "services.yaml").rename(tmp_path / "all.yaml")
    models = f"s3://models={home.root / 'demo' / 'models'}"
    shared = {"GRAPHWAY_HOME": str(home.root), "STARTED_BY": str(tmp_path)}
    project = f"example-{os.getpid()}"
    flags = ("--uri-map", models, "--project", project)
    async with up(tmp_path, *flags, **shared) as running, aiohttp.ClientSession() as session:
        url = await eventually(lambda: graph_url(running.lines, "all"), deadline_s=LIMIT_S)
        async with session.post(url, json={"instances": FLOWERS_MM}) as answer:
            assert answer.status == 200
            said = await answer.json()
        assert said["millimetres"] == {"predictions": [0, 2]}
        assert said["number"] == {"predictions": [2]}
        assert len(said["centimetres"]["predictions"]) == 2
        inputs = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": [*SETOSA, *VIRGINICA]}
        async with session.post(url.removesuffix("all") + "v2", json={"inputs": [inputs]}) as v2:
            assert v2.status == 200
            assert (await v2.json())["outputs"][0]["data"] == [0, 2]
        running.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await running.process.wait() == 0
    shutil.rmtree(home.root / "projects" / project)
    assert not started_by(str(tmp_path))


def graph_url(lines: list[str], name: str) -> str:
    start = f"graph default/{name}: "
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), "")


def started_by(mark: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("STARTED_BY") == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
