"""Stores to fetch from, each a real server on loopback, and a fetcher that soon tries again."""

import logging
import os
import re
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import obstore
import pytest
import pytest_asyncio
from aiohttp import web
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.settings import StorageSettings
from tests.controller.storage.site import Site

QUICK = {"backoff_seconds": 0.001, "part_size": 100_000, "stall_seconds": 20.0}

MakeFetcher = Callable[..., Fetcher]


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as running:
        yield running


@pytest.fixture
def make_fetcher() -> MakeFetcher:
    def make(
        uri_map: dict[str, Path] | None = None,
        environ: dict[str, str] | None = None,
        **settings: object,
    ) -> Fetcher:
        read = StorageSettings.model_validate(QUICK | settings)
        return Fetcher(read, uri_map=uri_map or {}, environ=environ or {})

    return make


@pytest_asyncio.fixture
async def fetcher(make_fetcher: MakeFetcher) -> AsyncIterator[Fetcher]:
    async with make_fetcher() as running:
        yield running


class Bucket:
    """A bucket of a real S3 server."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint = endpoint
        self.name = name
        env = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
            "AWS_ENDPOINT_URL": endpoint,
        }
        self.credentials = Credentials(env)
        self._store = S3Store(
            name,
            config={
                "endpoint": endpoint,
                "region": "us-east-1",
                "access_key_id": "AKIDEXAMPLE",
                "secret_access_key": "wJalrXUtnFEMI",
                "virtual_hosted_style_request": False,
            },
            client_options={"allow_http": True},
        )

    def put(self, key: str, content: bytes) -> None:
        obstore.put(self._store, key, content)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, request: pytest.FixtureRequest) -> Bucket:
    name = re.sub("[^a-z0-9]+", "-", f"b-{request.node.name.lower()}")[:60].strip("-")
    create = urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")
    urllib.request.urlopen(create).close()
    return Bucket(s3_endpoint, name)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by its name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest_asyncio.fixture
async def refusing() -> AsyncIterator[list[tuple[int, str]]]:
    """A store that answers everything with the last of the list; its endpoint is the first."""
    answers: list[tuple[int, str]] = []

    async def answer(request: web.Request) -> web.Response:
        status, code = answers[-1]
        return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answers.append((runner.addresses[0][1], ""))
    yield answers
    await runner.cleanup()
