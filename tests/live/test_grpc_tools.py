"""What gRPC tools ask: reflection as grpcurl does, the health service, V2's questions about server
and models. Blocking clients of grpcio's own packages, against a router as it is started.
"""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from graph.tensors.messages import CLASSES
from router.wire.grpc.fields import number, text
from tests.conftest import Serve
from tests.kit.grpc_predictor import GrpcPredictor, grpc_predictor
from tests.kit.router import Router

SERVICE = "inference.GRPCInferenceService"


def two(url: str) -> str:
    return "---".join(
        f"""
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {{name: {name}, namespace: default}}
spec: {{nodes: {{root: {{routerType: Sequence, steps: [{{serviceUrl: "{url}/{name}"}}]}}}}}}
"""
        for name in ("first", "second")
    )


@pytest_asyncio.fixture
async def predictor() -> AsyncIterator[GrpcPredictor]:
    async with grpc_predictor() as running:
        yield running


@pytest_asyncio.fixture
async def router(serve: Serve, predictor: GrpcPredictor) -> AsyncIterator[Router]:
    flags = ("--workers", "1", "--grpc-workers", "1")
    async with serve(two(predictor.url), *flags) as running:
        yield running


async def test_a_tool_that_knows_nothing_but_the_address(router: Router) -> None:
    def use() -> tuple[list[str], bytes]:
        with grpc.insecure_channel(router.grpc) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            names = list(database.get_services())
            pool = DescriptorPool(database)
            for name in names:
                assert pool.FindServiceByName(name).methods
            method = pool.FindServiceByName(SERVICE).methods_by_name["ModelInfer"]
            request = GetMessageClass(method.input_type)(model_name="second", id="7")
            path = f"/{SERVICE}/ModelInfer"
            return names, channel.unary_unary(path)(request.SerializeToString(), timeout=10)

    names, answer = await asyncio.to_thread(use)
    assert names == sorted(names, key=names.index)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(names)
    # The predictor's answer is what it got: the model of the URL, behind the caller's.
    assert answer == text(1, b"second") + text(3, b"7") + text(1, b"second")


async def test_the_model_name_leads_to_the_graph(router: Router, predictor: GrpcPredictor) -> None:
    def use() -> None:
        with grpc.insecure_channel(router.grpc) as channel:
            infer = channel.unary_unary(f"/{SERVICE}/ModelInfer")
            for name in (b"first", b"default/second"):
                infer(text(1, name), timeout=10)
            with pytest.raises(grpc.RpcError) as error:
                infer(text(1, b"third"), timeout=10)
            assert error.value.code() is grpc.StatusCode.NOT_FOUND

    await asyncio.to_thread(use)
    assert predictor.messages == [
        text(1, b"first") + text(1, b"first"),
        text(1, b"default/second") + text(1, b"second"),
    ]


async def test_the_health_service(router: Router) -> None:
    def use() -> None:
        with grpc.insecure_channel(router.grpc) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in ("", SERVICE):
                asked = health_pb2.HealthCheckRequest(service=name)
                assert health.Check(asked).status == health_pb2.HealthCheckResponse.SERVING
            other = health_pb2.HealthCheckRequest(service="other")
            with pytest.raises(grpc.RpcError) as error:
                health.Check(other)
            assert error.value.code() is grpc.StatusCode.NOT_FOUND
            watch = health.Watch(other)
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
            watch.cancel()

    await asyncio.to_thread(use)


async def test_a_watch_hears_of_the_end(router: Router) -> None:
    states: list[int] = []

    def use() -> None:
        with grpc.insecure_channel(router.grpc) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            states.append(next(watch).status)
            router.process.terminate()
            states.append(next(watch).status)
            router.process.terminate()  # the wait for balancers is over
            with pytest.raises(grpc.RpcError) as error:
                next(watch)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE

    await asyncio.to_thread(use)
    assert states == [1, 2]
    await router.ended()


async def test_questions_about_server_and_models(router: Router) -> None:
    def ask(method: str, message: bytes = b"") -> bytes:
        with grpc.insecure_channel(router.grpc) as channel:
            return bytes(channel.unary_unary(f"/{SERVICE}/{method}")(message, timeout=10))

    assert await asyncio.to_thread(ask, "ServerLive") == number(1, 1)
    assert await asyncio.to_thread(ask, "ServerReady") == number(1, 1)
    server = CLASSES["ServerMetadataResponse"].FromString(
        await asyncio.to_thread(ask, "ServerMetadata")
    )
    assert server.name == "graphway"
    assert server.extensions == ["binary_tensor_data"]
    assert await asyncio.to_thread(ask, "ModelReady", text(1, b"first")) == number(1, 1)
    model = CLASSES["ModelMetadataResponse"].FromString(
        await asyncio.to_thread(ask, "ModelMetadata", text(1, b"default/first"))
    )
    assert (model.name, model.platform) == ("default/first", "graphway")
    with pytest.raises(grpc.RpcError) as error:
        await asyncio.to_thread(ask, "ModelReady", text(1, b"third"))
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as error:
        await asyncio.to_thread(ask, "ModelReady", b"\xff\xff")
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
