"""Slow clients cost a connection each and nothing more: others are answered at once meanwhile."""

import resource
from collections.abc import Iterator

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.crowd import crowd
from tests.kit.eventually import eventually
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo, reply

CLIENTS = 1000
DESCRIPTORS = (
    8192  # ours: the clients and the predictor's connections; the router inherits the limit
)


@pytest.fixture(autouse=True)
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_thousand_clients_that_send_piece_by_piece_are_all_answered(
    predictor: Predictor, serve: Serve
) -> None:
    predictor.default = echo()
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    requests = [request(path("g"), b'{"client": %d}' % number) for number in range(CLIENTS)]
    pieces = 5
    async with (
        serve(manifest, "--workers", "2") as router,
        crowd(router.port, CLIENTS) as slow,
        Client.to(router.port) as quick,
    ):
        for piece in range(pieces):
            for client, data in zip(slow, requests, strict=True):
                size = len(data) // pieces
                end = None if piece == pieces - 1 else (piece + 1) * size
                await client.send(data[piece * size : end])
            response = await quick.ask(request(path("g"), b'"quick"'))
            assert (response.status, response.body) == (200, b'"quick"')
        answers = [(await client.response()).body for client in slow]
    assert answers == [b'{"client": %d}' % number for number in range(CLIENTS)]


async def test_clients_that_do_not_read_their_answers_hold_up_nobody(
    predictor: Predictor, serve: Serve
) -> None:
    large = b'"%b"' % (b"x" * 8_000_000)
    predictor.on("/large", reply(large))
    manifest = graph("large", "Sequence", {"serviceUrl": predictor.url("/large")})
    manifest += graph("small", "Sequence", {"serviceUrl": predictor.url("/small")})
    async with (
        serve(manifest, "--workers", "1") as router,
        crowd(router.port, 10) as slow,
        Client.to(router.port) as quick,
    ):
        for client in slow:
            client.pause_reading()
            await client.send(request(path("large")))
        await eventually(lambda: predictor.served == len(slow), "all have been computed")
        for _ in range(100):
            assert (await quick.ask(request(path("small")))).body == b"{}"
        for client in slow:
            client.resume_reading()
            assert (await client.response()).body == large
