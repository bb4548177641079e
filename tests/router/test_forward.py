"""Services asked without a graph: what reaches the replica, and what comes back, byte by byte."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from router.config import DataPlaneConfig, LogConfig
from router.counters import Block, Counters, Ledger
from router.data_plane import DataPlane
from router.loads import ServiceLoad, service_loads
from tests.kit.client import Client, request
from tests.kit.eventually import eventually
from tests.kit.message import Response
from tests.kit.predictor import Predictor
from tests.kit.scripts import Gate, hold, never, raw, render, reply
from tests.router.upstream.asking import table

QUIET = DataPlaneConfig(log=LogConfig(access=False))
BINARY = bytes(range(256)) * 300


class Plane:
    """A data plane on a port, with one service `ns/iris`."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        block = Block.create(1 << 20)
        self.ledger.open(1, block)
        self.plane = DataPlane(QUIET, Counters(block), asyncio.get_running_loop())
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.plane.listen([self.socket])

    async def at(self, *addresses: str, hold: bool = False, revision: str = "r1") -> None:
        rows = table((revision, 100, addresses), hold=hold)
        assert await self.plane.install((), rows) == ()

    async def ask(self, path: str, **given: object) -> Response:
        async with Client.to(self.port) as client:
            await client.send(request(f"/services/ns/iris{path}", **given))  # type: ignore[arg-type]
            return await client.response(to_head=given.get("method") == "HEAD")

    @property
    def load(self) -> ServiceLoad:
        return service_loads(self.ledger)["ns/iris", "r1"]

    def close(self) -> None:
        self.plane.close()
        self.socket.close()


@pytest.fixture
async def plane(predictor: Predictor) -> AsyncIterator[Plane]:
    plane = Plane()
    await plane.at(predictor.origin)
    with contextlib.closing(plane):
        yield plane


PATHS = {
    "a model": "/v1/models/iris:predict",
    "a query": "/v2/models/iris?a=1&b=%2F",
    "slashes and escapes": "//a/%2e%2e/b/",
    "the root": "/",
}


@pytest.mark.parametrize("name", PATHS)
async def test_the_path_below_the_service(plane: Plane, predictor: Predictor, name: str) -> None:
    await plane.ask(PATHS[name])
    assert predictor.connections[0].requests[0].head.start_line == (
        f"POST {PATHS[name]} HTTP/1.1".encode()
    )


async def test_the_service_itself_is_its_root(plane: Plane, predictor: Predictor) -> None:
    await plane.ask("", method="GET", body=b"")
    assert predictor.requests[0].path == b"/"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])
async def test_the_method_is_the_callers(plane: Plane, predictor: Predictor, method: str) -> None:
    answer = await plane.ask("/x", method=method, body=b"abc")
    assert answer.status == 200
    (seen,) = predictor.requests
    assert (seen.method, seen.body) == (method.encode(), b"abc")
    assert seen.header(b"content-length") == b"3"


@pytest.mark.parametrize(
    ("method", "length"),
    [
        pytest.param("GET", None, id="nobody expects a body of GET"),
        pytest.param("DELETE", None, id="nor of DELETE"),
        pytest.param("POST", b"0", id="an empty POST says so"),
    ],
)
async def test_no_body(
    plane: Plane, predictor: Predictor, method: str, length: bytes | None
) -> None:
    await plane.ask("/x", method=method, body=b"")
    assert predictor.requests[0].header(b"content-length") == length


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        pytest.param(FORM, b'{"instances": [1]}', b"application/json", id="what curl -d sends"),
        pytest.param(FORM, b"a=1&b=2", FORM.encode(), id="a form"),
        pytest.param("text/plain", b'{"a": 1}', b"text/plain", id="whoever says what it is"),
    ],
)
async def test_json_that_curl_calls_a_form_is_json(
    plane: Plane, predictor: Predictor, kind: str, body: bytes, told: bytes
) -> None:
    await plane.ask("/x", body=body, headers={"Content-Type": kind})
    (seen,) = predictor.requests
    assert (seen.header(b"content-type"), seen.body) == (told, body)


