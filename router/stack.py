"""What every request passes through, outermost first."""

from collections.abc import Callable
from random import Random

from graph.caller import Caller
from graph.effects import Failure, Input, Outcome, Payload
from graph.walk import walk
from router import failures
from router.config import DataPlaneConfig
from router.counters import Counters
from router.deadlines import Deadlines
from router.execute import Clock, Run, Upstream
from router.forward import call_service
from router.layers.access_log import Record, access_log
from router.layers.deadline import deadline
from router.layers.health import health
from router.layers.metrics import metrics
from router.layers.request_id import request_id
from router.layers.route import route
from router.messages import (
    CLIENT_CLOSED,
    JSON,
    Cancellable,
    Handler,
    Request,
    Respond,
    Response,
)
from router.plans import Plans, below
from router.propagate import Propagate
from router.upstream.metered import MeteredUpstream


def build(
    config: DataPlaneConfig,
    plans: Plans,
    upstream: Upstream,
    counters: Counters,
    deadlines: Deadlines,
    record: Record | None,
    random: Random,
    ready: Callable[[], bool],
) -> Handler:
    handler = call_service(upstream, random)  # a service counts its calls itself, whoever asks
    handler = run_graph(
        MeteredUpstream(upstream, counters),
        Propagate(config.propagate_headers),
        random,
        deadlines.start,
        handler,
    )
    handler = deadline(handler, deadlines)  # inside the counting, so that a 504 is counted as one
    handler = metrics(handler, counters)
    if record is not None:
        handler = access_log(handler, record)  # outside metrics: a line may name what they count
    handler = request_id(handler, random)  # before any line that should carry it
    handler = route(handler, plans)  # everybody inside asks which graph it is
    return health(handler, ready)  # first: probes are neither logged nor counted


class Exchange:
    """A graph at work for one request."""

    __slots__ = ("_request", "_respond", "_run")

    def __init__(self, request: Request, respond: Respond) -> None:
        self._request = request
        self._respond = respond
        self._run: Run | None = None

    def start(self, run: Run) -> None:
        self._run = run
        run.advance()

    def done(self, outcome: Outcome) -> None:
        self._run = None
        request = self._request
        if isinstance(outcome, Failure):
            request.failure = outcome
            self._respond(failures.response(outcome, request.plan))
        else:
            document = outcome.document
            headers = outcome.headers
            if not headers and document.body and document.valid:
                headers = (
                    JSON  # a predictor that names no type: KServe's router calls JSON by its name
                )
            # What a step says of a body that it was not asked for is all that is known of it.
            unknown = request.head.method == b"HEAD" and not document.body
            self._respond(Response(outcome.status, headers, document.body, tells_length=unknown))

    def cancel(self) -> None:
        run = self._run
        if run is not None:
            self._run = None
            run.cancel()
            self._respond(Response(CLIENT_CLOSED))


def run_graph(
    upstream: Upstream, propagate: Propagate, random: Random, clock: Clock, otherwise: Handler
) -> Handler:
    """Walks the plan, where there is one. Every method and path runs the graph, as in KServe."""
    bits = random.getrandbits

    def handle(request: Request, respond: Respond) -> Cancellable:
        plan = request.plan
        if plan is None:
            return otherwise(request, respond)
        head = request.head
        wanted = propagate.beside(plan.propagated) if plan.propagated else propagate
        given = Input(
            Payload(request.document, head.payload),
            wanted(head) if wanted else (),
            bits(64),
            request.decisions,
        )
        if plan.needs_caller:
            path = below(head.path)
            given.caller = Caller(head.method, path, head.query, head.headers, request.client)
        exchange = Exchange(request, respond)
        exchange.start(Run(walk(plan, given), upstream, exchange.done, clock))
        return exchange

    return handle
