"""What the benchmark of gRPC relies on: a graph that compiles, messages that the router takes, and
calls that are all made.
"""

import grpc
import pytest

from bench.cases import NAMESPACE
from bench.grpc import CASES, GRAPH, Case, System, load, request
from bench.grpc_ends import OPTIONS, Everything
from graph.compiler import compile
from graph.loader import load as load_text
from graph.tensors.convert import Protocol, decode
from graph.tensors.message import Message
from graph.tensors.model import Side


def test_the_graph_compiles() -> None:
    (document,) = load_text(GRAPH % (NAMESPACE, 9000))
    assert document.graph is not None, document.problems
    (target,) = compile(document.graph).targets
    assert target.url == "grpc://127.0.0.1:9000/echo"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_messages_hold_one_tensor(case: Case) -> None:
    message = Message(request(case.numbers), Side.REQUEST)
    (tensor,) = decode(message, Protocol.GRPC, Side.REQUEST).tensors
    assert (tensor.datatype, tuple(tensor.shape)) == ("FP32", (1, case.numbers))


async def test_every_call_is_made_and_timed() -> None:
    came: list[bytes] = []

    async def answer(message: bytes, context: object) -> bytes:
        came.append(message)
        return message

    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((Everything(answer),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    system = System("direct", port, None)
    await load(system, b"message", 3, 10)
    await server.stop(None)
    assert len(system.times) == 10
    assert came == [b"message"] * 11  # one before the clock runs
