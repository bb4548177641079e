"""Graphs that call themselves by names of the router that no check knows."""

import grpc
import grpc.aio
import pytest

from graph.inner import MAX_DEPTH
from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.eventually import eventually_awaited
from tests.kit.router import Router
from tests.router.front.grpc_port import INFER, channel_to

GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: round, namespace: default}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: "{url}"}}]}}}}}}
"""


async def lead_back(router: Router, url: str) -> None:
    router.write(GRAPH.format(url=url))

    async def served() -> bool:
        return (await router.metrics()).total("graphway_reloads_total", result="success") == 1

    await eventually_awaited(served, "the graph that leads back is served")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.2:{port}/graphs/default/round", "http://127.0.0.1:{port}/v1/models/round"],
    ids=["another address", "its name as a model"],
)
async def test_a_circle_over_sockets_ends_with_its_cause(serve: Serve, url: str) -> None:
    async with serve(
        GRAPH.format(url="http://127.0.0.1:9"), "--host", "0.0.0.0", "--workers", "1"
    ) as router:
        await lead_back(router, url.format(port=router.port))
        async with Client.to(router.port) as client:
            answer = await client.ask(request("/graphs/default/round"))
        assert answer.status == 508
        assert b"call one another in a circle" in answer.body
        assert (await router.metrics()).total("graphway_requests_total") == MAX_DEPTH + 1


async def test_a_circle_of_grpc_ends_too(serve: Serve) -> None:
    flags = ("--workers", "1", "--grpc-workers", "1")
    async with serve(GRAPH.format(url="http://127.0.0.1:9"), *flags) as router:
        await lead_back(router, f"grpc://{router.grpc}/round")
        async with channel_to(int(router.grpc.rpartition(":")[2])) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await channel.unary_unary(INFER)(b"\n\x05round")
            assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
