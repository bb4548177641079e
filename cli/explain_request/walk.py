"""One request through a graph and the graphs that it calls, with scripted answers -> its record."""

from collections.abc import Mapping

from cli.explain_request.answers import Answers
from graph.caller import Caller
from graph.effects import Answer, Call, Headers, Input, Outcome, Payload, Reply
from graph.packed import document_of
from graph.plan import Plan
from graph.trace import Trace
from router.dry_run import Inner, Scripted, dry_run
from router.explained import Json, asked, body, headers, route, told
from router.inner import seed_of
from router.messages import Head, Request, Response
from router.propagate import Propagate
from router.stack import Exchange

CLIENT = "127.0.0.1"
_DESCRIBING = frozenset({b"content-type", b"content-encoding", b"inference-header-content-length"})


class Walker:
    """`inner`: the graphs that are called, by URL; `addresses`: URLs of services, by target."""

    def __init__(
        self,
        answers: Answers,
        inner: Mapping[str, Plan],
        addresses: Mapping[str, str],
        propagate: Propagate,
    ) -> None:
        self._answers = answers
        self._inner = inner
        self._addresses = addresses
        self._propagate = propagate

    def record(self, plan: Plan, request: Request, seed: int) -> Json:
        """All that happens to a request, as `router.explained` tells it."""
        trace = Trace()
        request.plan = plan
        given = self._given(plan, request, seed)
        given.trace = trace
        outcome, took_s = dry_run(plan, given, self._script)
        answered = _outcome(outcome, request)
        head = request.head
        path = head.path + (b"?" + head.query if head.query else b"")
        return {
            "graph": plan.key,
            "revision": plan.revision,
            "seed": seed,
            "request": {
                "method": head.method.decode(),
                "path": path.decode(),
                "headers": headers((*head.payload, *_beside(head))),
                "body": body(request.document.body),
            },
            "events": [self._marked(event) for event in told(trace.events, self._addresses)],
            "outcome": answered,
            "took_ms": round(took_s * 1000, 3),
            "route": route(trace.events, took_s, request.failure),
        }

    def _given(self, plan: Plan, request: Request, seed: int) -> Input:
        head = request.head
        return Input(
            Payload(request.document, head.payload),
            self._propagate.beside(plan.propagated)(head),
            seed % 2**64,
            request.decisions,
            caller=Caller(head.method, head.path, head.query, head.headers, CLIENT),
            steps={} if plan.records else None,
        )

    def _script(self, call: Call) -> Scripted | Inner:
        plan = self._inner.get(call.target.name)
        if plan is None or call.address in self._answers:
            return self._answers(call)
        method, url = asked(call, {})
        path, _, query = url.partition("://")[2].partition("?")
        below = "/" + path.partition("/")[2]
        head = Head(method.encode(), below.encode(), query.encode(), call.headers)
        request = Request(head, document_of(call.body, call.headers))
        request.plan = plan

        def answered(outcome: Outcome) -> Answer:
            answer = _answer(outcome, request)
            passed = tuple(pair for pair in answer.headers if pair[0] in _DESCRIBING)
            return Reply(answer.status, passed, document_of(answer.body, passed))

        return Inner(plan, self._given(plan, request, seed_of(call)), answered)

    def _marked(self, event: Json) -> Json:
        if event["event"] == "call" and event["step"] in self._answers.assumed:
            return {**event, "assumed": True}
        return event


def _beside(head: Head) -> Headers:
    describing = {name for name, _ in head.payload}
    return tuple(pair for pair in head.headers if pair[0] not in describing)


def _answer(outcome: Outcome, request: Request) -> Response:
    """As the router would answer."""
    answers: list[Response] = []
    Exchange(request, answers.append, limit=0).done(outcome)  # nothing is a stream here
    (answer,) = answers
    return answer


def _outcome(outcome: Outcome, request: Request) -> Json:
    answer = _answer(outcome, request)
    said: Json = {
        "status": answer.status,
        "headers": headers(answer.headers),
        "body": body(answer.body),
    }
    if request.failure is not None:
        said["failure"] = request.failure.kind.value
        said["at"] = request.failure.address
    return said
