"""Fixtures of all tests: predictors, certificates, and routers that run as processes."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from tests.kit.predictor import Predictor
from tests.kit.router import Router

# Tests of gRPC ask for it; the others need no further process for each router that they start.
os.environ["GRAPHWAY_GRPC_WORKERS"] = "0"

Serve = Callable[..., AbstractAsyncContextManager[Router]]


@pytest.fixture(scope="session", autouse=True)
def no_stray_loop() -> None:
    """looptime asks for a loop even in tests without one; asyncio would make one, never closed."""
    asyncio.set_event_loop(None)


@pytest_asyncio.fixture
async def predictor() -> AsyncIterator[Predictor]:
    """Plain HTTP on a loopback port, answering `{}` until told otherwise."""
    async with Predictor() as running:
        yield running


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """`async with serve(manifest, *flags) as router`."""

    def serving(
        manifest: str, *flags: str, env: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Router]:
        return Router.serving(tmp_path, manifest, *flags, env=env)

    return serving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate as a PEM file, for the router to trust."""
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a predictor needs to be `https://localhost`."""
    return server_context(authority, "localhost")


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
