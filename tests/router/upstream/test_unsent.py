"""A pooled connection that closes under a call: sent again only if not a byte had left."""

from typing import Any, cast

import pytest

from graph.effects import Call
from graph.plan import Target
from router.upstream.connection import Connection
from tests.kit.predictor import Predictor
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
