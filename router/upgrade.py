"""WebSockets: a handshake finds its one target as a request does, then both sides are joined.

The handshake is a GET without a body that walks the plan: conditions on headers, path and query,
weights and services choose as ever. It cannot be asked twice nor merged, so the call that it
becomes must be the outcome of the walk; anything else is refused before it is sent. What follows a
101 is `router.streams`' business, in both directions, and nobody looks into it.
"""

import asyncio
from collections.abc import Callable

from graph.effects import Answer, Call, Failure, FailureKind, Forward, Headers, Outcome
from router.execute import Upstream
from router.messages import Cancellable, Head, Request

_CAUSE = "a WebSocket needs one target: the answer of this step is not that of the graph"
_NO_BODY = "a WebSocket has no body for this step's data or mapPredictionsToInstances"
_HOP: Headers = ((b"connection", b"upgrade"), (b"upgrade", b"websocket"))
_ITS_OWN = b"sec-websocket-"
_ALSO = frozenset({b"origin"})


class Upgrading:
    """The Upstream of one handshake, and what becomes of its walk."""

    def __init__(self, inner: Upstream, request: Request, done: Callable[[Outcome], None]) -> None:
        self._inner = inner
        self._request = request
        self._done = done
        self._refused: Failure | None = None

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        cause = "" if call.stream else _CAUSE
        if call.body or call.adapt:
            cause = _NO_BODY
        if cause:
            failure = self._refused = Failure(FailureKind.BAD_REQUEST, cause, call.address)
            return asyncio.get_running_loop().call_soon(deliver, failure)
        as_handshake(call, self._request)
        return self._inner.start(call, deliver)

    def done(self, outcome: Outcome) -> None:
        """A refusal is the outcome, whatever an Ensemble or a soft step made of it."""
        self._done(self._refused or outcome)


def as_handshake(call: Call, request: Request) -> None:
    there = {name for name, _ in call.headers}
    own = tuple([pair for pair in _own(request.head) if pair[0] not in there])
    call.headers = (*call.headers, *own, *_HOP)
    call.forward = call.forward or Forward(b"GET", b"")
    call.upload = request.upload
    call.upgrade = True


def _own(head: Head) -> Headers:
    return tuple(
        [pair for pair in head.headers if pair[0].startswith(_ITS_OWN) or pair[0] in _ALSO]
    )
