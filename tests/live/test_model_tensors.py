"""Tensors of every datatype through graphs in front of real servers: MLServer, which lacks the
binary extension, and the KServe SDK, which has it and does not say so, over REST and gRPC.

Both servers answer what they are asked. NVIDIA's client asks, in binary and in JSON.
"""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from controller.local import python_env
from controller.local.built_in import built_in_runtimes
from controller.local.home import find_home
from controller.local.runnable import PACKAGES
from controller.resources.parse import parse
from tests.kit.router import Router

CLIENTS = Path(__file__).parent / "clients"
LIMIT_S = 120.0
GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: {name}, namespace: test}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{steps}]}}}}}}
"""
CHAINED = "data: $response, mapPredictionsToInstances: true, dependency: Hard"

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


async def environment(runtime: str, log: Path) -> Path:
    """Of a built-in runtime; made on first use, which takes minutes."""
    known = parse([], built_in_runtimes()).runtimes[None, runtime]
    annotation = known.resource.metadata.annotations[PACKAGES]
    made = await python_env.ensure(
        find_home(os.environ).envs,
        python_env.requirements(annotation, known.folder),
        log=log,
        environ=os.environ,
        on_detail=lambda _: None,
    )
    assert isinstance(made, Path), made
    return made / "bin"


@asynccontextmanager
async def running(url: str, *command: str, cwd: Path) -> AsyncIterator[None]:
    """A server, from when it answers there."""
    with (cwd / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(LIMIT_S), aiohttp.ClientSession() as session:
            while True:
                assert process.returncode is None, (cwd / "log").read_text()
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[object]:
    """Ask a graph; what the client has to say."""
    folder = tmp_path_factory.mktemp("tensors")
    mlserver = await environment("kserve-mlserver", folder / "mlserver")
    kserve = await environment("kserve-sklearnserver", folder / "kserve")
    rest, grpc, metrics, sdk_rest, sdk_grpc = free_ports(5)
    model = folder / "model"
    model.mkdir()
    (model / "echo.py").write_text((CLIENTS / "echo_mlserver.py").read_text())
    (model / "model-settings.json").write_text('{"name": "echo", "implementation": "echo.Echo"}')
    settings = {
        "host": "127.0.0.1",
        "http_port": rest,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "parallel_workers": 0,
    }
    (model / "settings.json").write_text(json.dumps(settings))
    sdk = folder / "sdk"
    sdk.mkdir()
    steps = {
        "mlserver": f"serviceUrl: http://127.0.0.1:{rest}/v2/models/echo/infer",
        "mlserver-grpc": f"serviceUrl: grpc://127.0.0.1:{grpc}/echo",
        "sdk": f"serviceUrl: http://127.0.0.1:{sdk_rest}/v2/models/echo/infer",
        "sdk-grpc": f"serviceUrl: grpc://127.0.0.1:{sdk_grpc}/echo",
    }
    graphs = [GRAPH.format(name=name, steps=f"{{{step}}}") for name, step in steps.items()]
    chain = ", ".join(f"{{{step}, {CHAINED}}}" for step in steps.values())
    graphs.append(GRAPH.format(name="chain", steps=chain))
    both = f"{{{steps['sdk']}, name: a}}, {{{steps['mlserver-grpc']}, name: b}}"
    graphs.append(GRAPH.format(name="both", steps=both).replace("Sequence", "Ensemble"))
    manifest = "---".join(graphs)
    binary = f"auto,http://127.0.0.1:{sdk_rest}=always"
    ports = (f"--http_port={sdk_rest}", f"--grpc_port={sdk_grpc}")
    async with (
        running(f"http://127.0.0.1:{rest}/v2", str(mlserver / "mlserver"), "start", ".", cwd=model),
        running(
            f"http://127.0.0.1:{sdk_rest}/v2",
            *(str(kserve / "python"), str(CLIENTS / "echo_kserve.py"), *ports),
            cwd=sdk,
        ),
        Router.serving(
            *(folder, manifest, "--workers", "1", "--grpc-workers", "1"),
            env={"GRAPHWAY_BINARY_TENSORS": binary},
        ) as router,
    ):

        async def asking(client: str, graph: str, prefix: str) -> object:
            address = router.grpc if "grpc" in client else f"127.0.0.1:{router.port}"
            process = await asyncio.create_subprocess_exec(
                *(str(mlserver / "python"), str(CLIENTS / client)),
                *(address, graph, prefix),
                stdout=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(LIMIT_S):
                out, _ = await process.communicate()
            return json.loads(out)

        yield asking


@pytest.mark.parametrize(
    ("graph", "prefix"),
    [
        ("mlserver", "out-"),
        ("mlserver-grpc", "out-"),
        ("sdk", "out-"),
        ("sdk-grpc", "out-"),
        ("chain", "out-" * 4),
    ],
)
async def test_every_datatype_is_exact_and_in_the_form_that_was_asked_for(
    ask, graph: str, prefix: str
) -> None:
    answer = await ask("tensors_client.py", graph, prefix)
    assert answer == {"answers": 49, "wrong": []}


@pytest.mark.parametrize(
    ("graph", "prefix"),
    [
        ("mlserver", "out-"),
        ("mlserver-grpc", "out-"),
        ("sdk", "out-"),
        ("sdk-grpc", "out-"),
        ("chain", "out-" * 4),
        ("both", "a/out-"),
        ("both", "b/out-"),
    ],
)
async def test_every_datatype_is_exact_over_grpc(ask, graph: str, prefix: str) -> None:
    answer = await ask("tensors_grpc_client.py", graph, prefix)
    assert answer == {"answers": 13, "wrong": []}
