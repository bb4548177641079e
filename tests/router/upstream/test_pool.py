"""Pools against predictors on loopback sockets: reuse, limits, queues, connecting, ends."""

import contextlib
import socket
from pathlib import Path

import pytest

from router.config import Limits
from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import Gate, echo, hold, never, pieces, raw, reply
from tests.router.upstream.pooled import TestPool, pool_to

# reuse


async def test_a_connection_serves_one_call_after_another(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        for _ in range(5):
            assert await pool.ask().reply() == b"{}"
        assert (pool.opened, pool.reused) == (1, 4)
    assert len(predictor.connections) == 1


async def test_the_connection_that_was_used_last_is_used_first(predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/model", hold(gate), hold(gate), hold(gate), reply())
    async with pool_to(predictor.origin) as pool:
        asked = [pool.ask() for _ in range(3)]
        await eventually(lambda: len(predictor.requests) == 3)
        gate.open()
        for one in asked:
            await one.reply()
        for _ in range(10):
            await pool.ask().reply()
        counts = sorted(len(connection.requests) for connection in predictor.connections)
        assert counts == [1, 1, 11]


async def test_bodies_of_any_size_go_whole(predictor: Predictor) -> None:
    predictor.on("/model", echo())
    async with pool_to(predictor.origin) as pool:
        for size in (0, 1, 65_535, 65_536, 65_537, 3_000_000):
            body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            assert await pool.ask(body).reply() == body
        assert pool.opened == 1


async def test_no_call_takes_the_answer_of_another(predictor: Predictor) -> None:
    predictor.on("/model", echo())
    async with pool_to(predictor.origin, connections=4) as pool:
        asked = {b"%d" % number: pool.ask(b"%d" % number) for number in range(200)}
        for body, one in asked.items():
            assert await one.reply() == body
    assert len(predictor.connections) <= 4


# limits


async def test_no_more_connections_than_the_limit(predictor: Predictor) -> None:
    async with pool_to(predictor.origin, connections=2) as pool:
        for one in [pool.ask() for _ in range(20)]:
            await one.reply()
    assert len(predictor.connections) == 2


async def test_calls_in_line_are_served_in_order(predictor: Predictor) -> None:
    async with pool_to(predictor.origin, connections=1) as pool:
        asked = [pool.ask(b"%d" % number) for number in range(10)]
        await asked[-1].reply()
        assert predictor.bodies == [b"%d" % number for number in range(10)]


async def test_a_line_that_is_full_fails_at_once(predictor: Predictor) -> None:
    predictor.on("/model", never())
    async with pool_to(predictor.origin, connections=1, queued=2) as pool:
        running = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        waiting = [pool.ask(), pool.ask()]
        assert (await pool.ask().failure())[0] == "overload"
        for one in [running, *waiting]:
            one.cancel()


async def test_a_call_that_found_the_line_full_may_be_cancelled(predictor: Predictor) -> None:
    async with pool_to(predictor.origin, connections=1, queued=0) as pool:
        refused = pool.ask(timeout_s=0.01)
        refused.cancel()
        assert (await pool.ask(timeout_s=0.02).failure())[0] == "overload"
        assert refused.answers == []
        assert pool.waits_for_nothing, "nor may anything come of it later"


async def test_a_call_waits_in_line_no_longer_than_it_may(predictor: Predictor) -> None:
    predictor.on("/model", never())
    async with pool_to(predictor.origin, connections=1, queue_timeout_s=7.0) as pool:
        running = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        waiting = pool.ask()
        pool.pass_time(6.9)
        assert not waiting.answers
        pool.pass_time(7.1)
        kind, cause = await waiting.failure()
        assert kind == "overload"
        assert "within 7 s" in cause
        running.cancel()


async def test_idle_connections_close_after_their_time(predictor: Predictor) -> None:
    async with pool_to(predictor.origin, idle_timeout_s=4.0) as pool:
        await pool.ask().reply()
        pool.pass_time(3.5)
        assert predictor.open_connections == 1
        assert not pool.pool.empty
        pool.pass_time(4.1)
        await pool.emptied()
        await eventually(lambda: predictor.open_connections == 0)


async def test_an_answer_larger_than_the_limit(predictor: Predictor) -> None:
    predictor.on("/model", reply(b"x" * 101), reply(b"x" * 100))
    async with pool_to(predictor.origin, limits=Limits(answer_bytes=100)) as pool:
        assert (await pool.ask().failure())[0] == "protocol"
        assert len(await pool.ask().reply()) == 100


# connecting


async def test_nobody_listens(predictor: Predictor) -> None:
    predictor.refuse()
    async with pool_to(predictor.origin) as pool:
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert cause == f"{predictor.origin}: connection refused"


async def test_every_call_in_line_gets_its_own_attempt(predictor: Predictor) -> None:
    predictor.refuse()
    async with pool_to(predictor.origin, connections=2) as pool:
        for one in [pool.ask() for _ in range(10)]:
            assert (await one.failure())[0] == "connect"


async def test_a_predictor_that_comes_up_is_found(predictor: Predictor) -> None:
    predictor.refuse()
    async with pool_to(predictor.origin) as pool:
        await pool.ask().failure()
        await predictor.listen()
        assert await pool.ask().reply() == b"{}"


async def test_a_connection_that_does_not_come_about_in_time() -> None:
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()
        full = [stack.enter_context(socket.socket()) for _ in range(4)]  # fills the kernel's queue
        for sock in full:
            sock.setblocking(False)
            sock.connect_ex(address)
        async with pool_to(f"http://127.0.0.1:{address[1]}", connect_timeout_s=0.05) as pool:
            kind, cause = await pool.ask().failure()
            assert kind == "connect"
            assert "no connection within 0.05 s" in cause


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_peer_that_accepts_and_closes_is_asked_once_a_call(
    predictor: Predictor, how: str
) -> None:
    predictor.at_connect = Exchange.close if how == "close" else Exchange.reset
    async with pool_to(predictor.origin) as pool:
        for _ in range(3):
            assert (await pool.ask().failure())[0] in {"connect", "reset"}
        assert len(predictor.connections) <= 3


async def test_a_name_that_is_none() -> None:
    async with pool_to("http://a..b:80") as pool:
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert "cannot be resolved" in cause


async def test_a_unix_socket(tmp_path: Path) -> None:
    async with Predictor(unix=str(tmp_path / "s")) as predictor, pool_to(predictor.origin) as pool:
        for _ in range(3):
            assert await pool.ask().reply() == b"{}"
        assert (pool.opened, pool.reused) == (1, 2)


async def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    async with pool_to(f"unix:{tmp_path / 'none'}") as pool:
        assert (await pool.ask().failure())[0] == "connect"


# cancelling and timeouts


async def test_a_call_that_takes_too_long(predictor: Predictor) -> None:
    predictor.on("/model", never(), reply())
    async with pool_to(predictor.origin) as pool:
        kind, cause = await pool.ask(timeout_s=0.02).failure()
        assert kind == "timeout"
        assert cause == f"{predictor.origin}: no answer within 0.02 s"
        await eventually(lambda: predictor.open_connections == 0)
        assert await pool.ask(timeout_s=10).reply() == b"{}"


async def test_an_answer_that_trickles_is_timed_as_a_whole(predictor: Predictor) -> None:
    predictor.on("/model", pieces([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 5000]))
    async with pool_to(predictor.origin) as pool:
        kind, _ = await pool.ask(timeout_s=0.05).failure()
        assert kind in {"timeout", "protocol"}


async def test_the_time_of_a_call_covers_its_wait_in_line(predictor: Predictor) -> None:
    predictor.on("/model", never())
    async with pool_to(predictor.origin, connections=1) as pool:
        running = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        assert (await pool.ask(timeout_s=0.02).failure())[0] == "timeout"
        running.cancel()
        assert predictor.heads == 1


async def test_cancelling_is_harmless_when_it_is_over(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        first = pool.ask(timeout_s=10)
        await first.reply()
        second = pool.ask(timeout_s=10)
        first.cancel()
        first.cancel()
        assert await second.reply() == b"{}"


async def test_a_cancelled_call_takes_its_connection_with_it(predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/model", hold(gate, reply(b"late")), reply(b"own"))
    async with pool_to(predictor.origin) as pool:
        asked = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        asked.cancel()
        gate.open()
        assert await pool.ask().reply() == b"own"
        assert asked.answers == []


# retiring


async def test_a_retired_pool_ends_its_calls_and_then_itself(predictor: Predictor) -> None:
    gate = Gate()
    predictor.on("/model", hold(gate))
    async with pool_to(predictor.origin, connections=1) as pool:
        running = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        waiting = [pool.ask() for _ in range(3)]
        pool.pool.retire()
        gate.open()
        for one in [running, *waiting]:
            assert await one.reply() == b"{}"
        await pool.emptied()
        assert len(predictor.connections) == 1


async def test_calls_that_wait_for_a_connection_survive_retirement(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        asked = pool.ask()
        pool.pool.retire()
        assert await asked.reply() == b"{}"
        await pool.emptied()
        assert len(predictor.connections) == 1


async def test_retiring_closes_idle_connections(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        await pool.ask().reply()
        pool.pool.retire()
        await pool.emptied()


async def test_closing_is_no_end_of_an_answer(predictor: Predictor) -> None:
    predictor.on("/model", raw(b"HTTP/1.1 200 OK\r\n\r\nhalf an answer"))
    pool = TestPool(predictor.origin)
    asked = pool.ask()
    await eventually(lambda: predictor.served == 1)
    await eventually(lambda: pool.has_read_all, "what there is of it was read")
    pool.close()
    await pool.emptied()
    assert asked.answers == []
