"""Messages in the data of a stream: each behind a flag and its length."""

import zlib

from router.wire.grpc.status import Code, GrpcFault

PREFIX_BYTES = 5
SMALL_BYTES = 1024  # pieces below are joined at once: a list of many would cost more than they hold
ENCODINGS = {b"gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
ACCEPTED = b"identity,gzip,deflate"


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


class Messages:
    """Takes data as it comes, gives messages. None may be longer than `limit`, compressed or not.
    Raises GrpcFault; then there is nothing more to be had.
    """

    __slots__ = ("_flag", "_limit", "_missing", "_parts", "_prefix", "encoding")

    def __init__(self, limit: int) -> None:
        self.encoding = b"identity"  # what the peer says of compressed messages
        self._limit = limit
        self._prefix = b""  # of a message whose prefix has not come whole
        self._missing = -1  # of the message begun; -1: none is
        self._flag = 0
        self._parts: list[bytes | bytearray] = []

    @property
    def between(self) -> bool:
        """All that came were whole messages."""
        return self._missing < 0 and not self._prefix

    def feed(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._missing < 0:
                at = self._begin(data, at)
                if self._missing < 0:
                    break
            part = data[at : at + self._missing]
            at += len(part)
            self._missing -= len(part)
            if not self._missing:
                found.append(self._whole(part))
            else:
                self._keep(part)
        return found

    def _begin(self, data: bytes, at: int) -> int:
        start = at + PREFIX_BYTES - len(self._prefix)
        prefix = self._prefix + data[at:start]
        if len(prefix) < PREFIX_BYTES:
            self._prefix = prefix
            return len(data)
        self._prefix = b""
        self._flag = prefix[0]
        length = int.from_bytes(prefix[1:], "big")
        if self._flag > 1:
            raise GrpcFault(Code.INTERNAL, "a message begins with an unknown flag")
        if length > self._limit:
            raise GrpcFault(
                Code.RESOURCE_EXHAUSTED,
                f"a message of {length} bytes, where {self._limit} are allowed",
            )
        self._missing = length
        return start

    def _keep(self, part: bytes) -> None:
        parts = self._parts
        if len(part) >= SMALL_BYTES:
            parts.append(part)
        elif parts and isinstance(parts[-1], bytearray):
            parts[-1] += part
        else:
            parts.append(bytearray(part))

    def _whole(self, last: bytes) -> bytes:
        if self._parts:
            self._parts.append(last)
            last = b"".join(self._parts)
            self._parts.clear()
        self._missing = -1
        return self._unpacked(last) if self._flag else last

    def _unpacked(self, packed: bytes) -> bytes:
        window = ENCODINGS.get(self.encoding)
        if window is None:
            raise GrpcFault(Code.UNIMPLEMENTED, "a message in a coding that we do not know")
        unpacker = zlib.decompressobj(window)
        try:
            message = unpacker.decompress(packed, self._limit + 1)
        except zlib.error:
            raise GrpcFault(Code.INTERNAL, "a compressed message is damaged") from None
        if len(message) > self._limit:
            raise GrpcFault(
                Code.RESOURCE_EXHAUSTED, f"a message of more than {self._limit} bytes, unpacked"
            )
        if not unpacker.eof or unpacker.unused_data:
            raise GrpcFault(Code.INTERNAL, "a compressed message is damaged")
        return message
