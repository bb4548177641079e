"""A scriptable gRPC predictor: a real grpcio server whose ModelInfer does what its message says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from router.wire.grpc.fields import text

SERVICE = "inference.GRPCInferenceService"
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class GrpcPredictor:
    """Answers a message with itself, unless it says: `code N WORDS` ends with this status, `slow`
    takes for ever, `wait` until `let_go`, `metadata` gives back what came, one `NAME=VALUE` a line.
    """

    def __init__(self) -> None:
        self.port = 0
        self.running = 0
        self.sent = 0
        self.cancelled = 0
        self.messages: list[bytes] = []
        self.deadlines: list[float | None] = []
        self._held = asyncio.Event()

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    async def stream(self, messages: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """`many N` in the message: so many answers, `fail` after them: a status; the first of
        `plain` are not wrapped.
        """
        async for message in messages:
            self.messages.append(message)
            words = message.decode(errors="replace").split("|")
            count = int(words[1]) if len(words) > 1 else 1
            for number in range(count):
                answer = text(1, b"%d" % number) + text(5, b"")
                self.sent += 1
                yield answer if "plain" in words else text(2, answer)
                if "large" in words:
                    yield text(2, text(1, bytes(500_000)) + text(5, b""))
            if "error" in words:
                yield text(1, b"no more")
            if "fail" in words:
                await context.abort(grpc.StatusCode.DATA_LOSS, "torn")
            if "hang" in words:
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled += 1

    def let_go(self) -> None:
        self._held.set()

    async def infer(self, message: bytes, context: Any) -> bytes:
        self.messages.append(message)
        self.deadlines.append(context.time_remaining())
        if message.startswith(b"code "):
            _, number, words = message.decode().split(" ", 2)
            code = next(code for code in grpc.StatusCode if code.value[0] == int(number))
            await context.abort(code, words)
        if message == b"metadata":
            pairs = [f"{name}={value}" for name, value in context.invocation_metadata()]
            return "\n".join(sorted(pairs)).encode()
        if message in (b"slow", b"wait"):
            self.running += 1
            try:
                await (self._held if message == b"wait" else asyncio.Event()).wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            finally:
                self.running -= 1
        if message == b"describe":
            await context.send_initial_metadata((("x-kind", "echo"),))
        return message


@asynccontextmanager
async def grpc_predictor(
    options: tuple[tuple[str, Any], ...] = (),
    credentials: grpc.ServerCredentials | None = None,
    address: str = "127.0.0.1:0",
    streams: bool = False,
) -> AsyncIterator[GrpcPredictor]:
    predictor = GrpcPredictor()
    server = grpc.aio.server(options=[*_UNLIMITED, *options])
    methods = {"ModelInfer": grpc.unary_unary_rpc_method_handler(predictor.infer)}
    if streams:
        methods["ModelStreamInfer"] = grpc.stream_stream_rpc_method_handler(predictor.stream)
    handler = grpc.method_handlers_generic_handler(SERVICE, methods)
    server.add_generic_rpc_handlers((handler,))
    if credentials is None:
        predictor.port = server.add_insecure_port(address)
    else:
        predictor.port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield predictor
    finally:
        await server.stop(0)
