"""What gRPC clients ask beside inference: liveness, readiness and metadata of server and models,
and the health service that balancers and kubelets use.

About server and models the same layers answer as for REST: a question is a GET of the path that
asks the same. Here it is only put and translated; the messages are so small that they are written
by hand, and a worker does without protobuf.
"""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from graph.document import Document
from router.front.grpc_infer import words_of
from router.messages import CLIENT_CLOSED, Cancellable, Head, Request, Response
from router.wire.grpc.fields import BadMessage, field_of, number, text, varint
from router.wire.grpc.status import Code, code_of

if TYPE_CHECKING:
    from router.front.grpc import GrpcFront
    from router.front.grpc_call import GrpcCall, MakeTalk

INFERENCE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
_NAMES = frozenset({"", INFERENCE, HEALTH, *REFLECTION})
_YES = number(1, 1)

# A message that asks -> the path that asks the same, and its answer as a message.
Ask = Callable[[bytes], str]
Tell = Callable[[Response], bytes]


def talks_of(front: "GrpcFront") -> "dict[bytes, MakeTalk]":
    """By the path of the method."""
    inference, health = f"/{INFERENCE}/", f"/{HEALTH}/"
    questions: dict[str, tuple[Ask, Tell]] = {
        "ServerLive": (lambda _: "/v2/health/live", _ready),
        "ServerReady": (lambda _: "/v2/health/ready", _ready),
        "ServerMetadata": (lambda _: "/v2", _server),
        "ModelReady": (lambda message: f"/v2/models/{_named(message)}/ready", _ready),
        "ModelMetadata": (lambda message: f"/v2/models/{_named(message)}", _model),
    }
    return {
        **{
            (inference + name).encode(): partial(Question, front, *question)
            for name, question in questions.items()
        },
        (health + "Check").encode(): partial(Question, front, _checked, _status),
        (health + "Watch").encode(): partial(Watch, front),
    }


class Question:
    """One message, answered by the layers as a GET."""

    __slots__ = ("_ask", "_call", "_exchange", "_front", "_message", "_over", "_tell")

    def __init__(self, front: "GrpcFront", ask: Ask, tell: Tell, call: "GrpcCall") -> None:
        self._front = front
        self._ask = ask
        self._tell = tell
        self._call = call
        self._message = b""
        self._exchange: Cancellable | None = None
        self._over = False

    def message(self, message: bytes) -> None:
        self._message = message

    def closed(self) -> None:
        try:
            path = self._ask(self._message)
        except BadMessage as error:
            self._call.finish(Code.INVALID_ARGUMENT, str(error))
            return
        except KeyError:
            self._call.finish(Code.NOT_FOUND, "no such service is served here")
            return
        exchange = self._front.handler(asking(self._call, path), self._respond)
        if not self._over:
            self._exchange = exchange

    def cancel(self) -> None:
        self._over = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    def leave(self) -> None:
        pass

    def sent(self) -> None:
        pass

    def _respond(self, response: Response) -> None:
        over, self._over = self._over, True
        self._exchange = None
        if over or response.status == CLIENT_CLOSED:
            return
        if response.status in (200, 503):
            self._call.reply(self._tell(response))
        else:
            self._call.finish(code_of(response.status), words_of(response.body))


class Watch:
    """The state of a service, now and whenever it changes, for as long as the client listens."""

    __slots__ = ("_call", "_front", "_known")

    def __init__(self, front: "GrpcFront", call: "GrpcCall") -> None:
        self._front = front
        self._call = call
        self._known = True

    def message(self, message: bytes) -> None:
        try:
            _checked(message)
        except BadMessage as error:
            self._call.finish(Code.INVALID_ARGUMENT, str(error))
            return
        except KeyError:
            self._known = False
        self._front.watchers.add(self._tell)
        self._tell()

    def closed(self) -> None:
        pass

    def cancel(self) -> None:
        self._front.watchers.discard(self._tell)

    def leave(self) -> None:
        self.cancel()
        self._call.finish(Code.UNAVAILABLE, "the router ends")

    def sent(self) -> None:
        pass

    def _tell(self) -> None:
        if not self._known:
            state = SERVICE_UNKNOWN
        else:
            state = NOT_SERVING if self._front.leaving else SERVING
        self._call.answer(number(1, state))


def asking(call: "GrpcCall", path: str) -> Request:
    head = call.head
    assert head is not None
    host = head.head.fields.get(b"host", b"")
    request = Request(Head(b"GET", path.encode(), b"", ((b"host", host),)), Document(b""))
    request.started = monotonic()
    request.client = call.client
    return request


def _named(message: bytes) -> str:
    return quote(field_of(message, 1), safe="/")


def _checked(message: bytes) -> str:
    """Where to ask for this service; KeyError if there is none."""
    name = field_of(message, 1).decode(errors="replace")
    if name not in _NAMES:
        raise KeyError(name)
    return "/readyz"


def _ready(response: Response) -> bytes:
    return _YES if response.status == 200 else b""


def _status(response: Response) -> bytes:
    return number(1, SERVING if response.status == 200 else NOT_SERVING)


def _server(response: Response) -> bytes:
    said = msgspec.json.decode(response.body)
    parts = [_text(1, said["name"]), _text(2, said["version"])]
    return b"".join([*parts, *(_text(3, each) for each in said["extensions"])])


def _model(response: Response) -> bytes:
    said = msgspec.json.decode(response.body)
    return b"".join(
        [
            _text(1, said.get("name")),
            *(_text(2, each) for each in said.get("versions") or ()),
            _text(3, said.get("platform")),
            *(text(4, _tensor(each)) for each in said.get("inputs") or ()),
            *(text(5, _tensor(each)) for each in said.get("outputs") or ()),
        ]
    )


def _tensor(said: dict[str, Any]) -> bytes:
    shape = b"".join([varint(size & (1 << 64) - 1) for size in said.get("shape") or ()])
    return _text(1, said.get("name")) + _text(2, said.get("datatype")) + text(3, shape)


def _text(field: int, value: object) -> bytes:
    return text(field, str(value or "").encode(errors="replace"))
