"""Pools that speak TLS: whom they trust, and what a handshake may do."""

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from router.upstream.connection import PEEK_AFTER_S
from tests.conftest import server_context
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo
from tests.router.upstream.pooled import pool_to


@pytest.fixture
def trusting(authority_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority_file))


async def test_a_certificate_that_is_trusted(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with (
        Predictor(tls=server_tls) as predictor,
        pool_to(predictor.origin, tls=trusting) as pool,
    ):
        predictor.on("/model", echo())
        for size in (2, 100_000, 3_000_000):
            assert await pool.ask(b"x" * size).reply() == b"x" * size
        pool.age(PEEK_AFTER_S)  # the loop is no longer trusted to have seen all that came
        assert await pool.ask().reply() == b"{}"
        assert pool.opened == 1


async def test_a_certificate_of_nobody(server_tls: ssl.SSLContext) -> None:
    async with (
        Predictor(tls=server_tls) as predictor,
        pool_to(predictor.origin, tls=ssl.create_default_context()) as pool,
    ):
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert "its certificate is not trusted" in cause
        assert predictor.served == 0


async def test_a_certificate_of_another_name(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    async with (
        Predictor(tls=server_context(authority, "other.example")) as predictor,
        pool_to(predictor.origin, tls=trusting) as pool,
    ):
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert "its certificate is not trusted" in cause


async def test_a_plain_server_where_tls_is_spoken(
    predictor: Predictor, trusting: ssl.SSLContext
) -> None:
    async with pool_to(f"https://localhost:{predictor.port}", tls=trusting) as pool:
        kind, cause = await pool.ask().failure()
        assert kind == "connect"
        assert cause
    predictor.faults.clear()  # the client hello was no HTTP


async def test_a_tls_server_that_never_shakes_hands(trusting: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        async with pool_to(
            f"https://localhost:{port}", tls=trusting, connect_timeout_s=0.1
        ) as pool:
            assert (await pool.ask().failure())[0] == "connect"
