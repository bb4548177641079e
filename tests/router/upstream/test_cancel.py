"""A call cancelled at every point of its life, found by counting turns of the loop.

Each scenario runs once undisturbed to learn how many turns it takes, then again for each turn with
the call cancelled right after it. Whatever the point: the cancelled call hears nothing, calls
before and after it get their own answers, and the pool comes to rest with nothing left over.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import echo, pieces, render
from tests.router.upstream.pooled import Asked, TestPool, pool_to

AROUND = 3  # turns beyond the end: cancelling what is over is harmless


class TurningLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, which tells of each turn."""

    after_turn: Callable[[], None] | None = None

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if self.after_turn is not None:
            self.after_turn()


Scenario = Callable[[TestPool, Predictor], Awaitable[Asked]]


async def on_a_new_connection(pool: TestPool, predictor: Predictor) -> Asked:
    return pool.ask(b"the call")


async def on_a_pooled_connection(pool: TestPool, predictor: Predictor) -> Asked:
    await pool.ask(b"before").reply()
    return pool.ask(b"the call")


async def on_a_pooled_connection_that_was_closed(pool: TestPool, predictor: Predictor) -> Asked:
    await pool.ask(b"before").reply()
    predictor.close_connections()
    return pool.ask(b"the call")


async def in_line_behind_another(pool: TestPool, predictor: Predictor) -> Asked:
    for _ in range(2):
        pool.ask(b"before")
    return pool.ask(b"the call")


async def with_a_body_that_takes_many_writes(pool: TestPool, predictor: Predictor) -> Asked:
    return pool.ask(b"the call" * 1_000_000)


async def with_an_answer_in_pieces(pool: TestPool, predictor: Predictor) -> Asked:
    async def echo_in_pieces(exchange: Exchange) -> None:
        answer = render(exchange.request.body)
        await pieces([answer[:5], answer[5:-3], answer[-3:]], 0)(exchange)

    predictor.default = echo_in_pieces
    return pool.ask(b"the call")


async def with_a_timeout(pool: TestPool, predictor: Predictor) -> Asked:
    return pool.ask(b"the call", timeout_s=60)


SCENARIOS = [
    on_a_new_connection,
    on_a_pooled_connection,
    on_a_pooled_connection_that_was_closed,
    in_line_behind_another,
    with_a_body_that_takes_many_writes,
    with_an_answer_in_pieces,
    with_a_timeout,
]


async def turns_of(scenario: Scenario, tls: ssl.SSLContext | None, server: ssl.SSLContext | None,
                   cancel_after: int | None) -> int:  # fmt: skip
    """How many turns the call took; or, cancelled after one of them, that all is well."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, TurningLoop)
    turns = 0
    async with Predictor(tls=server) as predictor:
        predictor.default = echo()
        async with pool_to(predictor.origin, tls=tls, connections=2) as pool:
            asked = await scenario(pool, predictor)
            over = asyncio.Event()

            def turned() -> None:
                nonlocal turns
                turns += 1
                if asked.answers or turns == cancel_after:
                    over.set()

            loop.after_turn = turned
            if cancel_after == 0:
                over.set()
            await over.wait()
            loop.after_turn = None
            heard = len(asked.answers)
            asked.cancel()
            after = pool.ask(b"after")
            assert await after.reply() == b"after"
            assert len(asked.answers) == heard
            await pool.settled()
            served = [body for body in predictor.bodies if body.startswith(b"the call")]
            assert len(served) <= 1, "a call is never sent twice"
            await eventually(lambda: predictor.open_connections <= 2)
    return turns


def run(scenario: Scenario, tls: ssl.SSLContext | None = None,
        server: ssl.SSLContext | None = None, cancel_after: int | None = None) -> int:  # fmt: skip
    with asyncio.Runner(loop_factory=TurningLoop) as runner:
        return runner.run(turns_of(scenario, tls, server, cancel_after))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_call_may_be_cancelled_at_any_time(scenario: Scenario) -> None:
    whole = run(scenario)
    assert whole > 1
    for turn in range(whole + AROUND):
        run(scenario, cancel_after=turn)


def test_a_call_over_tls_may_be_cancelled_at_any_time(
    authority_file: Path, server_tls: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context(cafile=str(authority_file))
    whole = run(on_a_new_connection, trusting, server_tls)
    for turn in range(whole + AROUND):
        run(on_a_new_connection, trusting, server_tls, cancel_after=turn)
