"""`python -m bench.grpc_ends echo PORT` and `... proxy PORT TARGET_PORT`: what the benchmark of
gRPC needs beside the router, both on grpcio's asyncio: a predictor that sends messages back, and
the plainest proxy that one writes with that library.
"""

import sys
from collections.abc import Awaitable, Callable

import grpc
import uvloop

METHOD = "/inference.GRPCInferenceService/ModelInfer"
OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
]
Answer = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]


class Everything(grpc.GenericRpcHandler):
    """Answers every unary call, messages as bytes."""

    def __init__(self, answer: Answer) -> None:
        self._handler = grpc.unary_unary_rpc_method_handler(answer)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._handler


async def serve(port: int, target: int | None) -> None:
    async def echo(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return message

    async def passed(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
        answer: bytes = await call(message)
        return answer

    server = grpc.aio.server(options=OPTIONS)
    if target is not None:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{target}", options=OPTIONS)
        call = channel.unary_unary(METHOD)
    server.add_generic_rpc_handlers((Everything(echo if target is None else passed),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    role, port, *target = sys.argv[1:]
    uvloop.run(serve(int(port), int(target[0]) if role == "proxy" else None))
