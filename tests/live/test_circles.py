"""Graphs that call themselves by names of the router that no check knows."""

import grpc
import grpc.aio
import pytest

from graph.inner import MAX_DEPTH
from tests.conftest import Serve
from tests.kit.client import Client, Response, request
from tests.kit.eventually import eventually_awaited
from tests.router.front.grpc_port import INFER, channel_to

GRAPH = """
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: round, namespace: default}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: "{url}"}}]}}}}}}
"""


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.2:{port}/graphs/default/round", "http://127.0.0.1:{port}/v1/models/round"],
    ids=["another address", "its name as a model"],
)
async def test_a_circle_over_sockets_ends_with_its_cause(serve: Serve, url: str) -> None:
    async with serve(
        GRAPH.format(url="http://127.0.0.1:9"), "--host", "0.0.0.0", "--workers", "1"
    ) as router:
        router.write(GRAPH.format(url=url.format(port=router.port)))
        answers: list[Response] = []
        async with Client.to(router.port) as client:

            async def led_back() -> bool:
                answers.append(await client.ask(request("/graphs/default/round")))
                return answers[-1].status != 502  # what it answered before

            await eventually_awaited(led_back, "the graph that leads back is served")
        assert answers[-1].status == 508
        assert b"call one another in a circle" in answers[-1].body
        requests = (await router.metrics()).total("graphway_requests_total")
        assert requests == len(answers) + MAX_DEPTH


async def test_a_circle_of_grpc_ends_too(serve: Serve) -> None:
    flags = ("--workers", "1", "--grpc-workers", "1")
    async with serve(GRAPH.format(url="http://127.0.0.1:9"), *flags) as router:
        router.write(GRAPH.format(url=f"grpc://{router.grpc}/round"))
        async with channel_to(int(router.grpc.rpartition(":")[2])) as channel:

            async def led_back() -> bool:
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await channel.unary_unary(INFER)(b"\n\x05round")
                return error.value.code() is grpc.StatusCode.FAILED_PRECONDITION

            await eventually_awaited(led_back, "the graph that leads back is served")
