"""Headers of a call: what HTTP/2 and gRPC reserve, and what users send along."""

import re

from graph.effects import Headers

# A header's name and value as HTTP/2 allows them (RFC 9113 section 8.2.1, in lower case).
_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(rb"(?:[^\x00-\x20\x7f](?:[^\x00\r\n]*[^\x00-\x20\x7f])?)?")
# What gRPC allows of them in metadata.
_KEY = re.compile(rb"[a-z0-9_.-]+")
_TEXT = re.compile(rb"[ -~]*")

OF_CONNECTIONS = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
# Said anew on each hop, or about a body that is framed otherwise.
_OURS = OF_CONNECTIONS | {
    *(b"accept-encoding", b"content-encoding", b"content-length", b"content-type", b"expect"),
    *(b"host", b"inference-header-content-length", b"te", b"trailer", b"user-agent"),
}


# What describes the message of a caller who takes several answers to it: it goes along for as long
# as the message does, so whoever calls the last step knows.
ASKED_TO_STREAM = (b"content-type", b"application/grpc;stream")


class Malformed(Exception):
    """Fields that are no message of HTTP/2: the stream is reset."""


def split(headers: Headers, known: frozenset[bytes]) -> tuple[dict[bytes, bytes], Headers]:
    """The pseudo-headers, all of them `known` and given once, and the others."""
    pseudo: dict[bytes, bytes] = {}
    for count, (name, value) in enumerate(headers):
        if name[:1] != b":":
            rest = headers[count:]
            break
        if name in pseudo or name not in known or not _VALUE.fullmatch(value):
            raise Malformed(f"a wrong pseudo-header: {name!r}")
        pseudo[name] = value
    else:
        rest = ()
    for name, value in rest:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name in OF_CONNECTIONS:
            raise Malformed(f"a wrong header: {name.decode('latin-1')!r}")
        if name == b"te" and value != b"trailers":
            raise Malformed("a TE header that is not `trailers`")
    return pseudo, rest


def legal(headers: Headers) -> Headers:
    """Those that may travel as metadata of a call."""
    return tuple(
        [
            (name, value)
            for name, value in headers
            if name not in _OURS
            and not name.startswith(b"grpc-")
            and _KEY.fullmatch(name)
            and _TEXT.fullmatch(value)
        ]
    )
