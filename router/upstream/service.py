"""A service of the endpoint table: which revision and replica a call goes to, and calls that wait
for the first replica.

A request's draw decides the revision, within it the replica with the fewest calls is asked. A call
that was never sent (its replica did not accept a connection) goes to another replica, or waits; one
of which a byte was sent stays where it is. Nothing here knows sockets.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import monotonic
from typing import cast

from graph.choose import choose, cumulate, point, salt
from graph.effects import Answer, Call, Failure, FailureKind, Reply
from router.config import EndpointSource, UpstreamConfig
from router.counters import Counters
from router.deadlines import Deadlines, Timer
from router.messages import Cancellable
from router.series import SERVICE_DURATION, SERVICE_HELD, SERVICE_IN_FLIGHT, SERVICE_REQUESTS
from router.streams import End, Ended, Pipe, code_of
from router.upstream.replica import Replica, Round, Tried


class Revision(Round):
    """One of a service, with its figures."""

    __slots__ = (
        "_codes",
        "_counters",
        "_labels",
        "duration",
        "held",
        "in_flight",
        "name",
        "path",
        "waiting",
    )

    def __init__(self, service: str, name: str, counters: Counters) -> None:
        super().__init__()
        self.name = name
        self.path = b"/"
        self.waiting = 0
        self._counters = counters
        self._labels = (("service", service), ("revision", name))
        self._codes: dict[int | str, int] = {}
        self.in_flight = counters.gauge(SERVICE_IN_FLIGHT, self._labels)
        self.held = counters.gauge(SERVICE_HELD, self._labels)
        self.duration = counters.histogram(SERVICE_DURATION, self._labels)

    def begin_waiting(self) -> bool:
        """Whether this call is the first that waits."""
        self.waiting += 1
        self._counters.values[self.held] += 1
        return self.waiting == 1

    def end_waiting(self) -> None:
        self.waiting -= 1
        self._counters.values[self.held] -= 1

    def count(self, code: int | str, seconds: float) -> None:
        self.duration.observe(seconds)
        index = self._codes.get(code)
        if index is None:
            labels = (("code", str(code)), *self._labels)
            index = self._codes[code] = self._counters.counter(SERVICE_REQUESTS, labels)
        self._counters.values[index] += 1


class Service:
    """It lives as long as the table names it, through any number of tables."""

    def __init__(
        self,
        key: str,
        config: UpstreamConfig,
        counters: Counters,
        deadlines: Deadlines,
        loop: asyncio.AbstractEventLoop,
        waiting: Callable[[], None],
        source: EndpointSource,
        replicas: Mapping[str, Replica],
    ) -> None:
        self.key = key
        self.config = config
        self.values = counters.values
        self.deadlines = deadlines
        self.loop = loop
        self._counters = counters
        self._waiting = waiting  # called when calls to a revision begin to wait
        self._salt = salt(f"service:{key}")
        self._known = True
        self._revisions: dict[str, Revision] = {}
        self._drawn: tuple[Revision, ...] = ()  # those that have a share
        self._cumulative: tuple[int, ...] = ()
        self._held: dict[ServiceCall, None] = {}  # oldest first
        self.update(source, replicas)

    # what the table says

    def update(self, source: EndpointSource, replicas: Mapping[str, Replica]) -> None:
        """Replicas by address; an address without one cannot be called at all."""
        self.source = source
        before, self._revisions = self._revisions, {}
        for each in source.revisions:
            revision = before.get(each.name) or Revision(self.key, each.name, self._counters)
            revision.replicas = tuple(replicas[a] for a in each.addresses if a in replicas)
            revision.path = (each.path or source.path).encode()
            self._revisions[each.name] = revision
        shares = [each for each in source.revisions if each.percent > 0]
        self._drawn = tuple(self._revisions[each.name] for each in shares)
        self._cumulative = cumulate([each.percent for each in shares])
        if not self._drawn:
            nobody = before.get("") or Revision(self.key, "", self._counters)
            nobody.replicas, nobody.path = (), source.path.encode()
            self._drawn, self._cumulative = (nobody,), (100,)

    def forget(self) -> None:
        """The table no longer names it."""
        self._known = False
        self.update(EndpointSource("/"), {})

    @property
    def replicas(self) -> Iterable[Replica]:
        for revision in self._revisions.values():
            yield from revision.replicas

    # calls

    def start(self, call: Call, deliver: Callable[[Answer], None]) -> Cancellable:
        started = ServiceCall(self, call, deliver)
        started.begin()
        return started

    def draw(self, seed: int) -> Revision:
        drawn = self._drawn
        if len(drawn) == 1:
            return drawn[0]
        return drawn[choose(self._cumulative, point(seed, self._salt))]

    def is_current(self, revision: Revision) -> bool:
        return revision in self._drawn

    def find(self, revision: Revision, tried: Tried | None) -> tuple[Revision, Replica] | None:
        """Who answers a call that drew this revision. Another revision does only if all replicas of
        this one refuse.
        """
        replica = revision.choose(tried)
        if replica is not None:
            return revision, replica
        if not revision.replicas:
            return None
        for other in self._drawn:
            if other is not revision and (replica := other.choose(tried)) is not None:
                return other, replica
        if not self.source.hold and (replica := revision.untried(tried)) is not None:
            return revision, replica
        return None

    # calls that wait

    def hold(self, call: "ServiceCall") -> Failure | None:
        """Keeps it until there is a replica, or says why not."""
        words = f"service {self.key}"
        if not self._known:
            return Failure(FailureKind.UNRESOLVED, f"{words} is not known here")
        if not self.source.hold:
            return Failure(FailureKind.UNRESOLVED, f"{words} has no ready replica")
        if len(self._held) >= self.config.held:
            cause = f"{words}: {len(self._held)} calls wait for its first replica already"
            return Failure(FailureKind.OVERLOAD, cause)
        self._held[call] = None
        if call.revision.begin_waiting():
            self._waiting()
        return None

    def redraw(self, call: "ServiceCall", seed: int) -> None:
        """What it waits for is no longer in the table."""
        call.revision.end_waiting()
        call.revision = self.draw(seed)
        if call.revision.begin_waiting():
            self._waiting()

    def let_go(self, call: "ServiceCall") -> None:
        del self._held[call]
        call.revision.end_waiting()

    def release(self) -> None:
        """Let the held calls look again: the table or the readiness of replicas has changed."""
        for call in list(self._held):
            if call in self._held:  # else one before it has cancelled it
                call.look_again()


class ServiceCall:
    """A call to a service: waiting, or with a replica."""

    __slots__ = (
        "_call", "_deliver", "_replica", "_running", "_service", "_started", "_timer", "_tried",
        "revision",
    )  # fmt: skip

    def __init__(self, service: Service, call: Call, deliver: Callable[[Answer], None]) -> None:
        self._service = service
        self._call = call
        self._deliver: Callable[[Answer], None] | None = deliver  # None once it is over
        self._started = monotonic()
        self._replica: Replica | None = None  # that works on it
        self._running: Cancellable | None = None
        self._timer: Timer | None = None  # while it waits
        self._tried: Tried | None = None
        self.revision = service.draw(call.seed)

    def begin(self) -> None:
        if not self._send():
            self._wait(None)

    def look_again(self) -> None:
        service = self._service
        if not service.is_current(self.revision):
            service.redraw(self, self._call.seed)
        if service.source.hold and service.find(self.revision, None) is None:
            return
        self._stop_waiting()
        self._tried = None
        self.begin()

    def cancel(self) -> None:
        if self._deliver is None:
            return
        if self._timer is not None:
            self._stop_waiting()
        if self._running is not None:
            self._running.cancel()
        self._leave()
        self._over(End.LEFT.value)

    def _send(self) -> bool:
        found = self._service.find(self.revision, self._tried)
        if found is None:
            return False
        self.revision, replica = found
        call, service = self._call, self._service
        call.revision = self.revision.name
        service.values[self.revision.in_flight] += 1
        replica.begin()
        self._replica = replica
        self._running = replica.pool.ask(call, self.revision.path, self._answered)
        return True

    def _leave(self) -> None:
        """The replica has no more to do with it."""
        replica, self._replica = self._replica, None
        if replica is not None:
            replica.end()
            self._service.values[self.revision.in_flight] -= 1

    def _answered(self, answer: Answer) -> None:
        replica = self._replica
        self._running = None  # the two lead to each other
        if isinstance(answer, Reply) and answer.stream is not None:
            self._begun(answer, cast(Pipe, answer.stream))
            return
        self._leave()
        if isinstance(answer, Failure) and answer.kind is FailureKind.CONNECT:
            assert replica is not None
            replica.refuses = True
            self._tried = {replica} if self._tried is None else self._tried | {replica}
            if self._send():
                return
            if self._service.source.hold:
                self._wait(answer)
                return
        self._finish(answer)

    def _begun(self, answer: Reply, stream: Pipe) -> None:
        """The replica works on it until the stream ends."""
        deliver, self._deliver = self._deliver, None
        assert deliver is not None
        stream.watch(partial(self._ended, answer.status))
        deliver(answer)

    def _ended(self, status: int, end: Ended) -> None:
        self._leave()
        self._over(code_of(status, end))

    def _wait(self, refused: Failure | None) -> None:
        """For a replica. `refused` is what to answer rather than that there is none."""
        service = self._service
        failure = service.hold(self)
        if failure is None:
            limit_s = service.config.hold_timeout_s
            self._timer = service.deadlines.start(limit_s, self._waited_enough)
            return
        failure.address = self._call.address
        # Later, as promised: this may be within `start`.
        self._running = service.loop.call_soon(self._finish, refused or failure)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        assert timer is not None
        timer.met()
        self._service.let_go(self)

    def _waited_enough(self) -> None:
        service = self._service
        self._stop_waiting()
        limit = f"{service.config.hold_timeout_s:g} s"
        cause = f"service {service.key}: no replica became ready within {limit}"
        self._finish(Failure(FailureKind.UNRESOLVED, cause, self._call.address))

    def _finish(self, answer: Answer) -> None:
        self._running = None
        deliver = self._deliver
        assert deliver is not None
        self._over(answer.status if isinstance(answer, Reply) else answer.kind.value)
        deliver(answer)

    def _over(self, code: int | str) -> None:
        self._deliver = None
        self._running = None
        self.revision.count(code, monotonic() - self._started)
