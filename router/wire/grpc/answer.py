"""What a server says before and behind its messages."""

from graph.effects import Headers
from router.wire.grpc.metadata import Malformed, legal, split
from router.wire.grpc.status import Code, unescaped
from router.wire.http2.hpack import Fields

_STATUS = frozenset({b":status"})
_NONE: frozenset[bytes] = frozenset()


class AnswerHead:
    """Of one answer, and its trailers too where there is nothing else (`ends`)."""

    __slots__ = ("encoding", "ends", "is_grpc", "metadata", "status")

    def __init__(self, headers: Headers) -> None:
        pseudo, rest = split(headers, _STATUS)
        status = pseudo.get(b":status", b"")
        if len(status) != 3 or not status.isdigit():
            raise Malformed("an answer without a status")
        fields = dict(rest)
        self.status = int(status)
        self.is_grpc = fields.get(b"content-type", b"").startswith(b"application/grpc")
        self.encoding = fields.get(b"grpc-encoding", b"identity")
        self.metadata = legal(rest)
        self.ends = _ending(fields)


class Ending:
    """How a call ended."""

    __slots__ = ("code", "escaped", "words")

    def __init__(self, code: int, escaped: bytes) -> None:
        self.code = code
        self.escaped = escaped
        self.words = unescaped(escaped)


def read_head(fields: Fields) -> AnswerHead:
    """Raises Malformed."""
    found = fields.meaning
    if not isinstance(found, AnswerHead):
        found = fields.meaning = AnswerHead(fields.headers)
    return found


def read_trailers(fields: Fields) -> Ending:
    """Raises Malformed."""
    found = fields.meaning
    if not isinstance(found, Ending):
        ending = _ending(dict(split(fields.headers, _NONE)[1]))
        found = ending or Ending(Code.UNKNOWN, b"the server did not say how the call ended")
        fields.meaning = found
    return found


def _ending(fields: dict[bytes, bytes]) -> Ending | None:
    code = fields.get(b"grpc-status")
    if code is None:
        return None
    if code.isdigit() and len(code) <= 3:
        return Ending(int(code), fields.get(b"grpc-message", b""))
    return Ending(Code.UNKNOWN, b"the server ended the call with a grpc-status that is none")