async def test_any_bytes_pass_both_ways(plane: Plane, predictor: Predictor) -> None:
    predictor.on("/x", reply(BINARY[::-1], headers=((b"content-type", b"application/x"),)))
    answer = await plane.ask("/x", body=BINARY, headers={"Content-Type": "application/y"})
    assert predictor.bodies == [BINARY]
    assert predictor.requests[0].header(b"content-type") == b"application/y"
    assert answer.body == BINARY[::-1]
    assert answer.header(b"content-type") == b"application/x"


async def test_a_chunked_request_arrives_whole(plane: Plane, predictor: Predictor) -> None:
    chunked = (
        b"POST /services/ns/iris/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    async with Client.to(plane.port) as client:
        assert (await client.ask(chunked)).status == 200
    assert predictor.bodies == [b"abcde"]
    assert predictor.requests[0].header(b"transfer-encoding") is None


async def test_headers_of_one_hop_stay_behind(plane: Plane, predictor: Predictor) -> None:
    await plane.ask(
        "/x",
        headers={
            "Connection": "keep-alive, X-Mine",
            "X-Mine": "1",
            "Keep-Alive": "timeout=5",
            "TE": "trailers",
            "Proxy-Authorization": "secret",
            "Upgrade": "h2c",
            "Authorization": "Bearer a",
            "Accept": "text/x",
            "X-Request-Id": "mine",
        },
    )
    (seen,) = predictor.requests
    assert seen.head.headers == (
        (b"host", predictor.origin.removeprefix("http://").encode()),
        (b"authorization", b"Bearer a"),
        (b"accept", b"text/x"),
        (b"x-request-id", b"mine"),
        (b"content-length", b"2"),
    )


async def test_headers_of_the_answer_come_back(plane: Plane, predictor: Predictor) -> None:
    headers = (
        (b"Content-Type", b"text/event-stream"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"Server", b"uvicorn"),
        (b"Date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
        (b"Connection", b"x-hop"),
        (b"X-Hop", b"1"),
        (b"X-Request-Id", b"theirs"),
        (b"Transfer-Encoding", b"chunked"),
    )
    lines = b"".join(b"%b: %b\r\n" % field for field in headers)
    predictor.on("/x", raw(b"HTTP/1.1 207 Multi\r\n" + lines + b"\r\n2\r\nab\r\n0\r\n\r\n"))
    answer = await plane.ask("/x", headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.body) == (207, b"ab")
    shown = [(name, value) for name, value in answer.head.headers if name != b"date"]
    assert shown == [
        (b"content-type", b"text/event-stream"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"server", b"uvicorn"),
        (b"x-graphway-revision", b"r1"),
        (b"x-request-id", b"mine"),
        (b"content-length", b"2"),
    ]
    assert [name for name, _ in answer.head.headers].count(b"date") == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body(plane: Plane, predictor: Predictor, status: int) -> None:
    bare = b"HTTP/1.1 %d X\r\nETag: a\r\n\r\n" % status
    predictor.on("/x", raw(bare), reply(b"next"))
    async with Client.to(plane.port) as client:
        answer = await client.ask(request("/services/ns/iris/x", b"", "GET"))
        assert (answer.status, answer.body) == (status, b"")
        assert answer.header(b"etag") == b"a"
        assert answer.header(b"content-length") is None
        assert (await client.ask(request("/services/ns/iris/x"))).body == b"next"
    assert len(predictor.connections) == 1


@pytest.mark.parametrize(
    ("head", "length"),
    [
        pytest.param(b"Content-Length: 12\r\n", b"12", id="a length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", None, id="chunks, of which none comes"),
        pytest.param(b"", None, id="neither"),
    ],
)
async def test_head_tells_what_get_would(
    plane: Plane, predictor: Predictor, head: bytes, length: bytes | None
) -> None:
    predictor.on("/x", raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n" + head + b"\r\n"), reply(b"next"))
    async with Client.to(plane.port) as client:
        await client.send(request("/services/ns/iris/x", b"", "HEAD"))
        answer = await client.response(to_head=True)
        assert (answer.status, answer.header(b"content-length")) == (200, length)
        assert answer.header(b"x-a") == b"b"
        assert (await client.ask(request("/services/ns/iris/x"))).body == b"next"


@pytest.mark.parametrize("status", [301, 404, 422, 500, 503])
async def test_any_status_is_the_answer(plane: Plane, predictor: Predictor, status: int) -> None:
    headers = ((b"location", b"http://elsewhere/"), (b"content-type", b"text/plain"))
    predictor.on("/x", reply(b"no", status, headers))
    answer = await plane.ask("/x")
    assert (answer.status, answer.body) == (status, b"no")
    assert answer.header(b"location") == b"http://elsewhere/"
    assert plane.load == ServiceLoad(requests=1, errors=int(status >= 500))


async def test_by_host(plane: Plane, predictor: Predictor) -> None:
    async with Client.to(plane.port) as client:
        for host in ("iris.ns.svc.cluster.local", "iris-ns.example.com", "iris-predictor.ns"):
            answer = await client.ask(request("/v2/health/ready", b"", "GET", host=host))
            assert answer.status == 200
    assert [seen.path for seen in predictor.requests] == [b"/v2/health/ready"] * 3


async def test_a_service_that_is_not_there(plane: Plane) -> None:
    async with Client.to(plane.port) as client:
        answer = await client.ask(request("/services/ns/rose/v1"))
    assert answer.status == 404
    assert b'"cause":"no service is served here: /services/ns/rose/v1"' in answer.body


async def test_nobody_ready(plane: Plane) -> None:
    await plane.at()
    answer = await plane.ask("/x")
    assert answer.status == 503
    assert b"service ns/iris has no ready replica" in answer.body


async def test_requests_wait_for_the_first_replica(plane: Plane, predictor: Predictor) -> None:
    await plane.at(hold=True)
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(plane.ask("/x")) for _ in range(20)]
        await eventually(lambda: plane.load.held == 20)
        await plane.at(predictor.origin, hold=True)
    assert [each.result().status for each in asked] == [200] * 20


async def test_a_client_that_leaves_while_it_waits(plane: Plane, predictor: Predictor) -> None:
    await plane.at(hold=True)
    async with Client.to(plane.port) as client:
        await client.send(request("/services/ns/iris/x"))
        await eventually(lambda: plane.load.held == 1)
    await eventually(lambda: plane.load == ServiceLoad(requests=1))
    await plane.at(predictor.origin, hold=True)
    assert (await plane.ask("/y")).status == 200
    assert [seen.path for seen in predictor.requests] == [b"/y"]


async def test_a_client_that_leaves_cancels_the_call(plane: Plane, predictor: Predictor) -> None:
    predictor.default = never()
    async with Client.to(plane.port) as client:
        await client.send(request("/services/ns/iris/x"))
        await eventually(lambda: plane.load.in_flight == 1 and predictor.heads == 1)
    await eventually(lambda: predictor.cancelled == 1)
    assert plane.load == ServiceLoad(requests=1)


async def test_the_callers_time_limit_counts(plane: Plane, predictor: Predictor) -> None:
    predictor.default = never()
    answer = await plane.ask("/x", headers={"X-Graphway-Timeout-Ms": "20"})
    assert answer.status == 504
    await plane.at(hold=True)
    answer = await plane.ask("/x", headers={"X-Graphway-Timeout-Ms": "20"})
    assert answer.status == 504
    assert plane.load.held == 0


async def test_an_end_waits_for_requests_to_services(plane: Plane, predictor: Predictor) -> None:
    gate = Gate()
    predictor.default = hold(gate, raw(render(b"done")))
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(plane.ask("/x"))
        await eventually(lambda: predictor.heads == 1)
        draining = tasks.create_task(plane.plane.drain(10.0))
        gate.open()
    assert asked.result().body == b"done"
    assert draining.result() == 0
