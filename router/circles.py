"""Requests that come back to this router by way of its own ports, again and again.

Graphs that call one another in a circle are refused where their URLs say so (`graph.inner`). But a
router has many names: of the machine, of a cluster, of a model at its own port. So calls to a port
of ours are counted by a header, and one that has come round too often goes no further.
"""

from typing import Final

from graph.effects import Failure, FailureKind, Headers
from graph.inner import MAX_DEPTH
from router.messages import Head

ROUNDS: Final = b"x-graphway-rounds"
_FIRST: Headers = ((ROUNDS, b"1"),)


def outgoing(headers: Headers) -> Headers:
    """Of a call to a port of ours; what came with the count carries the next one already."""
    return headers if any(name == ROUNDS for name, _ in headers) else headers + _FIRST


def further(head: Head) -> Headers | Failure:
    """What the calls of this request carry. Most requests have never been here."""
    rounds = head.fields.get(ROUNDS)
    if rounds is None or not rounds.isdigit():
        return ()
    if len(rounds) > 2 or int(rounds) >= MAX_DEPTH:
        cause = (
            f"graphs call one another in a circle: this request came back to the router {MAX_DEPTH}"
            " times; lead one of their serviceUrls elsewhere"
        )
        return Failure(FailureKind.CIRCLE, cause)
    return ((ROUNDS, b"%d" % (int(rounds) + 1)),)
