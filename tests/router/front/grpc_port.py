"""A gRPC port for tests: a front on a free port, whose handler a test scripts."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from router.config import Limits
from router.front.grpc import GrpcFront
from router.messages import CLIENT_CLOSED, DONE, Cancellable, Request, Respond, Response
from router.wire.refused import Refused

GRPC = ((b"content-type", b"application/grpc"),)
INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class Slow:
    """A request that is answered only if it is cancelled."""

    def __init__(self, port: "GrpcPort", respond: Respond) -> None:
        self._port = port
        self._respond = respond

    def cancel(self) -> None:
        self._port.cancelled += 1
        self._respond(Response(CLIENT_CLOSED))


class GrpcPort:
    """Answers messages with themselves, as long as the test says nothing else."""

    def __init__(self, limits: Limits | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.cancelled = 0
        self.refused: list[str] = []
        self.answer: Callable[[Request], Response | None] = lambda request: Response(
            200, GRPC, request.document.body
        )
        loop = asyncio.get_running_loop()
        self.front = GrpcFront(self._handle, limits or Limits(), self._note, loop, tls)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.number: int = self.socket.getsockname()[1]
        self.front.listen([self.socket])

    def _handle(self, request: Request, respond: Respond) -> Cancellable:
        self.requests.append(request)
        request.request_id = b"id-%d" % len(self.requests)
        response = self.answer(request)
        if response is None:
            return Slow(self, respond)
        respond(response)
        return DONE

    def _note(self, fault: Refused, client: str) -> None:
        self.refused.append(fault.cause)

    def close(self) -> None:
        self.front.close()
        self.socket.close()


@asynccontextmanager
async def grpc_port(
    limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[GrpcPort]:
    port = GrpcPort(limits, tls)
    try:
        yield port
    finally:
        port.close()


@asynccontextmanager
async def channel_to(
    port: int, credentials: grpc.ChannelCredentials | None = None, **options: Any
) -> AsyncIterator[grpc.aio.Channel]:
    given = [*UNLIMITED, *((f"grpc.{name}", value) for name, value in options.items())]
    if credentials is None:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=given)
    else:
        channel = grpc.aio.secure_channel(f"localhost:{port}", credentials, options=given)
    async with channel:
        yield channel
