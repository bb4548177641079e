"""configs/examples/model-cache by `graphway up`, with a fake server in place of scikit-learn's:
what its reader is told by `get` and `describe`.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from controller.local.node import this_node
from tests.controller.manifests import runtime
from tests.controller.modelcache.kit import COMMAND, models
from tests.controller.storage.site import Site
from tests.controller.test_up import PROJECT, up, write
from tests.kit.eventually import eventually, eventually_awaited

EXAMPLE = PROJECT / "configs" / "examples" / "model-cache" / "models.yaml"
FAKE = runtime(
    "fake",
    "[{name: sklearn, autoSelect: true}]",
    container="{name: kserve-container, command: ["
    + COMMAND
    + "], ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /ready, port: 8080}}}",
    namespace="default",
)


async def graphway(home: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from cli.main import main; main()", *words),
        env={**os.environ, "PYTHONPATH": str(PROJECT), "GRAPHWAY_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


@pytest.mark.slow
async def test_the_example_is_told_as_its_page_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with Site() as site:
        site.put("/model.joblib", bytes(5000))
        text = EXAMPLE.read_text().replace("http://127.0.0.1:8900", site.url(""))
        write(tmp_path, text, FAKE)
        async with up(tmp_path) as running:
            await eventually(lambda: list(home.glob("running/*.json")), deadline_s=30)

            async def ready() -> bool:
                return (await graphway(home, "get", "isvc")).count("True") == 2

            async def bound() -> bool:
                return "flowers-too" in await graphway(home, "get", "lmc", "-o", "wide")

            await eventually_awaited(ready, deadline_s=60)
            await eventually_awaited(bound, deadline_s=30)
            assert len(models(home)) == 1
            (_, told) = (await graphway(home, "get", "localmodelcaches")).splitlines()
            assert told.split()[2:5] == ["1", "1", "Downloaded"]
            (_, told) = (await graphway(home, "get", "localmodelnodegroups")).splitlines()
            assert told.split()[:4] == ["laptop", "1Gi", "5000", "1023Mi"]
            (_, told) = (await graphway(home, "get", "localmodelnodes")).splitlines()
            assert told.split()[:2] == [this_node(), "iris"]
            described = await graphway(home, "describe", "isvc", "flowers")
            state = f"LocalModelCache iris ({this_node()} NodeDownloaded)"
            assert f"Model cache:  {state}" in described.splitlines()
            assert running.process.returncode is None
