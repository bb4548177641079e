"""Server reflection, in both of its versions, which differ in their names only.

It says what is served here, and gives the descriptions from which tools make messages.
"""

from typing import TYPE_CHECKING

from router.front.grpc_services import HEALTH, INFERENCE, REFLECTION
from router.wire.grpc.fields import BadMessage, number, read, text
from router.wire.grpc.status import Code

if TYPE_CHECKING:
    from router.front.grpc_call import GrpcCall, MakeTalk

# Fields of a request and of a response.
BY_NAME, BY_SYMBOL, BY_EXTENSION, EXTENSIONS_OF, LIST = 3, 4, 5, 6, 7
ASKED, FILE_IS, EXTENSIONS_ARE, SERVICES_ARE, ERROR_IS = 2, 4, 5, 6, 7


def talks_of() -> "dict[bytes, MakeTalk]":
    return {f"/{name}/ServerReflectionInfo".encode(): Reflection for name in REFLECTION}


class Reflection:
    """Each message is a question, and has its answer."""

    __slots__ = ("_call", "_closed")

    def __init__(self, call: "GrpcCall") -> None:
        self._call = call
        self._closed = False

    def message(self, message: bytes) -> None:
        try:
            answer = _answer(message)
        except BadMessage as error:
            self._call.finish(Code.INVALID_ARGUMENT, str(error))
            return
        except ImportError:
            words = "reflection needs protobuf: pip install 'graphway[grpc]'"
            self._call.finish(Code.UNIMPLEMENTED, words)
            return
        self._call.answer(text(ASKED, message) + answer)
        if self._call.waiting:
            self._call.hold()

    def closed(self) -> None:
        self._call.finish(Code.OK)

    def cancel(self) -> None:
        pass

    def leave(self) -> None:
        self._call.finish(Code.UNAVAILABLE, "the router ends")

    def sent(self) -> None:
        self._call.go_on()


def _answer(message: bytes) -> bytes:
    # Few ask, and protobuf is large.
    from router.wire.grpc.descriptors import files, symbols  # noqa: PLC0415

    for field, value in read(message, 16):
        if not isinstance(value, bytes):
            continue
        name = value.decode(errors="replace")
        if field == LIST:
            services = (INFERENCE, HEALTH, *REFLECTION)
            listed = [text(1, text(1, each.encode())) for each in services]
            return text(SERVICES_ARE, b"".join(listed))
        if field in (BY_NAME, BY_SYMBOL):
            file = files().get(name if field == BY_NAME else symbols().get(name, ""))
            if file is None:
                return _error(Code.NOT_FOUND, f"{name} is not known here")
            return text(FILE_IS, text(1, file))
        if field == EXTENSIONS_OF and name in symbols():
            return text(EXTENSIONS_ARE, text(1, value))
        if field in (BY_EXTENSION, EXTENSIONS_OF):
            return _error(Code.NOT_FOUND, "there are no extensions here")
    return _error(Code.INVALID_ARGUMENT, "the message asks nothing")


def _error(code: Code, words: str) -> bytes:
    return text(ERROR_IS, number(1, code) + text(2, words.encode(errors="replace")))
