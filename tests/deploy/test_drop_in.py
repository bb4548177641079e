"""`graphway serve --graph-json SPEC` as KServe's controller runs its router: arguments, probe,
environment, and the end.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dockerfile import Dockerfile
from tests.kit.client import Client, request
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.scripts import reply

ROOT = Path(__file__).parents[2]
ENTRYPOINT = Dockerfile.read(ROOT / "Dockerfile").final.json("ENTRYPOINT")
# In a pod the ports are its own; here other tests run beside.
FREE_PORTS = {"GRAPHWAY_HOST": "127.0.0.1", "GRAPHWAY_PORT": "0", "GRAPHWAY_ADMIN_PORT": "0"}
READYZ = request("/readyz", b"", "GET")


class Pod:
    def __init__(self, log: Path, arguments: list[str], env: Mapping[str, str]) -> None:
        self._log = log
        program, *command = ENTRYPOINT
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                # the entry point of the wheel, also where it is not installed
                [sys.executable, "-c", "from cli.main import main; main()", *command, *arguments],
                cwd=ROOT,
                env={**os.environ, "GRAPHWAY_WORKERS": "1", **FREE_PORTS, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert program == "graphway"

    def text(self) -> str:
        return self._log.read_text()

    @property
    def port(self) -> int | None:
        """Of the data port, once it serves."""
        for line in self.text().splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event["message"] == "serving":
                    return int(event["data"].rpartition(":")[2])
        return None

    async def ask(self, data: bytes) -> Response:
        assert self.port
        async with Client.to(self.port) as client:
            return await client.ask(data)

    async def ended(self) -> int:
        await eventually(lambda: self.process.poll() is not None, "the router ends", 30)
        assert self.process.returncode is not None
        return self.process.returncode


@contextlib.asynccontextmanager
async def started(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Pod]:
    pod = Pod(folder / "log", list(arguments), env or {})
    try:
        yield pod
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pod.process.pid, signal.SIGKILL)
        await asyncio.to_thread(pod.process.wait)


@contextlib.asynccontextmanager
async def serving(
    folder: Path, spec: Mapping[str, Any], env: Mapping[str, str] | None = None
) -> AsyncIterator[Pod]:
    async with started(folder, "--graph-json", json.dumps(spec), env=env) as pod:
        await eventually(lambda: pod.port or pod.process.poll() is not None, "it serves", 30)
        assert pod.process.poll() is None, pod.text()
        yield pod


def spec_of(predictor: Predictor) -> dict[str, Any]:
    """As the controller hands it over: `serviceUrl` filled in beside `serviceName`."""
    step = {"serviceName": "iris", "serviceUrl": predictor.url("/v1/models/iris:predict")}
    return {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}, "resources": {}}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="at the root"),
        pytest.param("/v1/models/graph:predict", id="at any other path"),
    ],
)
async def test_the_graph_answers(predictor: Predictor, tmp_path: Path, path: str) -> None:
    predictor.default = reply(b'{"predictions": [1]}')
    async with serving(tmp_path, spec_of(predictor)) as pod:
        ready = await pod.ask(READYZ)
        assert (ready.status, ready.body) == (200, b"")
        answer = await pod.ask(request(path, b'{"instances": [1]}'))
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
    async with serving(tmp_path, spec_of(predictor), env) as pod:
        await pod.ask(request("/", headers={"X-Team": "a"}))
        (seen,) = predictor.requests
        assert seen.header(b"x-team") == (b"a" if passes else None)


async def test_sigterm_turns_readyz_to_503_and_ends_with_0(
    predictor: Predictor, tmp_path: Path
) -> None:
    env = {"GRAPHWAY_DRAIN_SECONDS": "1"}
    async with serving(tmp_path, spec_of(predictor), env) as pod:
        pod.process.send_signal(signal.SIGTERM)

        async def shutting_down() -> bool:
            answer = await pod.ask(READYZ)
            return (answer.status, answer.body) == (503, b"shutting down\n")

        await eventually_awaited(shutting_down, "/readyz says 503")
        assert (await pod.ask(request("/"))).status == 200
        assert await pod.ended() == 0


@pytest.mark.parametrize("text", [pytest.param("", id="empty"), pytest.param("{", id="broken")])
async def test_a_spec_that_is_no_json_ends_with_1_and_no_traceback(
    tmp_path: Path, text: str
) -> None:
    async with started(tmp_path, "--graph-json", text) as pod:
        assert await pod.ended() == 1
        assert "--graph-json" in pod.text()
        assert "Traceback" not in pod.text()
