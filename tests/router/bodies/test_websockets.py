"""WebSockets through graphs and services, with a real client and a real server (aiohttp's)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from router.config import GraphSource
from router.front.http import HttpFront
from tests.kit.client import Client
from tests.kit.eventually import eventually
from tests.kit.predictor import Exchange, Predictor
from tests.kit.scripts import raw, reply
from tests.router.bodies.plane import Plane
from tests.router.upstream.asking import table
from tests.router.whole import source

BODY = b"x" * (4 << 20)
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def handshake(path: str = "/graphs/test/g", more: str = "") -> bytes:
    return HANDSHAKE.format(path=path, more=more).encode()


class Server:
    """Echoes messages, and closes when it is told to."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.closed = 0
        self.port = 0

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        self.requests.append(request)
        socket = web.WebSocketResponse(protocols=("chat",), max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.data == "leave":
                await socket.close(code=4001)
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        self.closed += 1
        return socket


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    serving = Server()
    app = web.Application()
    app.router.add_get("/{tail:.*}", serving.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    serving.port = runner.addresses[0][1]
    yield serving
    await runner.cleanup()


@contextlib.asynccontextmanager
async def plane_of(*graphs: GraphSource, **services: object) -> AsyncIterator[Plane]:
    plane = Plane()
    with contextlib.closing(plane):
        await plane.install(*graphs, **services)  # type: ignore[arg-type]
        yield plane
        await plane.at_rest()


def one(url: str, **step: object) -> GraphSource:
    steps = [{"serviceUrl": url, **step}]
    return source("g", {"root": {"routerType": "Sequence", "steps": steps}})


@contextlib.asynccontextmanager
async def connected(
    plane: Plane, path: str = "/graphs/test/g", **given: object
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"ws://127.0.0.1:{plane.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=("chat",), max_msg_size=0, **given) as socket,  # type: ignore[call-overload]
    ):
        yield socket


async def test_messages_pass_both_ways_until_the_client_closes(server: Server) -> None:
    async with plane_of(one(f"http://127.0.0.1:{server.port}/ws?model=a")) as plane:
        async with connected(plane) as socket:
            assert socket.protocol == "chat"
            await socket.send_str("hello")
            assert (await socket.receive_str()) == "hello"
            await socket.send_bytes(BODY)
            assert (await socket.receive_bytes()) == BODY
            assert plane.count("graphway_requests_in_flight") == 1
            await socket.close()
        await plane.counted("graphway_requests_total", code="101")
        await plane.counted("graphway_step_calls_total", code="101")
    (seen,) = server.requests
    assert seen.path_qs == "/ws?model=a"
    assert seen.headers["Origin" if "Origin" in seen.headers else "Host"]
    assert server.closed == 1


async def test_a_server_that_closes_closes_the_client(server: Server) -> None:
    async with (
        plane_of(one(f"http://127.0.0.1:{server.port}/")) as plane,
        connected(plane) as socket,
    ):
        await socket.send_str("leave")
        message = await socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert message.data == 4001


async def test_a_client_that_vanishes_takes_the_other_side_with_it(server: Server) -> None:
    async with plane_of(one(f"http://127.0.0.1:{server.port}/")) as plane:
        async with Client.to(plane.port) as client:
            await client.send(handshake())
            await client.arrived(b"\r\n\r\n")
            client.reset()
        await eventually(lambda: server.closed == 1, "the server sees it")
        await plane.counted("graphway_requests_total", code="499")


async def test_a_client_that_vanishes_while_the_server_takes_nothing(predictor: Predictor) -> None:
    """Its reset is not seen by reading: that is held back."""

    async def script(exchange: Exchange) -> None:
        exchange.send(SWITCHED)
        exchange.stop_reading()
        await exchange.left()

    predictor.on("/ws", script)
    async with plane_of(one(predictor.url("/ws"))) as plane, plane.client() as client:
        await client.send(handshake())
        await client.arrived(b"\r\n\r\n")
        client.write(bytes(64 << 20))
        front = plane.plane._front
        assert isinstance(front, HttpFront)
        await eventually(lambda: all(c._reading_paused for c in front.connections), "all is full")
        client.reset()
        await plane.counted("graphway_requests_total", code="499")


SWITCH = {
    "a": {"condition": "cel: headers['x-tier'] == 'gold'"},
    "b": {"condition": "cel: query['model'] == 'small'"},
}


@pytest.mark.parametrize(
    ("query", "headers", "path"),
    [("", {"X-Tier": "gold"}, "/a"), ("?model=small", {"X-Tier": "tin"}, "/b")],
)
async def test_a_switch_sees_headers_and_query(
    server: Server, query: str, headers: dict[str, str], path: str
) -> None:
    base = f"http://127.0.0.1:{server.port}"
    steps = [{"serviceUrl": f"{base}/{name}", **step} for name, step in SWITCH.items()]
    graph = source("g", {"root": {"routerType": "Switch", "steps": steps}})
    async with (
        plane_of(graph) as plane,
        connected(plane, f"/graphs/test/g{query}", headers=headers) as socket,
    ):
        await socket.send_str("x")
        await socket.receive_str()
    assert server.requests[0].path == path


async def test_the_callers_own_path_and_a_service_by_itself(server: Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    services = table(("r1", 100, [origin]))
    graph = one(origin, forward="Caller")
    async with plane_of(graph, services=services) as plane:
        for path in ("/graphs/test/g/v1/realtime?model=x", "/services/ns/iris/v1/realtime?model=x"):
            async with connected(plane, path) as socket:
                await socket.send_str("hello")
                assert (await socket.receive_str()) == "hello"
        await eventually(lambda: server.closed == 2, "both are over")
    assert [seen.path_qs for seen in server.requests] == ["/v1/realtime?model=x"] * 2


async def test_an_answer_that_is_no_101_is_an_answer(predictor: Predictor) -> None:
    predictor.default = reply(b'{"no": 1}', status=403)
    async with plane_of(one(predictor.url("/ws"))) as plane, plane.client() as client:
        for _ in range(2):  # the connection lives on
            answer = await client.ask(handshake())
            assert (answer.status, answer.body) == (403, b'{"no": 1}')
    assert len(predictor.connections) == 1
    seen = predictor.requests[0]
    assert (seen.method, seen.body) == (b"GET", b"")
    assert seen.header(b"sec-websocket-version") == b"13"
    assert seen.header(b"upgrade") == b"websocket"
    assert seen.header(b"content-type") is None


def ensemble(url: str) -> GraphSource:
    steps = [{"name": name, "serviceUrl": url} for name in "ab"]
    return source("g", {"root": {"routerType": "Ensemble", "steps": steps}})


def sequence(url: str) -> GraphSource:
    steps = [{"serviceUrl": url}, {"serviceUrl": url, "data": "$response"}]
    return source("g", {"root": {"routerType": "Sequence", "steps": steps}})


async def test_a_step_that_makes_a_body_says_that_there_is_none(predictor: Predictor) -> None:
    for step in ({"data": "jmespath: {host: headers.host}"}, {"mapPredictionsToInstances": True}):
        async with plane_of(one(predictor.url("/ws"), **step)) as plane, plane.client() as client:
            answer = await client.ask(handshake())
            assert answer.status == 400
            assert b"a WebSocket has no body" in answer.body
    assert predictor.heads == 0


@pytest.mark.parametrize("made", [ensemble, sequence])
async def test_a_graph_with_more_than_one_call_says_why_not(
    predictor: Predictor, made: Callable[[str], GraphSource]
) -> None:
    async with plane_of(made(predictor.url("/ws"))) as plane, plane.client() as client:
        answer = await client.ask(handshake())
        assert answer.status == 400
        assert b"a WebSocket needs one target" in answer.body
    assert predictor.heads == 0


async def test_what_a_client_sends_before_the_answer_follows_it(predictor: Predictor) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.send(SWITCHED + b"from the server")
        await eventually(
            lambda: exchange.connection.received.endswith(b"from the client"), "its bytes"
        )
        exchange.close()

    predictor.on("/ws", script)
    async with plane_of(one(predictor.url("/ws"))) as plane, plane.client() as client:
        await client.send(handshake() + b"from the client")
        came = await client.closed()
        assert came.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert came.endswith(b"\r\n\r\nfrom the server")


async def test_the_end_of_the_clients_side_reaches_the_server(predictor: Predictor) -> None:
    """Which may go on with its own."""
    predictor.on("/ws", raw(SWITCHED))
    ended = asyncio.Event()

    def eof(exchange: Exchange) -> bool:
        exchange._transport.write(b"bye")
        ended.set()
        return False

    original = Exchange.eof_received
    Exchange.eof_received = eof  # type: ignore[method-assign]
    try:
        async with plane_of(one(predictor.url("/ws"))) as plane, plane.client() as client:
            await client.send(handshake())
            await client.arrived(b"\r\n\r\n")
            client.half_close()
            async with asyncio.timeout(10):
                await ended.wait()
            assert (await client.closed()).endswith(b"\r\n\r\nbye")
    finally:
        Exchange.eof_received = original  # type: ignore[method-assign]


async def test_a_plain_request_that_is_switched_is_a_bad_answer(predictor: Predictor) -> None:
    predictor.on("/ws", raw(SWITCHED))
    async with plane_of(one(predictor.url("/ws"))) as plane, plane.client() as client:
        await client.send(handshake().replace(b"websocket", b"h2c"))
        assert (await client.response()).status == 502
