"""Asks a running process one question, in each of Kubernetes' four ways.

One question, one answer: how often to ask and what follows from the answers is decided elsewhere.
The gRPC way needs grpcio, which a plain install does not have.
"""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec

import aiohttp

from controller.local.launch import Launch
from controller.local.process import wrapped
from controller.local.replica import Exec, Grpc, HttpGet, Probe, TcpSocket

HOST = "127.0.0.1"
SHOWN_BYTES = 1_000  # of what a failed command printed
SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


def unsupported(probes: Iterable[Probe | None]) -> str | None:
    """Why one of them can never be asked here."""
    if any(p and isinstance(p.ask, Grpc) for p in probes) and find_spec("grpc") is None:
        return "one of its probes asks by gRPC, which needs grpcio: pip install grpcio"
    return None


async def failure(
    probe: Probe, session: aiohttp.ClientSession, ports: Mapping[int, int], launch: Launch
) -> str | None:
    """What is wrong; None if nothing. `ports`: declared -> real."""
    try:
        async with asyncio.timeout(probe.timeout_s):
            match probe.ask:
                case HttpGet() as get:
                    return await _http(get, session, ports.get(get.port, get.port))
                case TcpSocket(port):
                    _, writer = await asyncio.open_connection(HOST, ports.get(port, port))
                    writer.close()
                    return None
                case Grpc(port, service):
                    return await _grpc(ports.get(port, port), service)
                case Exec(argv):
                    return await _exec(argv, launch)
    except TimeoutError:
        return f"no answer within {probe.timeout_s:g} s"
    except (OSError, aiohttp.ClientError) as error:
        return str(error) or type(error).__name__


async def _http(get: HttpGet, session: aiohttp.ClientSession, port: int) -> str | None:
    url = f"{'https' if get.tls else 'http'}://{HOST}:{port}/{get.path.removeprefix('/')}"
    async with session.get(
        url, headers=dict(get.headers), allow_redirects=False, ssl=False
    ) as answer:
        # As the kubelet counts.
        return None if 200 <= answer.status < 400 else f"{get.path} answers {answer.status}"


async def _exec(argv: tuple[str, ...], launch: Launch) -> str | None:
    process = await asyncio.create_subprocess_exec(
        *wrapped(argv),
        env=launch.env,
        cwd=launch.folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what it left, or all of it
        except ProcessLookupError:
            pass
        await process.wait()
    if process.returncode == 0:
        return None
    text = printed[-SHOWN_BYTES:].decode(errors="replace").strip()
    return f"{argv[0]} ended with {process.returncode}{f': {text}' if text else ''}"


async def _grpc(port: int, service: str) -> str | None:
    grpc = import_module("grpc")
    aio = import_module("grpc.aio")
    name = service.encode()
    request = b"\x0a" + bytes([len(name)]) + name if name else b""  # HealthCheckRequest{service}
    async with aio.insecure_channel(f"{HOST}:{port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            answer = await check(request, wait_for_ready=False)
        except grpc.RpcError as error:
            return f"gRPC {error.code().name}: {error.details()}"
    return None if answer == SERVING else "its gRPC health service does not say SERVING"
