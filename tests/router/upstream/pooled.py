"""A pool for tests: calls as futures, and what must hold of it at any time."""

import asyncio
import contextlib
import select
import ssl
from collections.abc import AsyncIterator
from typing import Any, cast

from graph.effects import Answer, Call, Failure, Reply
from graph.plan import Target
from router.config import Limits, UpstreamConfig
from router.deadlines import Deadlines
from router.messages import Cancellable
from router.tasks import Tasks
from router.upstream.origin import parse_origin
from router.upstream.pool import Pool
from router.upstream.resolver import Resolver
from router.wire.render import request_head
from tests.kit.eventually import eventually


class Asked:
    """One call and its answers: there may be one, and none after a cancellation."""

    def __init__(self, pool: Pool, body: bytes, timeout_s: float | None) -> None:
        self.answers: list[Answer] = []
        call = Call("ns/graph/node/step", cast(Target, None), (), body, timeout_s)
        prefix = b"POST /model HTTP/1.1\r\nhost: localhost\r\n"
        head = request_head(prefix, call.headers, len(body))
        self._running: Cancellable = pool.start(call, head, self.answers.append)
        assert not self.answers, "an answer comes later, never from within start"

    def cancel(self) -> None:
        self._running.cancel()

    async def answer(self) -> Answer:
        await eventually(lambda: self.answers, "an answer")
        assert len(self.answers) == 1
        return self.answers[0]

    async def reply(self) -> bytes:
        answer = await self.answer()
        assert isinstance(answer, Reply), answer
        return answer.document.body

    async def failure(self) -> tuple[str, str]:
        """Its kind and cause."""
        answer = await self.answer()
        assert isinstance(answer, Failure), answer
        assert answer.address == "ns/graph/node/step"
        return answer.kind.value, answer.cause


class TestPool:
    """One pool with all that it needs."""

    __test__ = False

    def __init__(
        self,
        origin: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        names: Any = None,
        **config: Any,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.opened = 0
        self.reused = 0
        self.tasks = Tasks(loop)
        self.deadlines = Deadlines(loop)
        self.pool = Pool(
            parse_origin(origin),
            UpstreamConfig(**config),
            limits or Limits(),
            frozenset({b"content-type"}),
            names or Resolver(loop, 30.0),
            tls,
            self.tasks,
            self.deadlines,
            loop,
            self._count_opened,
            self._count_reused,
        )

    def ask(self, body: bytes = b"{}", timeout_s: float | None = None) -> Asked:
        return Asked(self.pool, body, timeout_s)

    def pass_time(self, seconds: float) -> None:
        """What the sweep does once so much time has passed."""
        self.pool.sweep(asyncio.get_running_loop().time() + seconds)

    def age(self, seconds: float) -> None:
        """As if its idle connections had been used so much longer ago."""
        for connection in self.pool._idle:
            connection.idle_since -= seconds

    @property
    def waits_for_nothing(self) -> bool:
        """No time limit of a call still runs."""
        return not any(queue.waiting for queue in self.deadlines._queues.values())

    @property
    def has_read_all(self) -> bool:
        """Of what has come to its sockets."""
        return not any(
            select.select([connection._sock], [], [], 0)[0] for connection in self.pool._all
        )

    async def settled(self) -> None:
        """Nothing is asked for any more."""
        await eventually(lambda: self.pool.load == 0, "no call outstanding")

    async def emptied(self) -> None:
        await eventually(lambda: self.pool.empty, "no connection left")

    def close(self) -> None:
        self.tasks.close()
        self.pool.close()
        self.deadlines.close()

    def _count_opened(self) -> None:
        self.opened += 1

    def _count_reused(self) -> None:
        self.reused += 1


@contextlib.asynccontextmanager
async def pool_to(origin: str, **given: Any) -> AsyncIterator[TestPool]:
    """A pool that must be at rest in the end, and leave nothing open behind it."""
    pool = TestPool(origin, **given)
    try:
        yield pool
        await pool.settled()
    finally:
        pool.close()
    await pool.emptied()
