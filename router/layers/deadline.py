"""Ends a request that takes too long: every call of it is cancelled, the caller gets 504.

The graph's own limit (the shorter of `routerTimeouts.serverWrite`, here the time until the answer
begins, and `timeout`) the caller's X-Graphway-Timeout-Ms, and gRPC's own timeout: the
shortest counts.
"""

import re

from graph.effects import Failure, FailureKind
from router import failures
from router.deadlines import Deadline, Deadlines
from router.messages import DONE, Cancellable, Handler, Request, Respond, Response

_MILLISECONDS = re.compile(rb"0*[1-9][0-9]{0,8}")


def deadline(inner: Handler, deadlines: Deadlines) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        plan = request.plan
        limit = None if plan is None else plan.timeouts.answer_s
        asked = request.head.fields.get(b"x-graphway-timeout-ms")
        if asked is not None:
            if not _MILLISECONDS.fullmatch(asked):
                cause = "X-Graphway-Timeout-Ms must be a whole number of milliseconds above 0"
                respond(failures.error(400, cause))
                return DONE
            limit = min(int(asked) / 1000, limit or float("inf"))
        if request.timeout_s is not None:
            limit = min(request.timeout_s, limit or float("inf"))
        if limit is None:
            return inner(request, respond)
        limited = _Limited(request, respond)
        deadlines.queue(limit).add(limited, request.started)
        exchange = inner(request, limited.finished)
        if limited.exchange is None:
            limited.exchange = exchange
        return exchange

    return handle


class _Limited(Deadline):
    """A request that runs under a limit."""

    __slots__ = ("_request", "_respond", "exchange")

    def __init__(self, request: Request, respond: Respond) -> None:
        self._request = request
        self._respond = respond
        self.exchange: Cancellable | None = None

    def finished(self, response: Response) -> None:
        self.met()
        self.exchange = DONE  # else the two would hold each other
        self._respond(response)

    def expired(self) -> None:
        request, exchange, respond = self._request, self.exchange, self._respond
        assert exchange is not None
        self._respond = _ignore  # what the cancelled exchange says no longer counts
        exchange.cancel()
        failure = Failure(FailureKind.DEADLINE, f"no answer within {self.queue.limit_s:g} s")
        request.failure = failure
        respond(failures.response(failure, request.plan))


def _ignore(response: Response) -> None:
    pass
