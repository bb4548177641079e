"""What every request passes through, outermost first."""

from collections.abc import Callable
from functools import partial
from random import Random
from time import monotonic
from typing import cast
from urllib.parse import quote

from graph.caller import Caller
from graph.document import Form
from graph.effects import Decision, Failure, Headers, Input, Outcome, Payload, Reply
from graph.packed import document_of
from graph.walk import walk
from router import failures
from router.about import About
from router.circles import further
from router.config import DataPlaneConfig, Limits
from router.counters import Counters
from router.deadlines import Deadlines
from router.execute import Clock, Run, Upstream
from router.forward import call_service, note_end
from router.inner import InnerGraphs, seed_of
from router.layers.access_log import Record, access_log
from router.layers.deadline import deadline
from router.layers.explain import explain
from router.layers.health import health
from router.layers.metrics import metrics
from router.layers.model_paths import model_paths
from router.layers.request_id import request_id
from router.layers.route import route
from router.messages import (
    CLIENT_CLOSED,
    DONE,
    JSON,
    Cancellable,
    Handler,
    Request,
    Respond,
    Response,
)
from router.outcome import differs, fitted
from router.plans import Plans, below
from router.propagate import Propagate
from router.streams import Gathering, Pipe
from router.traced import TracedUpstream
from router.upgrade import Upgrading
from router.upstream.metered import MeteredUpstream

PARTIAL_BYTES = 1024  # of names; a client's whole head has eight or so times as much
_VISIBLE = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"  # but for % and quotes


def build(
    config: DataPlaneConfig,
    plans: Plans,
    upstream: Upstream,
    bridge: Upstream,
    counters: Counters,
    deadlines: Deadlines,
    record: Record | None,
    random: Random,
    ready: Callable[[], bool],
    about: About,
    inner: InnerGraphs,
    keep: Callable[[bytes], None] = lambda _: None,
) -> Handler:
    """`inner` is given what takes the requests of graphs that graphs call, `keep` gets the record
    of each request that asked to be explained.
    """
    handler = call_service(upstream, random)  # a service counts its calls itself, whoever asks
    handler = run_graph(
        MeteredUpstream(bridge, counters),  # outside: a call that is converted is one call
        Propagate(config.propagate_headers),
        random,
        deadlines.start,
        config.limits.answer_bytes,
        handler,
    )
    handler = deadline(handler, deadlines)  # inside the counting, so that a 504 is counted as one
    if config.explain:
        handler = explain(handler, keep)  # outside the deadline, which may be what there is to tell
    handler = metrics(handler, counters)
    if record is not None:
        handler = access_log(handler, record)  # outside metrics: a line may name what they count
    handler = request_id(handler, random)  # before any line that should carry it
    inner.handler = handler
    # Everybody inside asks which graph it is.
    handler = route(handler, plans, model_paths(about, ready))
    return health(handler, ready)  # first: probes are neither logged nor counted


ANSWER_BYTES = Limits().answer_bytes


class Exchange:
    """A graph at work for one request."""

    __slots__ = ("_limit", "_request", "_respond", "_run")

    def __init__(self, request: Request, respond: Respond, limit: int = ANSWER_BYTES) -> None:
        """`limit`: bytes of an answer that has to be whole."""
        self._request = request
        self._respond = respond
        self._limit = limit
        self._run: Cancellable | None = None

    def start(self, run: Run) -> None:
        self._run = run
        run.advance()

    def done(self, outcome: Outcome) -> None:
        self._run = None
        request = self._request
        if isinstance(outcome, Reply):
            if outcome.stream is not None and _needs_whole(request, outcome):
                self._gather(outcome, cast(Pipe, outcome.stream))
                return
            if differs(request, outcome):
                outcome = fitted(request, outcome)
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
            plan = request.plan
            if plan is not None and plan.partial:
                headers += _partial(request.decisions)
            if outcome.stream is not None:
                stream = cast(Pipe, outcome.stream)
                response = Response(outcome.status, headers, stream=stream)
                stream.watch(partial(note_end, request, response))
                self._respond(response)
                return
            # What a step says of a body that it was not asked for is all that is known of it.
            unknown = request.head.method == b"HEAD" and not document.body
            self._respond(Response(outcome.status, headers, document.body, tells_length=unknown))

    def _gather(self, outcome: Reply, stream: Pipe) -> None:
        def whole(body: bytes | Failure) -> None:
            if isinstance(body, Failure):
                self.done(body)
            else:
                document = document_of(body, outcome.headers)
                self.done(Reply(outcome.status, outcome.headers, document))

        self._run = stream
        stream.start(Gathering(stream, self._limit, whole))

    def cancel(self) -> None:
        run = self._run
        if run is not None:
            self._run = None
            run.cancel()
            self._respond(Response(CLIENT_CLOSED))


def _needs_whole(request: Request, outcome: Reply) -> bool:
    """A caller of gRPC can take a stream of messages only."""
    asked, form = request.document.form, outcome.document.form
    return (asked is Form.MESSAGE and form is not Form.MESSAGE) or differs(request, outcome)


def _partial(decisions: list[Decision]) -> Headers:
    """Which steps of Ensembles the answer is without."""
    names = [made.step for made in decisions if made.kind == "Partial"]
    if not names:
        return ()
    said = quote(", ".join(names), safe=_VISIBLE)
    if len(said) > PARTIAL_BYTES:
        said = said[: PARTIAL_BYTES - 5].rpartition(", ")[0] + ", ..."
    return ((b"x-graphway-partial", said.encode()),)


def run_graph(
    upstream: Upstream,
    propagate: Propagate,
    random: Random,
    clock: Clock,
    answer_limit: int,
    otherwise: Handler,
) -> Handler:
    """Walks the plan, where there is one. Every method and path runs the graph, as in KServe."""
    bits = random.getrandbits
    always = propagate if propagate else None

    def handle(request: Request, respond: Respond) -> Cancellable:
        plan = request.plan
        if plan is None:
            return otherwise(request, respond)
        head = request.head
        rounds = further(head)
        if isinstance(rounds, Failure):
            request.failure = rounds
            respond(failures.response(rounds, plan))
            return DONE
        wanted = propagate.beside(plan.propagated) if plan.propagated else always
        hop = request.hop
        upload = None if head.upgrades else request.upload  # a handshake has no body
        payload = Payload(request.document, () if head.upgrades else head.payload, upload)
        given = Input(
            payload,
            rounds if wanted is None else wanted(head) + rounds,
            bits(64) if hop is None else seed_of(hop),
            request.decisions,
        )
        if plan.needs_caller:
            path = below(head.path)
            given.caller = Caller(head.method, path, head.query, head.headers, request.client)
        calls: Upstream = upstream
        trace = request.trace
        if trace is not None:
            given.trace = trace
            calls = TracedUpstream(upstream, trace.events, lambda: monotonic() - request.started)
        exchange = Exchange(request, respond, answer_limit)
        way = walk(plan, given, hop is None or hop.stream)
        done = exchange.done
        if head.upgrades:
            calls = upgrading = Upgrading(calls, request, done)
            done = upgrading.done
        exchange.start(Run(way, calls, done, clock))
        return exchange

    return handle
