"""A pooled connection that closes under a call: sent again only if not a byte had left."""

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvloop

from graph.effects import Answer, Call, Reply
from graph.plan import Target
from router.upstream.connection import Connection
from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import Gate, reply
from tests.router.upstream.pooled import TestPool
from tests.router.wire.transport import FakeTransport

BODY = b"{}"
HEAD = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"


class Used:
    """A pooled connection with a call on it, and the pool behind it."""

    def __init__(self, pool: TestPool, idle_since: float) -> None:
        self.transport = FakeTransport()
        self.answers: list[Any] = []
        connection = self.connection = Connection(pool.pool, cast(Any, None), "127.0.0.1")
        connection.connection_made(self.transport)
        pool.pool.release(connection)
        connection.idle_since = pool.pool.loop.time()
        call = Call("a/b/c/d", cast(Target, None), (), BODY, None)
        pool.pool.start(call, HEAD, self.answers.append)
        connection.idle_since = idle_since
        self.transport.unwritten = len(HEAD + BODY)

    def close(self) -> None:
        self.connection.eof_received()
        self.transport.close()
        self.connection.connection_lost(None)


@pytest.fixture
async def pool(predictor: Predictor) -> Any:
    pool = TestPool(predictor.origin)
    yield pool
    pool.close()
    await pool.emptied()


async def test_nothing_had_left(pool: TestPool, predictor: Predictor) -> None:
    used = Used(pool, idle_since=1.0)
    used.close()
    assert used.transport.state == "aborted"
    assert used.answers == []
    await pool.settled()
    assert predictor.bodies == [BODY]
    assert len(used.answers) == 1


async def test_a_byte_had_left(pool: TestPool, predictor: Predictor) -> None:
    used = Used(pool, idle_since=1.0)
    used.transport.unwritten -= 1
    used.close()
    (answer,) = used.answers
    assert answer.kind.value == "reset"
    assert predictor.bodies == []


async def test_a_new_connection_is_not_replaced(pool: TestPool, predictor: Predictor) -> None:
    """Else a server that accepts and closes would be asked without end."""
    used = Used(pool, idle_since=0.0)
    used.close()
    (answer,) = used.answers
    assert answer.kind.value == "reset"
    assert predictor.bodies == []


class Trigger(asyncio.Protocol):
    """Some client, whose bytes make a call begin."""

    def __init__(self, received: Callable[[], None]) -> None:
        self._received = received

    def data_received(self, data: bytes) -> None:
        self._received()


def test_a_close_in_the_same_turn_as_the_call_costs_nothing() -> None:
    """uvloop writes at the end of a turn: a close that is read within it comes first, and the bytes
    that stood in the buffer never leave.
    """

    async def scenario(predictor: Predictor, gate: Gate) -> None:
        loop = asyncio.get_running_loop()
        pool = TestPool(predictor.origin)
        answers: list[Answer] = []
        call = Call("a/b/c/d", cast(Target, None), (), BODY, None)
        ours, theirs = socket.socketpair()

        def call_again() -> None:
            pool.pool.start(call, HEAD, answers.append)

        trigger, _ = await loop.create_connection(lambda: Trigger(call_again), sock=ours)

        def answered(answer: Answer) -> None:
            """Holds the loop until both wait in the kernel: the client's bytes, then the close."""
            answers.append(answer)
            (connection,) = pool.pool._idle
            theirs.send(b"x")
            gate.open()
            select.select([connection._sock], [], [], 5)

        pool.pool.start(call, HEAD, answered)
        await eventually(lambda: len(answers) == 2)
        assert [type(answer) for answer in answers] == [Reply, Reply]
        assert predictor.served == 2
        trigger.close()
        theirs.close()
        pool.close()
        await pool.emptied()

    async def closes_at_the_gate(exchange: Exchange) -> None:
        await reply()(exchange)
        await gate.opened()
        exchange.close()

    gate = Gate()
    with Predictor().in_thread() as predictor:
        predictor.on("/", closes_at_the_gate, reply())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(scenario(predictor, gate))
