"""gRPC through a router as it is started: its own workers, its port, its end."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.kit.grpc_predictor import grpc_predictor
from tests.kit.router import Router
from tests.router.front.grpc_port import INFER, channel_to

GRPC = ("--workers", "1", "--grpc-workers", "1")


def graph(url: str) -> str:
    return f"""
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: g, namespace: default}}
spec:
  nodes:
    root:
      routerType: Sequence
      steps:
        - serviceUrl: {url}
"""


def port_of(router: Router) -> int:
    return int(router.grpc.rpartition(":")[2])


async def test_a_call_passes_through(serve: Serve) -> None:
    async with grpc_predictor() as predictor, serve(graph(predictor.url), *GRPC) as router:
        async with channel_to(port_of(router)) as channel:
            infer = channel.unary_unary(INFER)
            assert await infer(b"hello") == b"hello"
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await infer(b"code 9 not now")
            assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert error.value.details() == "not now"
            call = infer(b"slow")
            await eventually(lambda: predictor.running == 1, "it is worked on")
            call.cancel()
            await eventually(lambda: predictor.cancelled == 1, "the predictor hears of it")
            with pytest.raises(grpc.aio.AioRpcError) as late:
                await infer(b"slow", timeout=0.3)
            assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        metrics = await router.metrics()
        assert metrics.total("graphway_requests_total", graph="default/g", code="200") == 1
        assert metrics.total("graphway_workers_serving") == 2
        lines = [line for line in router.access_log() if line["status"] == 200]
        assert lines[0]["path"] == INFER


async def test_a_call_passes_through_a_graph_within_a_graph(serve: Serve) -> None:
    """Its message as it is: these bytes are none that anybody could convert."""
    outer = graph("http://inner.default.svc.cluster.local")
    async with grpc_predictor() as predictor:
        inner = graph(predictor.url).replace("name: g,", "name: inner,")
        which = ("--default-graph", "default/g")
        async with serve(f"{outer}---{inner}", *GRPC, *which) as router:
            async with channel_to(port_of(router)) as channel:
                infer = channel.unary_unary(INFER)
                assert await infer(b"hello") == b"hello"
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await infer(b"code 9 not now")
                assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
                assert error.value.details() == "not now"
            metrics = await router.metrics()
            assert metrics.total("graphway_requests_total", graph="default/inner") == 2


async def test_a_dead_grpc_worker_takes_no_http_along(serve: Serve) -> None:
    async with grpc_predictor() as predictor, serve(graph(predictor.url), *GRPC) as router:
        assert len(router.worker_pids()) == 2
        async with channel_to(port_of(router)) as channel, Client.to(router.port) as client:
            assert await channel.unary_unary(INFER)(b"hello") == b"hello"
            (grpc_pid,) = [pid for pid in router.worker_pids() if b"--grpc" in command(pid)]
            os.kill(grpc_pid, signal.SIGKILL)
            assert (await client.ask(request("/readyz", b"", "GET"))).status == 200
            again = await eventually_answered(channel)
            assert again == b"again"


async def test_the_end_lets_calls_finish(serve: Serve) -> None:
    async with grpc_predictor() as predictor, serve(graph(predictor.url), *GRPC) as router:
        async with channel_to(port_of(router)) as channel:
            call = channel.unary_unary(INFER)(b"wait")
            await eventually(lambda: predictor.running == 1, "it is worked on")
            router.signal(signal.SIGINT)
            await eventually(lambda: router.events("shutting down"), "it ends")
            predictor.let_go()
            assert await call == b"wait"
        assert await router.ended() == 0


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A default is no reason not to start, a wish is one."""
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 8081))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        flags = ("--workers", "1", "--port", str(free_port()))
        env = {"GRAPHWAY_GRPC_WORKERS": ""}
        async with Router.serving(tmp_path, graph("http://127.0.0.1:1"), *flags, env=env) as router:
            assert router.grpc == ""
            assert "no gRPC port: cannot listen on 127.0.0.1:8081" in router.text()
        wish = ("--grpc-workers", "1", "--grpc-port", "8081")
        asked = Router(tmp_path, graph("http://127.0.0.1:1"), *flags, *wish)
        try:
            assert await asked.ended() == 1
        finally:
            asked.kill()
        assert "cannot listen on 127.0.0.1:8081" in asked.text()
        assert "--grpc-port chooses another port" in asked.text()


async def test_over_tls(serve: Serve, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    key, chain = tmp_path / "key.pem", tmp_path / "cert.pem"
    certificate.private_key_pem.write_to_path(key)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    env = {"GRAPHWAY_GRPC_TLS_CERT": str(chain), "GRAPHWAY_GRPC_TLS_KEY": str(key)}
    async with (
        grpc_predictor() as predictor,
        serve(graph(predictor.url), *GRPC, env=env) as router,
        channel_to(
            port_of(router), grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        ) as channel,
    ):
        assert await channel.unary_unary(INFER)(b"secret") == b"secret"


async def eventually_answered(channel: grpc.aio.Channel) -> bytes:
    """A call that was on its way when the worker died is lost; a later one is not."""
    async with asyncio.timeout(20):
        while True:
            try:
                call = channel.unary_unary(INFER)(b"again", wait_for_ready=True)
                return bytes(await call)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
