"""Bodies as large as may be, and one byte more, in both directions and with the limits as shipped.

The predictor here only counts, with the streams of asyncio: that of the kit keeps whole requests.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator

import pytest

from router.config import Limits
from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path

LIMIT_BYTES = 100 * 1024 * 1024
DEADLINE_S = 60.0
BLOCK = bytes(range(32, 127)) * 1000
END = b"\r\n\r\n"


def body(size: int) -> bytes:
    """Of so many bytes, visible ones."""
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


@contextlib.asynccontextmanager
async def counting() -> AsyncIterator[int]:
    """A predictor that says how long a request was, with its hash, or, asked for a size, sends so
    much; its port.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(END)
            (length,) = [
                int(line.partition(b":")[2])
                for line in head.lower().splitlines()
                if line.startswith(b"content-length:")
            ]
            given = await reader.readexactly(length)
            asked = head.split(b" ")[1].removeprefix(b"/")
            answer = body(int(asked)) if asked else said(given)
            head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            writer.write(head % len(answer))
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def said(given: bytes) -> bytes:
    return json.dumps([len(given), hashlib.sha256(given).hexdigest()]).encode()


def test_the_limits_are_those_that_are_documented() -> None:
    assert (Limits().body_bytes, Limits().answer_bytes) == (LIMIT_BYTES, LIMIT_BYTES)


@pytest.mark.slow
async def test_a_request_of_the_limit_arrives_whole_and_one_byte_more_is_refused(
    serve: Serve,
) -> None:
    """Two steps need it, so it is gathered."""
    async with counting() as port:
        step = {"serviceUrl": f"http://127.0.0.1:{port}/"}
        manifest = graph("g", "Sequence", step, step)
        async with serve(manifest, "--workers", "1") as router:
            for size, status in ((LIMIT_BYTES, 200), (LIMIT_BYTES + 1, 413)):
                whole = body(size)
                async with Client.to(router.port) as client:
                    client.write(request(path("g"), whole))
                    response = await client.response(deadline_s=DEADLINE_S)
                    assert response.status == status
                    assert response.closes == (status == 413)
                    if status == 200:
                        assert response.body == said(whole)
            assert (await router.metrics()).total("graphway_worker_restarts_total") == 0


@pytest.mark.slow
async def test_an_answer_of_the_limit_arrives_whole_and_one_byte_more_is_a_502(
    serve: Serve,
) -> None:
    """The next step needs it, so it is gathered."""
    async with counting() as port:
        counted = {"serviceUrl": f"http://127.0.0.1:{port}/", "data": "$response"}
        manifest = "".join(
            graph(name, "Sequence", {"serviceUrl": f"http://127.0.0.1:{port}/{size}"}, counted)
            for name, size in (("most", LIMIT_BYTES), ("more", LIMIT_BYTES + 1))
        )
        async with serve(manifest, "--workers", "1") as router:
            async with Client.to(router.port) as client:
                client.write(request(path("most")))
                response = await client.response(deadline_s=DEADLINE_S)
            assert response.body == said(body(LIMIT_BYTES))
            async with Client.to(router.port) as client:
                client.write(request(path("more")))
                response = await client.response(deadline_s=DEADLINE_S)
            assert response.status == 502
            assert "larger than" in json.loads(response.body)["cause"]


@pytest.mark.slow
async def test_what_streams_has_no_limit(serve: Serve) -> None:
    async with counting() as port:
        manifest = graph("up", "Sequence", {"serviceUrl": f"http://127.0.0.1:{port}/"})
        large = f"http://127.0.0.1:{port}/{LIMIT_BYTES + 1}"
        manifest += graph("down", "Sequence", {"serviceUrl": large})
        whole = body(LIMIT_BYTES + 1)
        async with serve(manifest, "--workers", "1") as router, asyncio.timeout(DEADLINE_S):
            async with Client.to(router.port) as client:
                client.write(request(path("up"), whole))
                response = await client.response(deadline_s=DEADLINE_S)
            assert response.body == said(whole)
            reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
            writer.write(request(path("down")))
            head = await reader.readuntil(END)
            assert b"content-length: %d" % len(whole) in head
            assert said(await reader.readexactly(len(whole))) == said(whole)
            writer.close()
