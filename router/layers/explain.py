"""Tells the caller who asks (`X-Graphway-Explain: true`) which way its request went, and keeps the
whole record for the admin port; of an answer that is a stream, the route so far, and the record at
its end.

Names of steps, and how long they took, are the graph's own business, so it can be switched off.
"""

from collections.abc import Callable
from functools import partial
from time import monotonic, time

from graph.trace import Trace
from router.explained import record, route
from router.messages import CLIENT_CLOSED, Cancellable, Handler, Request, Respond, Response
from router.streams import Ended

ASK = b"x-graphway-explain"
ROUTE = b"x-graphway-route"
REASONS_BYTES = 256 * 1024  # takes 0.3 s at most, in which a worker does nothing else


def explain(inner: Handler, keep: Callable[[bytes], None]) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        asked = request.head.fields.get(ASK)
        if asked is None or asked.lower() != b"true" or request.plan is None:
            return inner(request, respond)
        began = time()
        trace = request.trace = Trace(REASONS_BYTES)

        def finished(response: Response) -> None:
            took_s = monotonic() - request.started
            line = route(trace.events, took_s, request.failure)
            if response.status != CLIENT_CLOSED:
                response.headers = (*response.headers, (ROUTE, line.encode()))
            if response.stream is None:
                keep(record(request, response, began, took_s, line))
            else:
                response.stream.watch(partial(ended, response))
            respond(response)

        def ended(response: Response, _: Ended) -> None:
            took_s = monotonic() - request.started
            line = route(trace.events, took_s, request.failure)
            keep(record(request, response, began, took_s, line))

        return inner(request, finished)

    return handle
