"""Headers that never travel on: of one connection (RFC 9110 section 7.6.1), or written anew."""

from graph.effects import Headers

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# The front writes these into every answer.
OF_THE_FRONT = (b"date", b"x-request-id", b"x-graphway-revision", b"x-graphway-route")


def end_to_end(headers: Headers, *ours: bytes) -> Headers:
    """What goes on to the next hop; `ours` are names that whoever sends it writes anew."""
    dropped = HOP_BY_HOP.union(ours, named(headers))
    return tuple([pair for pair in headers if pair[0] not in dropped])


def named(headers: Headers) -> set[bytes]:
    """What Connection itself names as belonging to this hop."""
    return {
        option.strip().lower()
        for name, value in headers
        if name == b"connection"
        for option in value.split(b",")
    }
