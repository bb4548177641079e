"""Whatever happens to a service and its calls, in any order: each call ends exactly once, and no
gauge is left above zero.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.document import Document
from graph.effects import Answer, Call, Failure, FailureKind, Reply
from graph.plan import Target
from router.config import EndpointSource, RevisionSource, UpstreamConfig
from router.counters import Block, Counters, Ledger
from router.deadlines import Deadlines
from router.loads import in_flight, service_loads
from router.upstream.origin import Origin, parse_origin
from router.upstream.replica import Replica
from router.upstream.service import Service
from router.upstream.way import Way

ADDRESSES = tuple(f"http://127.0.0.1:{port}" for port in (1, 2, 3))
TARGET = Target("service:ns/iris", None)
ENOUGH = 50  # rounds in which every call must have ended


class Sent:
    """A call that a replica has."""

    def __init__(self, calls: "list[Sent]", deliver: Callable[[Answer], None]) -> None:
        self._calls = calls
        self._deliver = deliver
        calls.append(self)

    def cancel(self) -> None:
        self._calls.remove(self)

    def end(self, answer: Answer) -> None:
        self._calls.remove(self)
        self._deliver(answer)


class World:
    """A service over replicas that answer as they are told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.ledger = Ledger()
        block = Block.create(256 * 1024)
        self.ledger.open(1, block)
        self.counters = Counters(block)
        self.sent: list[Sent] = []
        self.answers: list[list[Answer]] = []
        self.running: dict[int, Any] = {}
        self.cancelled: set[int] = set()
        self.replicas = {
            address: Replica(parse_origin(address), self._pool, self.counters)
            for address in ADDRESSES
        }
        self.deadlines = Deadlines(loop)
        self.service = Service(
            "ns/iris",
            UpstreamConfig(held=4),
            self.counters,
            self.deadlines,
            loop,
            lambda: None,
            EndpointSource("/p", hold=True),
            self.replicas,
        )

    def _pool(self, _: Origin) -> Way:
        return cast(Way, self)

    def ask(self, _: Call, path: bytes, deliver: Callable[[Answer], None]) -> Sent:
        assert path == b"/p"
        return Sent(self.sent, deliver)

    # what may happen

    def call(self, seed: int) -> None:
        number = len(self.answers)
        answers: list[Answer] = []
        self.answers.append(answers)
        call = Call("ns/g/root/0", TARGET, (), b"", None, seed)
        self.running[number] = self.service.start(call, answers.append)
        assert not answers, "never from within start"

    def leave(self, which: int) -> None:
        if self.answers:
            number = which % len(self.answers)
            self.running[number].cancel()
            if not self.answers[number]:
                self.cancelled.add(number)

    def answer(self, which: int, kind: FailureKind | None) -> None:
        if self.sent:
            reply = Reply(200, (), Document(b""))
            self.sent[which % len(self.sent)].end(Failure(kind, "") if kind else reply)

    def table(self, shares: tuple[int, ...], ready: tuple[int, ...], hold: bool) -> None:
        revisions = tuple(
            RevisionSource(f"r{number}", share, ADDRESSES[:count])
            for number, (share, count) in enumerate(zip(shares, ready, strict=True))
        )
        self.service.update(EndpointSource("/p", revisions, hold), self.replicas)
        self.service.release()

    def second(self) -> None:
        for replica in self.replicas.values():
            replica.refuses = False
        self.service.release()

    # what must hold

    def check(self) -> None:
        loads = service_loads(self.ledger).values()
        assert sum(load.in_flight for load in loads) == len(self.sent)
        assert in_flight(self.ledger, ADDRESSES) == len(self.sent)
        assert sum(load.held for load in loads) == len(self.service._held) <= 4
        assert all(len(answers) <= 1 for answers in self.answers)
        assert not any(self.answers[number] for number in self.cancelled)

    def check_end(self) -> None:
        for load in service_loads(self.ledger).values():
            assert (load.in_flight, load.held) == (0, 0)
        ended = sum(load.requests for load in service_loads(self.ledger).values())
        assert ended == len(self.answers)
        for number, answers in enumerate(self.answers):
            assert len(answers) == (number not in self.cancelled)
        assert not any(queue.waiting for queue in self.deadlines._queues.values())


small = st.integers(0, 3)
kinds = st.sampled_from([None, None, FailureKind.CONNECT, FailureKind.CONNECT, FailureKind.RESET])
tables = st.sampled_from([(100,), (50, 50), (100, 0), (10, 90), ()]).flatmap(
    lambda shares: st.tuples(
        st.just(shares),
        st.tuples(*[st.integers(0, len(ADDRESSES)) for _ in shares]),
        st.sampled_from([True, True, True, False]),
    )
)
events = st.one_of(
    st.tuples(st.just("call"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("call"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("leave"), small),
    st.tuples(st.just("answer"), small, kinds),
    tables.map(lambda table: ("table", *table)),
    st.just(("second",)),
    st.just(("turn",)),
)


async def live(happenings: list[tuple[Any, ...]]) -> None:
    world = World(asyncio.get_running_loop())
    for name, *given_ in happenings:
        if name == "turn":
            await asyncio.sleep(0)
        else:
            getattr(world, name)(*given_)
        world.check()
    world.table((100,), (1,), True)
    for _ in range(ENOUGH):
        await asyncio.sleep(0)
        world.second()
        while world.sent:
            world.answer(0, None)
    world.check_end()
    world.deadlines.close()


@settings(max_examples=300, deadline=None)
@given(st.lists(events, min_size=5, max_size=40))
def test_every_call_ends_once_and_every_gauge_at_zero(happenings: list[tuple[Any, ...]]) -> None:
    asyncio.run(live(happenings))
