"""`graphway serve` as a command: what it refuses, how it begins, how it ends."""

import asyncio
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import COMMAND, PROJECT
from tests.kit.scripts import reply

PORTS = ("--host", "127.0.0.1", "--port", "0", "--admin-port", "0", "--workers", "1")
GOOD = graph("g", "Sequence", {"serviceUrl": "http://127.0.0.1:9"})
SERVICE = graph("g", "Sequence", {"serviceName": "iris"})


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def run(
    *arguments: str, command: str = "serve", env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Exit code and all output of a command that is expected to end by itself."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND[:-1],
        command,
        *arguments,
        cwd=PROJECT,
        env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "graph.yaml"
    file.write_text(GOOD)
    return file


@pytest.mark.parametrize(
    ("flags", "env", "words"),
    [
        pytest.param((), {"GRAPHWAY_WORKERS": "x"}, ["GRAPHWAY_WORKERS='x'"], id="a bad variable"),
        pytest.param(("--port", "70000"), {}, ["--port=70000"], id="a bad flag"),
        pytest.param(
            ("--port", "70000"),
            {"GRAPHWAY_COMPAT": "x", "GRAPHWAY_LOG_LEVEL": "y"},
            ["--port", "GRAPHWAY_LOG_LEVEL", "GRAPHWAY_COMPAT"],
            id="three at once",
        ),
        pytest.param(
            (), {"GRAPHWAY_UPSTREAM_CA_FILE": "/dev/null"}, ["PEM file"], id="no certificates"
        ),
        pytest.param(("--service", "iris"), {}, ["NAME=URL"], id="a service without a URL"),
        pytest.param(("--service", "iris=h:1"), {}, ["http://HOST:PORT"], id="no http"),
        pytest.param(("--graph-json", "{}"), {}, ["one of them"], id="two sources"),
    ],
)
async def test_what_cannot_be_used_is_exit_code_2_with_a_line_each(
    flags: tuple[str, ...], env: dict[str, str], words: list[str], manifest: Path
) -> None:
    code, output = await run(str(manifest), *flags, env=env)
    assert code == 2
    assert "Traceback" not in output
    assert len(output.splitlines()) == len(words)
    for word, line in zip(words, output.splitlines(), strict=True):
        assert word in line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file"),
        pytest.param("spec: [", id="no YAML"),
        pytest.param("\0\xff", id="no text"),
        pytest.param(GOOD.replace("Sequence", "Sequins"), id="a graph that cannot be"),
    ],
)
async def test_a_bad_start_says_what_check_says(text: str, manifest: Path) -> None:
    manifest.write_text(text, encoding="latin-1")  # noqa: ASYNC240 - a line in a local file
    code, output = await run(str(manifest), *PORTS)
    assert code == 1
    errors = [line for line in output.splitlines() if line.startswith(f"{manifest}:")]
    assert errors
    _, said = await run(str(manifest), command="check")
    assert errors == [line for line in said.splitlines() if line.startswith(f"{manifest}:")]
    assert "Traceback" not in output


async def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    code, output = await run(str(tmp_path / "none.yaml"), *PORTS)
    assert code == 1
    assert "none.yaml:1:1: error" in output


async def test_a_port_that_is_taken_is_said_with_the_way_out(manifest: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, output = await run(str(manifest), *PORTS, "--port", port)
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in output
    assert "--port" in output


async def test_it_stands_in_for_kserves_router(predictor: Predictor) -> None:
    """One spec as JSON, with the URL beside the name, and the headers by PROPAGATE_HEADERS."""
    predictor.on("/v1/models/iris:predict", reply(b'{"predictions": [1]}'))
    step = {
        "serviceName": "iris",
        "serviceUrl": predictor.url("/v1/models/iris:predict"),
        "fieldOfTomorrow": 1,
    }
    spec = {"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}, "resources": {}}
    with serving("--graph-json", json.dumps(spec), env={"PROPAGATE_HEADERS": "^X-,*bad"}) as lines:
        port = port_of(lines, "data")
        async with Client.to(port) as client:
            headers = {"X-User": "me", "Authorization": "no"}
            response = await client.ask(request("/any/path", headers=headers))
    assert response.body == b'{"predictions": [1]}'
    (call,) = predictor.requests
    assert call.header(b"x-user") == b"me"
    assert call.header(b"authorization") is None


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param("iris={}", "/v1/models/iris:predict", id="an address: the usual path"),
        pytest.param("test/iris={}/p?q=1", "/p?q=1", id="with namespace and path"),
    ],
)
async def test_a_service_by_flag(
    given: str, asked: str, predictor: Predictor, serve: Serve
) -> None:
    address = f"http://127.0.0.1:{predictor.port}"
    flag = given.format(address)
    async with serve(SERVICE, "--service", flag) as router, Client.to(router.port) as client:
        await client.ask(request(path("g")))
        assert "unknown-service" not in router.text()
    assert [call.path for call in predictor.requests] == [asked.encode()]


