"""gRPC's status codes, what they are in HTTP, and how a status travels."""

import re
from enum import IntEnum
from urllib.parse import unquote_to_bytes


class Code(IntEnum):
    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class GrpcFault(Exception):
    """A call that ends with this status."""

    def __init__(self, code: Code, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


# google.rpc.Code names these, but for CANCELLED: 499 would mean that our own caller has left.
_HTTP = {
    Code.OK: 200,
    Code.CANCELLED: 500,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}

# The other way there is a choice: the code that says most plainly what the status meant.
_CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    408: Code.DEADLINE_EXCEEDED,
    409: Code.ABORTED,
    412: Code.FAILED_PRECONDITION,
    413: Code.RESOURCE_EXHAUSTED,
    415: Code.INVALID_ARGUMENT,
    416: Code.OUT_OF_RANGE,
    422: Code.INVALID_ARGUMENT,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}

_PLAIN = re.compile(rb"[^ -$&-~]")  # printable ASCII but for the percent sign


def http_status(code: int) -> int:
    """Of an answer with this code; an unknown one is UNKNOWN, as gRPC says."""
    return _HTTP[Code(code)] if 0 <= code <= Code.UNAUTHENTICATED else 500


def code_of(status: int) -> Code:
    """Of an HTTP status that is no success."""
    found = _CODES.get(status)
    if found is None:
        found = Code.INVALID_ARGUMENT if 400 <= status < 500 else Code.UNKNOWN
    return found


def escaped(words: str) -> bytes:
    """For `grpc-message`."""
    return _PLAIN.sub(lambda match: b"%%%02X" % match[0][0], words.encode(errors="replace"))


def unescaped(value: bytes) -> str:
    return unquote_to_bytes(value).decode(errors="replace")
