"""What clients that leave, a drain and a crowd leave behind in a worker: nothing."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually, eventually_awaited
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import Gate, echo, hold, never, pieces, render, reply

HANG_UPS = 1000
AT_ONCE = 20
LARGE = b'"%b"' % (b"x" * 500_000)
LEAVE: tuple[Callable[[Client], None], ...] = (Client.reset, Client.abort, Client.half_close)


def descriptors(pid: int) -> Counter[str]:
    """What a process holds open, by kind."""
    found: Counter[str] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found[os.readlink(link).partition(":")[0]] += 1
    return found


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def nothing_in_flight(router: Router) -> bool:
    return (await router.metrics()).total("graphway_requests_in_flight") == 0


@pytest.mark.slow
async def test_a_thousand_hang_ups_at_any_point_leave_no_connection(serve: Serve) -> None:
    """Before, within and behind the head, the body, the calls and the answer."""
    seed = random.Random(0)
    limits = {"GRAPHWAY_UPSTREAM_CONNECTIONS": str(AT_ONCE)}
    async with Predictor(remembers=False) as predictor:
        to = {"serviceUrl": predictor.url("/echo")}
        answer = render(b'{"a": 1}')
        halves = pieces([answer[:30], answer[30:]], pause_s=0.002)
        predictor.on("/echo", echo())
        predictor.on("/pieces", halves)
        predictor.on("/never", never())
        slow, stuck = ({"serviceUrl": predictor.url(at)} for at in ("/pieces", "/never"))
        manifest = "".join(
            [
                graph("sequence", "Sequence", slow, {**slow, "data": "$response"}),
                graph("ensemble", "Ensemble", to, slow, stuck),
                graph("large", "Sequence", to),
            ]
        )
        whole = {
            name: request(path(name), LARGE if name == "large" else b"{}")
            for name in ("sequence", "ensemble", "large")
        }
        async with serve(manifest, "--workers", "1", env=limits) as router:
            (pid,) = router.worker_pids()
            at_first = descriptors(pid)

            async def visit() -> None:
                data = whole[seed.choice(list(whole))]
                cut = seed.choice((len(data), seed.randrange(len(data) + 1)))
                async with Client.to(router.port) as client:
                    await client.send(data[:cut])
                    for _ in range(seed.randrange(20)):
                        await asyncio.sleep(0)  # the router and the predictor go on meanwhile
                    seed.choice(LEAVE)(client)
                    await client.closed()

            async def visits() -> None:
                for _ in range(HANG_UPS // AT_ONCE):
                    await visit()

            async with asyncio.TaskGroup() as tasks:
                for _ in range(AT_ONCE):
                    tasks.create_task(visits())
            await eventually_awaited(lambda: nothing_in_flight(router), "all are given up")
            await eventually(lambda: predictor.open_connections <= AT_ONCE, "within the limit")
            async with Client.to(router.port) as client:
                response = await client.ask(request(path("large"), b'"next"'))
                assert response.body == b'"next"'
            await eventually(lambda: descriptors(pid) == at_first, "the descriptors of the start")
            await eventually(lambda: predictor.open_connections == 0, "the predictor sees it")
            assert router.worker_pids() == [pid]
            assert "Traceback" not in router.text()


async def test_a_drained_worker_leaves_nothing(predictor: Predictor, serve: Serve) -> None:
    """Neither a process, nor a connection to anybody."""
    gate = Gate()
    predictor.on("/held", hold(gate))
    manifest = graph("held", "Sequence", {"serviceUrl": predictor.url("/held")})
    manifest += graph("quick", "Sequence", {"serviceUrl": predictor.url("/quick")})
    async with (
        serve(manifest, "--workers", "1", "--drain-seconds", "0") as router,
        crowd(router.port, 5) as idle,
        crowd(router.port, 5) as busy,
        Client.to(router.port) as halfway,
    ):
        for client in idle:
            assert (await client.ask(request(path("quick")))).status == 200
        for client in busy:
            await client.send(request(path("held")))
        await halfway.send(request(path("held"))[:-1])
        await eventually(lambda: predictor.served == len(idle) + len(busy), "all are in flight")
        (pid,) = router.worker_pids()
        router.signal(signal.SIGTERM)
        for client in idle:
            assert await client.closed() == b""
        gate.open()
        for client in busy:
            assert (await client.response()).closes
        await halfway.send(b"}")
        assert (await halfway.response()).closes
        assert await router.ended() == 0
        assert is_gone(pid)
        await eventually(lambda: not predictor.open_connections, "no connection is left")


async def test_clients_beyond_the_limit_wait_and_are_served_as_others_leave(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = reply()
    limit, rounds = 10, 3
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    env = {"GRAPHWAY_LIMIT_CONNECTIONS": str(limit)}
    async with (
        serve(manifest, "--workers", "1", env=env) as router,
        crowd(router.port, limit * rounds) as clients,
    ):
        (pid,) = router.worker_pids()
        for client in clients:
            await client.send(request(path("g")))
        for turn in range(rounds):
            first = clients[turn * limit : (turn + 1) * limit]
            for client in first:
                assert (await client.response()).status == 200
            assert predictor.served == (turn + 1) * limit, "the others still wait"
            assert descriptors(pid)["socket"] <= 2 * limit + 5
            for client in first:
                await client.aclose()
        assert router.worker_pids() == [pid]
