"""What a caller says before its messages."""

from graph.effects import Headers
from router.messages import Head
from router.wire.grpc import timeouts
from router.wire.grpc.framing import ENCODINGS
from router.wire.grpc.metadata import ASKED_TO_STREAM, Malformed, split
from router.wire.grpc.status import Code, GrpcFault
from router.wire.http2.hpack import Fields

STREAM_INFER = b"/inference.GRPCInferenceService/ModelStreamInfer"
_PSEUDO = frozenset({b":authority", b":method", b":path", b":scheme"})
# Of the call and not of the request: nobody behind the front is to see them.
_OF_THE_CALL = frozenset(
    {b"content-length", b"grpc-accept-encoding", b"grpc-encoding", b"grpc-timeout", b"te"}
)


class CallHead:
    """Shared by equal calls, so nobody changes one. `fault`: how the call ends at once; `status`:
    the HTTP status for who does not speak gRPC at all.
    """

    __slots__ = ("encoding", "fault", "head", "status", "timeout_s")

    def __init__(self, headers: Headers) -> None:
        pseudo, rest = split(headers, _PSEUDO)
        if not pseudo.keys() >= {b":method", b":path", b":scheme"} or not pseudo[b":path"]:
            raise Malformed("a request without method, scheme or path")
        fields = dict(rest)
        host = pseudo.get(b":authority") or fields.get(b"host", b"")
        kept = [pair for pair in rest if pair[0] not in _OF_THE_CALL and pair[0] != b"host"]
        path, _, query = pseudo[b":path"].partition(b"?")
        if path == STREAM_INFER:
            kept = [*(pair for pair in kept if pair[0] != b"content-type"), ASKED_TO_STREAM]
        self.head = Head(pseudo[b":method"], path, query, ((b"host", host), *kept))
        self.encoding = fields.get(b"grpc-encoding", b"identity")
        self.timeout_s: float | None = None
        self.status = 200
        self.fault: GrpcFault | None = None
        if self.head.method != b"POST":
            self.status = 405
        elif not _is_grpc(fields.get(b"content-type", b"")):
            self.status = 415
        elif self.encoding != b"identity" and self.encoding not in ENCODINGS:
            self.fault = GrpcFault(Code.UNIMPLEMENTED, "a coding of messages that is not known")
        timeout = fields.get(b"grpc-timeout")
        if timeout is not None:
            seconds = timeouts.read(timeout)
            if seconds is None:
                self.fault = GrpcFault(Code.INVALID_ARGUMENT, "grpc-timeout is no timeout")
            else:
                self.timeout_s = timeouts.coarse(seconds)


def _is_grpc(kind: bytes) -> bool:
    return kind == b"application/grpc" or kind.startswith(
        (b"application/grpc+", b"application/grpc;")
    )


def read_call(fields: Fields) -> CallHead:
    """Raises Malformed."""
    found = fields.meaning
    if not isinstance(found, CallHead):
        found = fields.meaning = CallHead(fields.headers)
    return found
