"""Ends a request that takes too long: every call of it is cancelled, the caller gets 504.

Two limits: until the answer begins (`routerTimeouts.serverWrite`; where the request's body is a
stream, from its end), and of the whole request (the shortest of `timeout` of the graph, the
caller's X-Graphway-Timeout-Ms and gRPC's own timeout). An answer that has begun when its time is up
breaks off.
"""

import re

from graph.effects import Failure, FailureKind
from router import failures
from router.deadlines import Deadline, Deadlines
from router.messages import DONE, Cancellable, Handler, Request, Respond, Response
from router.streams import Ended, Pipe

_MILLISECONDS = re.compile(rb"0*[1-9][0-9]{0,8}")


def deadline(inner: Handler, deadlines: Deadlines) -> Handler:
    def handle(request: Request, respond: Respond) -> Cancellable:
        plan = request.plan
        begin_s: float | None = None
        whole_s: float | None = None
        if plan is not None:
            begin_s = plan.timeouts.answer_s
            whole_s = plan.timeouts.whole_s
        asked = request.head.fields.get(b"x-graphway-timeout-ms")
        if asked is not None:
            if not _MILLISECONDS.fullmatch(asked):
                cause = "X-Graphway-Timeout-Ms must be a whole number of milliseconds above 0"
                respond(failures.error(400, cause))
                return DONE
            whole_s = min(int(asked) / 1000, whole_s or float("inf"))
        if request.timeout_s is not None:
            whole_s = min(request.timeout_s, whole_s or float("inf"))
        if begin_s is None and whole_s is None:
            return inner(request, respond)
        limited = _Limited(request, respond)
        if begin_s is None or (whole_s is not None and whole_s <= begin_s):
            assert whole_s is not None
            limited.covers_stream = True
            deadlines.queue(whole_s).add(limited, request.started)
        else:
            if whole_s is not None:
                limited.whole = _Whole(limited)
                deadlines.queue(whole_s).add(limited.whole, request.started)
            limited.queue = deadlines.queue(begin_s)
            if request.upload is None or request.head.upgrades:
                limited.queue.add(limited, request.started)
            else:
                request.upload.watch(limited.uploaded)
        exchange = inner(request, limited.finished)
        if limited.exchange is None:
            limited.exchange = exchange
        return exchange

    return handle


class _Limited(Deadline):
    """A request that runs under a limit: of the whole, or until its answer begins."""

    __slots__ = ("_request", "_respond", "_stream", "covers_stream", "exchange", "whole")

    def __init__(self, request: Request, respond: Respond) -> None:
        self._request = request
        self._respond = respond
        self._stream: Pipe | None = None
        self.exchange: Cancellable | None = None
        self.covers_stream = False  # the limit is of the whole
        self.whole: _Whole | None = None  # a second, longer limit

    def uploaded(self, end: Ended) -> None:
        """Only now can one wait for the answer."""
        if self.exchange is not DONE:
            self.queue.start(self)

    def finished(self, response: Response) -> None:
        self.exchange = DONE  # else the two would hold each other
        stream = response.stream
        if stream is None or response.status == 101:  # a WebSocket lasts as long as it likes
            self.met()
            if self.whole is not None:
                self.whole.over()
        elif self.covers_stream:
            self._stream = stream
            stream.watch(self._streamed)
        else:
            self.met()
            if self.whole is not None:
                self._stream = stream
                stream.watch(self._streamed)
        self._respond(response)

    def expired(self) -> None:
        self.end(self.queue.limit_s)

    def end(self, limit_s: float) -> None:
        request, exchange, respond, stream = (
            self._request, self.exchange, self._respond, self._stream,
        )  # fmt: skip
        assert exchange is not None
        if stream is not None:
            cause = f"not all of the answer within {limit_s:g} s"
            stream.fail(Failure(FailureKind.DEADLINE, cause))
            return
        self._respond = _ignore  # what the cancelled exchange says no longer counts
        exchange.cancel()
        failure = Failure(FailureKind.DEADLINE, f"no answer within {limit_s:g} s")
        request.failure = failure
        respond(failures.response(failure, request.plan))

    def _streamed(self, end: Ended) -> None:
        self._stream = None
        self.met()
        if self.whole is not None:
            self.whole.over()


class _Whole(Deadline):
    """The limit of a whole request whose answer must begin earlier."""

    __slots__ = ("_limited",)

    def __init__(self, limited: _Limited) -> None:
        self._limited: _Limited | None = limited

    def expired(self) -> None:
        limited, self._limited = self._limited, None
        assert limited is not None
        limited.end(self.queue.limit_s)

    def over(self) -> None:
        self.met()
        self._limited = None  # the two lead to each other


def _ignore(response: Response) -> None:
    pass
