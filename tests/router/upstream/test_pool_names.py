"""Pools whose predictor is a name: asked for in time, shared by addresses, followed on a move."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.upstream.resolver import Resolver
from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import Gate, hold, reply
from tests.router.upstream.pooled import pool_to


class Names:
    """A loop's name service and clock."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0
        self.now = 0.0
        self.fails = False

    def time(self) -> float:
        return self.now

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        if self.fails:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in self.addresses]


@pytest.fixture
def names() -> Names:
    return Names("127.0.0.1")


@pytest.fixture
async def neighbour(predictor: Predictor) -> AsyncIterator[Predictor]:
    """Another predictor on the same port of 127.0.0.2."""
    loop = asyncio.get_running_loop()
    other = Predictor()
    server = await loop.create_server(lambda: Exchange(other), "127.0.0.2", predictor.port)
    yield other
    server.close()
    await other.__aexit__()


def named(predictor: Predictor, names: Names) -> tuple[str, Any]:
    return f"http://model.example:{predictor.port}", Resolver(names, 30.0)  # type: ignore[arg-type]


async def test_a_name_is_asked_for_once_in_its_time(predictor: Predictor, names: Names) -> None:
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        for one in [pool.ask() for _ in range(20)]:
            await one.reply()
        assert names.asked == 1


async def test_addresses_of_a_name_take_turns(
    predictor: Predictor, neighbour: Predictor, names: Names
) -> None:
    names.addresses = ["127.0.0.1", "127.0.0.2"]
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        for one in [pool.ask() for _ in range(10)]:
            await one.reply()
        assert len(predictor.connections) == len(neighbour.connections) == 5


async def test_an_address_that_refuses_is_passed_over(predictor: Predictor, names: Names) -> None:
    names.addresses = ["127.0.0.3", "127.0.0.1"]
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        for one in [pool.ask() for _ in range(4)]:
            assert await one.reply() == b"{}"


async def test_connections_follow_a_name_that_moves(
    predictor: Predictor, neighbour: Predictor, names: Names
) -> None:
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        await pool.ask().reply()
        names.addresses = ["127.0.0.2"]
        names.now = 31.0
        pool.pass_time(0)
        await eventually(lambda: predictor.open_connections == 0)
        await pool.ask().reply()
        assert neighbour.served == 1


async def test_a_move_that_a_new_connection_notices_first_is_followed_too(
    predictor: Predictor, neighbour: Predictor, names: Names
) -> None:
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        for number in range(1, 5):
            names.addresses = [f"127.0.0.{1 + number % 2}"]
            names.now = 31.0 * number
            asked = [pool.ask() for _ in range(4 * number)]  # more than there are idle ones
            for one in asked:
                assert await one.reply() == b"{}"
        await eventually(lambda: neighbour.open_connections == 0)


async def test_a_call_on_an_address_that_is_left_ends_as_it_would(
    predictor: Predictor, neighbour: Predictor, names: Names
) -> None:
    gate = Gate()
    predictor.on("/model", hold(gate, reply(b"old")))
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        asked = pool.ask()
        await eventually(lambda: predictor.heads == 1)
        names.addresses = ["127.0.0.2"]
        names.now = 31.0
        pool.pass_time(0)
        await eventually(lambda: names.asked == 2)
        gate.open()
        assert await asked.reply() == b"old"
        await eventually(lambda: predictor.open_connections == 0)
        await pool.ask().reply()
        assert neighbour.served == 1


async def test_a_name_server_that_is_away_takes_nobody_down(
    predictor: Predictor, names: Names
) -> None:
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        await pool.ask().reply()
        names.fails = True
        for minute in range(1, 5):
            names.now = 60.0 * minute
            pool.pass_time(0)
            pool.pass_time(10)  # also closes the idle connection
            assert await pool.ask().reply() == b"{}"
        assert names.asked <= 5


async def test_a_name_that_is_unknown_is_asked_for_again(
    predictor: Predictor, names: Names
) -> None:
    names.fails = True
    origin, resolver = named(predictor, names)
    async with pool_to(origin, names=resolver) as pool:
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert "cannot be resolved" in cause
        names.fails = False
        assert await pool.ask().reply() == b"{}"
