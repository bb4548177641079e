"""Ends a request that takes too long: every call of it is cancelled, the caller gets 504.

The graph's own limit (the shorter of `routerTimeouts.serverWrite`, here the time until the answer
begins, and `timeout`) and the caller's X-Graphway-Timeout-Ms: the shorter counts.
"""

import re

from graph.effects import Failure, FailureKind
from router import failures
from router.deadlines import Deadlines
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
        if limit is None:
            return inner(request, respond)
        late = False

        def finished(response: Response) -> None:
            running.cancel()
            if late:
                failure = Failure(FailureKind.DEADLINE, f"no answer within {limit:g} s")
                request.failure = failure
                response = failures.response(failure, plan)
            respond(response)

        def expired() -> None:
            nonlocal late
            late = True
            exchange.cancel()

        running = deadlines.start(limit, expired)
        exchange = inner(request, finished)
        return exchange

    return handle