async def test_a_service_that_nobody_knows_is_a_warning(serve: Serve) -> None:
    async with serve(SERVICE) as router:
        assert "warning unknown-service" in router.text()
        answer = json.loads(await router.admin("/graphs/test/g"))
    assert answer["targets"] == [
        {
            "service": "test/iris",
            "addresses": ["http://iris-predictor.test.svc.cluster.local"],
            "path": "/v1/models/iris:predict",
        }
    ]


async def test_an_inference_service_in_the_files_tells_the_path(serve: Serve) -> None:
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "test"},
        "spec": {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "sklearn"},
                    "protocolVersion": "v2",
                    "storageUri": "gs://models/iris",
                }
            }
        },
    }
    async with serve(f"{SERVICE}---\n{json.dumps(service)}\n") as router:
        assert "unknown-service" not in router.text()
        answer = json.loads(await router.admin("/graphs/test/g"))
    assert answer["targets"][0]["path"] == "/v2/models/iris/infer"


async def test_as_process_1_it_ends_also_before_it_serves() -> None:
    """The kernel drops what process 1 of a container has no handler for."""
    own_processes = ("unshare", "--pid", "--fork", "--kill-child")
    if not shutil.which("unshare") or await exit_code(*own_processes, "true"):
        pytest.skip("no namespaces here")
    process = await asyncio.create_subprocess_exec(
        *(*own_processes, *COMMAND, "-"),  # it waits for a manifest that does not come
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    await eventually(lambda: children(process.pid), "it is started")
    (pid,) = children(process.pid)
    await eventually(lambda: handles(pid, signal.SIGTERM), "it listens to signals")
    os.kill(pid, signal.SIGTERM)
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    assert (process.returncode, output) == (128 + signal.SIGTERM, b"")


async def exit_code(*command: str) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    return await process.wait()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


async def test_one_port_for_both_families(predictor: Predictor, serve: Serve) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    async with serve(manifest, "--host", "::", "--admin-host", "::1") as router:
        for address in ("127.0.0.1", "::1"):
            async with Client.to(router.port, address) as client:
                assert (await client.ask(request(path("g")))).status == 200
        (event,) = router.events("serving")
        assert event["data"] == f"http://[::1]:{router.port}"
        assert event["admin"] == f"http://[::1]:{router.admin_port}"
        async with Client.to(router.admin_port, "::1") as client:
            graphs = await client.ask(request("/graphs", b"", "GET"))
        assert f"http://[::1]:{router.port}/graphs/test/g".encode() in graphs.body


async def test_ctrl_c_skips_the_wait(serve: Serve) -> None:
    async with serve(GOOD, "--drain-seconds", "600") as router:
        pids = router.worker_pids()
        router.signal(signal.SIGINT)
        assert await router.ended() == 0
        assert not any(alive(pid) for pid in pids)


async def test_a_killed_parent_leaves_no_worker(serve: Serve) -> None:
    async with serve(GOOD, "--workers", "2") as router:
        pids = router.worker_pids()
        assert len(pids) == 2
        router.process.kill()
        await eventually(lambda: not any(alive(pid) for pid in pids), "the workers end")


async def test_signals_to_a_worker_are_the_parents_business(serve: Serve) -> None:
    """systemd and `kill -TERM -GROUP` signal every process of a service."""
    async with serve(GOOD, "--workers", "1", "--drain-seconds", "600") as router:
        (pid,) = router.worker_pids()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
        async with Client.to(router.port) as client:
            assert (await client.ask(request("/readyz", b"", "GET"))).status == 200
        assert router.worker_pids() == [pid]


async def test_on_a_terminal_it_speaks_to_people_and_ends_when_the_window_closes(
    manifest: Path,
) -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _AS_SESSION, *COMMAND, str(manifest), *PORTS),
        cwd=PROJECT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = await asyncio.to_thread(_read_until, ours, "Ctrl-C ends")
    assert "/graphs/test/g" in shown
    (port,) = re.findall(r"http://127.0.0.1:(\d+)/graphs/test/g", shown)
    async with Client.to(int(port)) as client:
        assert (await client.ask(request(path("g")))).status == 502
    line = await asyncio.to_thread(_read_until, ours, "refused")
    assert re.search(r"502 +[\d.]+ ms +POST +/graphs/test/g", line)
    assert "{" not in shown + line, "nothing for machines"
    os.close(ours)  # the window
    async with asyncio.timeout(30):
        await process.wait()


# Makes the terminal the controlling one of the session, as a terminal emulator does.
_AS_SESSION = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def _read_until(fd: int, word: str) -> str:
    text = ""
    while word not in text:
        text += os.read(fd, 4096).decode()
    return text


@contextmanager
def serving(*arguments: str, env: dict[str, str]) -> Iterator[list[str]]:
    """A router whose command line is all ours; its lines up to the one that says that it serves."""
    process = subprocess.Popen(
        [*COMMAND, *PORTS, *arguments],
        cwd=PROJECT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if '"serving"' in line:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.closing(process.stdout):
            process.communicate(timeout=30)


def port_of(lines: list[str], which: str) -> int:
    url = str(json.loads(lines[-1])[which])
    return int(url.rpartition(":")[2])
