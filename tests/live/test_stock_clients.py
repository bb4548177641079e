"""Clients that people have: Python's own, aiohttp, curl, wrk, and one that speaks HTTP/1.0.

Each does what it does by default, and what its manual offers: connections kept, HEAD and OPTIONS,
uploads in chunks, compressed bodies, Expect, upgrades, IPv6.
"""

import asyncio
import gzip
import http.client
import json
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.router import Router
from tests.kit.scripts import echo, reply

DEADLINE_S = 30.0
BODY = b'{"instances": [[1, 2, 3]]}'
LARGE = b'"%b"' % (b"x" * 3_000_000)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk here")
needs_ipv6 = pytest.mark.skipif(not socket.has_ipv6, reason="Python without IPv6")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Predictor, Router]]:
    """One router for all clients, with one graph of one step."""
    async with Predictor() as predictor:
        manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
        folder = tmp_path_factory.mktemp("stage")
        async with Router.serving(folder, manifest, "--workers", "1") as router:
            yield predictor, router


@pytest.fixture
def router(stage: tuple[Predictor, Router], predictor: Predictor) -> Router:
    return stage[1]


@pytest.fixture
def predictor(stage: tuple[Predictor, Router]) -> Predictor:
    """It echoes, and has heard nothing yet."""
    predictor = stage[0]
    predictor.on("/m", echo())
    predictor.requests.clear()
    return predictor


