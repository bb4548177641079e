"""`graphway serve --graph-json SPEC` as KServe's controller runs its router: arguments, probe,
environment, and the end.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import Dockerfile
from tests.deploy.serving import READYZ, Serving
from tests.kit.client import request
from tests.kit.predictor import Predictor
from tests.kit.scripts import reply

ROOT = Path(__file__).parents[2]
PROGRAM, *COMMAND = Dockerfile.read(ROOT / "Dockerfile").final.json("ENTRYPOINT")
PROGRAMS = {"graphway": "from cli.main import main; main()"}  # installed or not
# In a pod the ports are its own; here other tests run beside.
HERE = {
    "GRAPHWAY_HOST": "127.0.0.1",
    "GRAPHWAY_PORT": "0",
    "GRAPHWAY_ADMIN_PORT": "0",
    "GRAPHWAY_WORKERS": "1",
}


def start(
    folder: Path, text: str, env: Mapping[str, str] | None = None
) -> contextlib.AbstractAsyncContextManager[Serving]:
    """With the spec as text, good or bad."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAMS[PROGRAM], *COMMAND, "--graph-json", text],
            cwd=ROOT,
            env={**os.environ, **HERE, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Serving.until_killed(process, log)


def spec_of(predictor: Predictor) -> str:
    """As the controller hands it over: `serviceUrl` filled in beside `serviceName`."""
    step: dict[str, Any] = {"serviceName": "iris"}
    step["serviceUrl"] = predictor.url("/v1/models/iris:predict")
    nodes = {"root": {"routerType": "Sequence", "steps": [step]}}
    return json.dumps({"nodes": nodes, "resources": {}})


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="at the root"),
        pytest.param("/v1/models/graph:predict", id="at any other path"),
    ],
)
async def test_the_graph_answers(predictor: Predictor, tmp_path: Path, path: str) -> None:
    predictor.default = reply(b'{"predictions": [1]}')
    async with start(tmp_path, spec_of(predictor)) as router:
        ready = await router.ask(READYZ)
        assert (ready.status, ready.body) == (200, b"")
        answer = await router.ask(request(path, b'{"instances": [1]}'))
        assert (answer.status, answer.body) == (200, b'{"predictions": [1]}')
        (seen,) = predictor.requests
        assert (seen.method, seen.path) == (b"POST", b"/v1/models/iris:predict")
        assert seen.body == b'{"instances": [1]}'


@pytest.mark.parametrize(
    ("env", "passes"),
    [
        pytest.param({}, False, id="nothing passes without the variable"),
        pytest.param({"PROPAGATE_HEADERS": "X-Te.m,*bad*"}, True, id="what a pattern finds passes"),
        pytest.param({"PROPAGATE_HEADERS": "Other"}, False, id="what none finds stays"),
        pytest.param({"PROPAGATE_HEADERS": ""}, True, id="an empty list lets all pass"),
    ],
)
async def test_headers_pass_as_the_config_map_says(
    predictor: Predictor, tmp_path: Path, env: dict[str, str], passes: bool
) -> None:
    async with start(tmp_path, spec_of(predictor), env) as router:
        await router.ask(request("/", headers={"X-Team": "a"}))
        (seen,) = predictor.requests
        assert seen.header(b"x-team") == (b"a" if passes else None)


async def test_sigterm_turns_readyz_to_503_and_ends_with_0(
    predictor: Predictor, tmp_path: Path
) -> None:
    env = {"GRAPHWAY_DRAIN_SECONDS": "1"}
    async with start(tmp_path, spec_of(predictor), env) as router:
        router.process.send_signal(signal.SIGTERM)
        await router.shuts_down()
        assert (await router.ask(request("/"))).status == 200
        assert await router.ended() == 0


@pytest.mark.parametrize("text", [pytest.param("", id="empty"), pytest.param("{", id="broken")])
async def test_a_spec_that_is_no_json_ends_with_1_and_no_traceback(
    tmp_path: Path, text: str
) -> None:
    async with start(tmp_path, text) as router:
        assert await router.ended() == 1
        assert "--graph-json" in router.text()
        assert "Traceback" not in router.text()
