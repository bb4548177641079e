"""Pools and peers that close, cut an answer, or say what nobody asked for."""

import pytest

from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import Gate, drop, early, raw, render, reply, reply_then_close, reset
from tests.router.upstream.pooled import pool_to


async def test_a_pooled_connection_that_was_closed_is_replaced(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        await pool.ask().reply()
        predictor.close_connections()
        await eventually(lambda: predictor.open_connections == 0)
        await pool.ask().reply()
        assert predictor.served == 2


async def test_many_pooled_connections_that_were_closed_are_replaced(predictor: Predictor) -> None:
    async with pool_to(predictor.origin) as pool:
        for one in [pool.ask() for _ in range(10)]:
            await one.reply()
        predictor.close_connections()
        for one in [pool.ask() for _ in range(10)]:
            await one.answer()
        await pool.settled()
        assert await pool.ask().reply() == b"{}"


async def test_a_server_that_closes_after_each_answer_without_a_word(predictor: Predictor) -> None:
    predictor.on("/model", reply_then_close())
    async with pool_to(predictor.origin) as pool:
        for number in range(1, 20):
            await pool.ask().reply()
            await eventually(lambda n=number: predictor.open_connections == 0)  # type: ignore[misc]
            await pool.emptied()
            assert predictor.served == number


@pytest.mark.parametrize("after", [0, 10, 60])
async def test_a_request_that_was_sent_is_never_sent_again(
    predictor: Predictor, after: int
) -> None:
    predictor.on("/model", reply(), reset(after), reply())
    async with pool_to(predictor.origin) as pool:
        await pool.ask().reply()
        assert (await pool.ask().failure())[0] == "reset"
        assert predictor.served == 2
        assert await pool.ask().reply() == b"{}"


@pytest.mark.parametrize("after", [0, 10, 60])
async def test_an_answer_that_is_cut(predictor: Predictor, after: int) -> None:
    predictor.on("/model", drop(after), reply())
    async with pool_to(predictor.origin) as pool:
        assert (await pool.ask().failure())[0] == "reset"
        assert await pool.ask().reply() == b"{}"
        assert predictor.served == 2


async def test_bytes_that_nobody_asked_for_end_their_connection(predictor: Predictor) -> None:
    gate = Gate()

    async def answers_twice(exchange: Exchange) -> None:
        exchange.send(render(b"first"))
        await gate.opened()
        exchange.send(render(b"second"))

    predictor.on("/model", answers_twice, reply(b"third"))
    async with pool_to(predictor.origin) as pool:
        assert await pool.ask().reply() == b"first"
        gate.open()
        await eventually(lambda: predictor.open_connections == 0)
        assert await pool.ask().reply() == b"third"


async def test_two_answers_at_once_are_one(predictor: Predictor) -> None:
    predictor.on("/model", raw(render(b"first") + render(b"second")), reply(b"third"))
    async with pool_to(predictor.origin) as pool:
        assert await pool.ask().reply() == b"first"
        assert await pool.ask().reply() == b"third"
        assert len(predictor.connections) == 2


async def test_a_greeting_before_any_request(predictor: Predictor) -> None:
    predictor.at_connect = lambda exchange: exchange.send(render(b"unasked"))
    async with pool_to(predictor.origin) as pool:
        await pool.ask().answer()
        # If it came first, the connection is refused; if not, it cannot be told from an answer.
        assert len(predictor.connections) == 1


async def test_an_answer_before_the_whole_request_was_written(predictor: Predictor) -> None:
    refusal = render(b'{"error": "too large"}', 413)
    predictor.on("/model", early(raw(refusal)), reply())
    async with pool_to(predictor.origin) as pool:
        asked = pool.ask(bytes(30_000_000))
        assert await asked.reply() == b'{"error": "too large"}'
        assert await pool.ask().reply() == b"{}"
        assert len(predictor.connections) == 2


async def test_an_early_refusal_that_closes_is_read(predictor: Predictor) -> None:
    refusal = render(b'{"error": "too large"}', 413, ((b"connection", b"close"),))
    predictor.on("/model", early(raw(refusal, close=True)))
    async with pool_to(predictor.origin) as pool:
        assert await pool.ask(bytes(30_000_000)).reply() == b'{"error": "too large"}'