def url(router: Router, name: str = "g", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{router.port}{path(name)}"


async def run(*command: str, given: bytes = b"") -> tuple[str, bytes]:
    """What a command that succeeds says and answers (stderr, stdout)."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        out, said = await process.communicate(given)
    assert process.returncode == 0, (said, out)
    return said.decode(), out


# Python's own


async def test_http_client_keeps_its_connection_through_all_methods(
    predictor: Predictor, router: Router
) -> None:
    def talk() -> dict[str, tuple[int, bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", router.port, timeout=DEADLINE_S)
        connection.connect()
        first = connection.sock
        seen = {}
        for method in ("POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"):
            connection.request(method, path("g"), BODY)
            response = connection.getresponse()
            seen[method] = response.status, response.read()
            assert response.getheader("Content-Length") == str(len(BODY)), method
            assert connection.sock is first, method
        connection.close()
        return seen

    seen = await asyncio.to_thread(talk)
    assert seen.pop("HEAD") == (200, b"")
    assert set(seen.values()) == {(200, BODY)}
    assert {call.method for call in predictor.requests} == {b"POST"}, "each call is a POST"


async def test_http_client_sends_chunks(predictor: Predictor, router: Router) -> None:
    def talk() -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", router.port, timeout=DEADLINE_S)
        parts = (BODY[at : at + 5] for at in range(0, len(BODY), 5))
        connection.request("POST", path("g"), parts, encode_chunked=True)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    assert await asyncio.to_thread(talk) == BODY
    assert predictor.requests[0].header(b"content-length") == str(len(BODY)).encode()


async def test_urllib_gets_answers_and_reads_errors(predictor: Predictor, router: Router) -> None:
    def talk(name: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(url(router, name), BODY, DEADLINE_S) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    assert await asyncio.to_thread(talk, "g") == (200, BODY)
    kind = predictor.requests[0].header(b"content-type")
    assert kind == b"application/json", "urllib calls everything a form"
    status, body = await asyncio.to_thread(talk, "nobody")
    assert (status, json.loads(body).keys()) == (404, {"error", "cause"})


# aiohttp


async def test_aiohttp_asks_many_at_once(router: Router) -> None:
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:

        async def ask(number: int) -> None:
            async with session.post(url(router), json={"number": number}) as response:
                assert response.status == 200
                assert await response.json() == {"number": number}

        for number in range(200):
            tasks.create_task(ask(number))


async def test_aiohttp_uploads_in_chunks(predictor: Predictor, router: Router) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(LARGE), 100_000):
            yield LARGE[at : at + 100_000]

    async with (
        aiohttp.ClientSession() as session,
        session.post(url(router), data=parts()) as response,
    ):
        assert (response.status, await response.read()) == (200, LARGE)
    assert predictor.bodies == [LARGE]


async def test_compressed_bodies_pass_as_they_are(predictor: Predictor, router: Router) -> None:
    """Both ways, named by their Content-Encoding."""
    compressed = gzip.compress(b'{"answer": 42}')
    headers = ((b"content-type", b"application/json"), (b"content-encoding", b"gzip"))
    predictor.on("/m", reply(compressed, headers=headers))
    async with aiohttp.ClientSession() as session:
        sent = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        data = gzip.compress(BODY)
        async with session.post(url(router), data=data, headers=sent) as response:
            assert await response.json() == {"answer": 42}
        async with session.post(url(router), data=BODY, compress="gzip") as response:
            assert await response.json() == {"answer": 42}
    assert [call.header(b"content-encoding") for call in predictor.requests] == [b"gzip"] * 2
    assert [gzip.decompress(body) for body in predictor.bodies] == [BODY] * 2


# curl


@needs_curl
async def test_curl_with_its_defaults(predictor: Predictor, router: Router) -> None:
    said, answer = await run(
        *("curl", "-sv", "-d", BODY.decode(), url(router)),
        *("--next", "-sv", "-H", "Content-Type: text/json", "-d", BODY.decode(), url(router)),
    )
    assert answer == BODY * 2
    assert "left intact" in said
    types = [call.header(b"content-type") for call in predictor.requests]
    assert types == [b"application/json", b"text/json"], "-d alone says that it is a form"


@needs_curl
async def test_curl_keeps_its_connection(router: Router) -> None:
    said, answer = await run("curl", "-sv", "-d", "{}", *[url(router)] * 3)
    assert answer == b"{}" * 3
    assert said.lower().count("re-using existing connection") == 2


@needs_curl
async def test_curl_waits_for_100_continue_with_a_large_body(
    predictor: Predictor, router: Router
) -> None:
    said, answer = await run(
        *("curl", "-sv", "--expect100-timeout", "20", "--data-binary", "@-"),
        *("-H", "Expect: 100-continue", url(router)),
        given=LARGE,
    )
    assert answer == LARGE
    assert "HTTP/1.1 100 Continue" in said
    assert predictor.bodies == [LARGE]


@needs_curl
async def test_curl_is_told_at_once_that_a_body_is_too_large(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph("g", "Switch", {"serviceUrl": predictor.url("/m"), "condition": "a"})
    async with serve(manifest, env={"GRAPHWAY_LIMIT_BODY_BYTES": "1000"}) as router:
        said, answer = await run(
            *("curl", "-sv", "--expect100-timeout", "20", "--data-binary", "@-"),
            *("-H", "Expect: 100-continue", url(router)),
            given=LARGE,
        )
    assert json.loads(answer).keys() == {"error", "cause"}
    assert "HTTP/1.1 413" in said
    assert "100 Continue" not in said


@needs_curl
@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(("--http1.0",), id="HTTP/1.0"),
        pytest.param(("--http2",), id="an upgrade that is declined"),
        pytest.param(("-H", "Transfer-Encoding: chunked"), id="chunks"),
        pytest.param(("-H", "Connection: close"), id="a connection that ends"),
        pytest.param(("--compressed",), id="compression offered"),
        pytest.param(("-X", "OPTIONS"), id="OPTIONS"),
    ],
)
async def test_curl_with(flags: tuple[str, ...], router: Router) -> None:
    _, answer = await run("curl", "-s", *flags, "--data-binary", BODY.decode(), url(router))
    assert answer == BODY


@needs_curl
async def test_curl_asks_for_the_head_alone(router: Router) -> None:
    _, answer = await run("curl", "-s", "--head", url(router))
    head, end, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (end, body) == (b"\r\n\r\n", b"")


# others


@needs_wrk
async def test_wrk_finds_no_error(router: Router, tmp_path: Path) -> None:
    script = tmp_path / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = "{}"\n')
    _, answer = await run(
        "wrk", "-t1", "-c16", "-d1s", "--timeout", "30s", "-s", str(script), url(router)
    )
    assert b"requests in" in answer
    assert b"Socket errors" not in answer
    assert b"Non-2xx" not in answer


async def test_an_http_1_0_client_reads_to_the_end(router: Router) -> None:
    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", router.port), DEADLINE_S) as sock:
            head = f"POST {path('g')} HTTP/1.0\r\nContent-Length: {len(BODY)}\r\n\r\n"
            sock.sendall(head.encode() + BODY)
            with sock.makefile("rb") as answer:
                return answer.read()

    head, _, body = (await asyncio.to_thread(talk)).partition(b"\r\n\r\n")
    assert head.split(b" ", 2)[1] == b"200"
    assert b"connection: keep-alive" not in head.lower()
    assert body == BODY


async def test_an_http_1_0_client_may_keep_its_connection(router: Router) -> None:
    whole = request(path("g"), BODY, headers={"Connection": "keep-alive"})
    async with Client.to(router.port) as client:
        for _ in range(2):
            response = await client.ask(whole.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
            assert response.body == BODY
            assert (response.header(b"connection") or b"").lower() == b"keep-alive"


@needs_ipv6
async def test_clients_by_ipv6(predictor: Predictor, serve: Serve) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    async with serve(manifest, "--host", "::1") as router:
        async with Client.to(router.port, "::1") as client:
            assert (await client.ask(request(path("g"), BODY, host="[::1]"))).body == BODY
        async with (
            aiohttp.ClientSession() as session,
            session.post(url(router, host="[::1]"), data=BODY) as response,
        ):
            assert await response.read() == BODY
        assert "http://[::1]:" in await router.admin("/graphs")
