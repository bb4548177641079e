"""Counts requests by graph and status, what Splitters chose and conditions that could not be
evaluated, times them, and knows how many are in flight. An answer that is a stream counts when that
ends, as what it came to.
"""

from functools import partial
from time import monotonic

from graph.effects import Decision
from router.counters import Counters, Histogram
from router.messages import Cancellable, Handler, Request, Respond, Response
from router.streams import Ended

COUNTED = {  # kinds of decisions
    "Splitter": "graphway_splitter_choices_total",
    "ConditionError": "graphway_condition_errors_total",
}
UNKNOWN = ""  # the graph label of a request that is for no graph


def metrics(inner: Handler, counters: Counters) -> Handler:
    values = counters.values
    codes: dict[tuple[str, int], int] = {}
    graphs: dict[str, tuple[int, Histogram, Histogram]] = {}
    decided: dict[tuple[str, str, str], int] = {}

    def series(graph: str) -> tuple[int, Histogram, Histogram]:
        labels = (("graph", graph),)
        graphs[graph] = found = (
            counters.gauge("graphway_requests_in_flight", labels),
            counters.histogram("graphway_request_duration_seconds", labels),
            counters.histogram("graphway_first_byte_seconds", labels),
        )
        return found

    def count(decision: Decision) -> None:
        key = decision.kind, decision.node, decision.step
        index = decided.get(key)
        if index is None:
            namespace, name, node = decision.node.split("/", 2)
            labels = (("graph", f"{namespace}/{name}"), ("node", node), ("step", decision.step))
            index = decided[key] = counters.counter(COUNTED[decision.kind], labels)
        values[index] += 1

    def over(
        request: Request, response: Response, graph: str, in_flight: int, duration: Histogram
    ) -> None:
        values[in_flight] -= 1
        duration.observe(monotonic() - request.started)
        key = (graph, response.status)
        code = codes.get(key)
        if code is None:
            labels = (("code", str(response.status)), ("graph", graph))
            code = codes[key] = counters.counter("graphway_requests_total", labels)
        values[code] += 1
        for decision in request.decisions:
            if decision.kind in COUNTED:
                count(decision)

    def streamed(request: Request, response: Response, graph: str, end: Ended) -> None:
        assert response.stream is not None
        in_flight, duration, first_byte = graphs[graph]
        began = response.stream.first_at
        if began is not None:
            first_byte.observe(began - request.started)
        over(request, response, graph, in_flight, duration)

    def handle(request: Request, respond: Respond) -> Cancellable:
        graph = UNKNOWN if request.plan is None else request.plan.key
        in_flight, duration, _ = graphs.get(graph) or series(graph)
        values[in_flight] += 1

        def finished(response: Response) -> None:
            if response.stream is None:
                over(request, response, graph, in_flight, duration)
            else:
                response.stream.watch(partial(streamed, request, response, graph))
            respond(response)

        return inner(request, finished)

    return handle
