"""Questions to a process, in four ways."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web

from controller.local.launch import Launch
from controller.local.probe import failure, unsupported
from controller.local.replica import Ask, Exec, Grpc, HttpGet, Probe, TcpSocket
from tests.controller.backend import alive
from tests.kit.eventually import eventually


async def asked(
    ask: Ask, port: int = 1, timeout_s: float = 5.0, folder: Path = Path("/"), **env: str
) -> str | None:
    """Of the process whose declared port 8080 is this one."""
    launch = Launch(("x",), {"PATH": os.environ["PATH"], **env}, folder)
    async with aiohttp.ClientSession() as session:
        return await failure(Probe(ask, timeout_s=timeout_s), session, {8080: port}, launch)


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """Its port; /STATUS answers that status, /host says who was asked for, /hang nothing."""

    async def answer(request: web.Request) -> web.Response:
        what = request.match_info["what"]
        if what == "hang":
            await asyncio.Event().wait()
        if what == "host":
            return web.Response(status=200 if request.headers["X-Who"] == "us" else 400)
        location = {"Location": "/500"} if what.startswith("3") else {}
        return web.Response(status=int(what), headers=location)

    app = web.Application()
    app.router.add_get("/{what}", answer)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


STATUSES = {
    "200 is well": ("/200", None),
    "so is 399": ("/399", None),
    "a redirect is not followed": ("/302", None),
    "400 is not": ("/400", "/400 answers 400"),
    "nor is 503": ("/503", "/503 answers 503"),
    "a path without its slash": ("200", None),
}


@pytest.mark.parametrize(("path", "failed"), STATUSES.values(), ids=STATUSES)
async def test_by_http(server: int, path: str, failed: str | None) -> None:
    assert await asked(HttpGet(8080, path), server) == failed


async def test_by_http_at_a_port_that_is_no_declared_one(server: int) -> None:
    assert await asked(HttpGet(server, "/200")) is None


async def test_by_http_with_headers(server: int) -> None:
    assert await asked(HttpGet(8080, "/host", headers=(("X-Who", "us"),)), server) is None


async def test_an_answer_that_does_not_come_in_time_is_none(server: int) -> None:
    assert await asked(HttpGet(8080, "/hang"), server, 0.05) == "no answer within 0.05 s"


async def test_nobody_listens() -> None:
    assert "Cannot connect" in (await asked(HttpGet(8080)) or "")
    assert await asked(TcpSocket(8080)) is not None


async def test_by_https_whoever_signed_it(server_tls: ssl.SSLContext) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls).start()
    assert await asked(HttpGet(8080, tls=True), runner.addresses[0][1]) is None
    await runner.cleanup()


async def test_by_connection(server: int) -> None:
    assert await asked(TcpSocket(8080), server) is None


COMMANDS = {
    "success": (("true",), None),
    "failure": (("false",), "false ended with 1"),
    "failure, with its words": (("sh", "-c", "echo not yet; exit 3"), "sh ended with 3: not yet"),
    "a command that is not there": (
        ("absent",),
        "absent ended with 127: absent cannot be run: No such file or directory",
    ),
    "variables of the process": (("sh", "-c", 'test "$COLOUR" = red'), None),
    "the folder of the process": (("sh", "-c", 'test "$PWD" = /tmp'), None),
}


@pytest.mark.parametrize(("argv", "failed"), COMMANDS.values(), ids=COMMANDS)
async def test_by_command(argv: tuple[str, ...], failed: str | None) -> None:
    assert await asked(Exec(argv), COLOUR="red", folder=Path("/tmp")) == failed


async def test_a_command_that_hangs_ends_with_all_its_children(tmp_path: Path) -> None:
    code = "sleep 600 & echo $! > pid; sleep 600"
    ask = Exec(("sh", "-c", code))
    assert await asked(ask, timeout_s=1.0, folder=tmp_path) == "no answer within 1 s"
    child = int((tmp_path / "pid").read_text())
    await eventually(lambda: not alive(child))
    assert not psutil.Process().children()


def test_grpc_needs_grpcio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.local.probe.find_spec", lambda _: None)
    assert unsupported([None, Probe(HttpGet(1))]) is None
    assert "pip install grpcio" in (unsupported([None, Probe(Grpc(1))]) or "")
    monkeypatch.setattr("controller.local.probe.find_spec", lambda _: sys)
    assert unsupported([Probe(Grpc(1))]) is None


async def test_by_grpc() -> None:
    import grpc
    from grpc import aio

    known = {b"": b"\x08\x01", b"\x0a\x03a.B": b"\x08\x02"}

    async def check(request: bytes, context: object) -> bytes:
        if request not in known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")  # type: ignore[attr-defined]
        return known[request]

    handler = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}
    )
    running = aio.server()
    running.add_generic_rpc_handlers((handler,))
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    assert await asked(Grpc(8080), port) is None
    assert await asked(Grpc(8080, "a.B"), port) == "its gRPC health service does not say SERVING"
    assert await asked(Grpc(8080, "c"), port) == "gRPC NOT_FOUND: no such service"
    await running.stop(None)
    assert "gRPC UNAVAILABLE" in (await asked(Grpc(8080), port) or "")
