"""The admin port: what it says about graphs, and that garbage gets a clean answer."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from graph.problems import Located, Problem
from router.config import EndpointSource, GraphSource
from router.front.admin import admin_app, admin_server
from router.front.admin_port import administer
from router.generation import Generation, settle
from router.metrics import Sample, Snapshot
from router.source import Loaded, LoadedGraph
from tests.kit.eventually import eventually_awaited

Client = TestClient[web.Request, web.Application]

STEPS = [{"serviceName": "iris"}, {"serviceUrl": "http://h:1/p"}, {"nodeName": "other"}]
MANIFEST = {"spec": {"nodes": {"root": {"routerType": "Sequence", "steps": STEPS}}}}
GOOD = LoadedGraph(GraphSource("ns/a", json.dumps(MANIFEST).encode()), "abc", "a.yaml", 4)
AT = {"ns/iris": EndpointSource.of(("http://127.0.0.1:9000",), "/v1/models/iris:predict")}
FILES = frozenset({"a.yaml"})


def bad(key: str | None) -> Located:
    return Located("a.yaml", 3, 7, Problem((), "bad", "mend it"), key)


class Shown:
    """A router as the admin port sees it."""

    data_url = "http://127.0.0.1:8080"

    def __init__(self) -> None:
        self.generation = settle(Generation(), Loaded((GOOD,), AT, (), FILES), now=0.0)
        self.ready = True
        self.stopping = False

    def edit(self, *problems: Located) -> None:
        self.generation = settle(self.generation, Loaded((), AT, problems, FILES), now=1.0)

    def workers(self) -> dict[str, int]:
        return {"configured": 2, "serving": 2, "current": 2}

    def explained(self) -> list[bytes]:
        return [b'{"id":"b","took_ms":2}', b'{"id":"a","took_ms":1}']

    def snapshot(self) -> Snapshot:
        return Snapshot({}, [Sample("graphway_workers", 2)])


class Listening:
    def __init__(self, url: str, ended: asyncio.Event, task: "asyncio.Task[None]") -> None:
        self.url = url
        self.ended = ended
        self._task = task

    async def end(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


@contextlib.asynccontextmanager
async def listening(
    router: Shown, *routes: web.RouteDef, most: int = 100
) -> AsyncIterator[Listening]:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    runner = admin_server(router, routes)
    async with asyncio.TaskGroup() as tasks:
        ended = asyncio.Event()
        serving = administer(runner, [listener], most=most, on_end=ended.set)
        made = Listening(url, ended, tasks.create_task(serving))
        try:
            yield made
        finally:
            await made.end()


@pytest.fixture
def router() -> Shown:
    return Shown()


@pytest.fixture
async def client(router: Shown) -> AsyncIterator[Client]:
    async def extra(_: web.Request) -> web.Response:
        return web.json_response({"kind": "List"})

    app = admin_app(router, [web.get("/apis/things", extra)])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_who_watches_does_not_hold_up_the_end(router: Shown) -> None:
    async def watch(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async with (
        listening(router, web.get("/apis/things", watch)) as admin,
        ClientSession() as session,
        session.get(f"{admin.url}/apis/things"),
    ):
        async with asyncio.timeout(20):
            await admin.end()
        assert admin.ended.is_set()


async def test_more_connections_than_there_may_be_are_told_so(router: Shown) -> None:
    async with listening(router, most=2) as admin:
        port = int(admin.url.rpartition(":")[2])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]

        async def asked() -> int:
            async with ClientSession() as session, session.get(f"{admin.url}/healthz") as answer:
                if answer.status == 503:
                    assert "too many connections" in (await answer.json())["cause"]
                return answer.status

        await eventually_awaited(lambda: _is(503, asked()), "no room")
        for _, writer in silent:
            writer.close()
        await eventually_awaited(lambda: _is(200, asked()), "room for one more")


async def _is(status: int, asked: Awaitable[int]) -> bool:
    return await asked == status


async def test_a_graph_that_serves(client: Client) -> None:
    answer = await (await client.get("/graphs")).json()
    assert answer["graphs"] == [
        {
            "namespace": "ns",
            "name": "a",
            "state": "serving",
            "revision": "abc",
            "since": "1970-01-01T00:00:00+00:00",
            "file": "a.yaml",
            "line": 4,
            "urls": ["http://127.0.0.1:8080/graphs/ns/a"],
            "last_error": None,
            "problems": [],
        }
    ]
    assert answer["workers"] == {"configured": 2, "serving": 2, "current": 2}


async def test_a_graph_behind_a_bad_edit_says_where_the_fault_is(
    client: Client, router: Shown
) -> None:
    router.edit(bad("ns/a"))
    (graph,) = (await (await client.get("/graphs")).json())["graphs"]
    assert graph["state"] == "stale"
    assert graph["revision"] == "abc"
    assert graph["last_error"] == "a.yaml:3:7: error bad: mend it"
    assert graph["problems"] == [
        {
            "file": "a.yaml",
            "line": 3,
            "column": 7,
            "severity": "error",
            "code": "bad",
            "message": "mend it",
        }
    ]


async def test_a_graph_that_was_never_good_is_listed(client: Client, router: Shown) -> None:
    router.edit(bad(None), bad("ns/new"))
    answer = await (await client.get("/graphs")).json()
    assert [(g["name"], g["state"]) for g in answer["graphs"]] == [
        ("a", "stale"),
        ("new", "failed"),
    ]
    assert len(answer["problems"]) == 2
    assert (await (await client.get("/graphs/ns/new")).json())["state"] == "failed"


async def test_one_graph_with_its_nodes_and_targets(client: Client) -> None:
    graph = await (await client.get("/graphs/ns/a")).json()
    assert graph["nodes"] == MANIFEST["spec"]["nodes"]
    assert graph["targets"] == [
        {
            "service": "ns/iris",
            "addresses": ["http://127.0.0.1:9000"],
            "path": "/v1/models/iris:predict",
        },
        {"url": "http://h:1/p"},
    ]


@pytest.mark.parametrize(
    ("ready", "status"), [pytest.param(True, 200, id="yes"), pytest.param(False, 503, id="no")]
)
async def test_readiness(client: Client, router: Shown, ready: bool, status: int) -> None:
    router.ready = ready
    response = await client.get("/readyz")
    assert response.status == status
    assert (await response.json())["ready"] is ready
    assert (await client.get("/healthz")).status == 200


async def test_metrics_are_for_prometheus(client: Client) -> None:
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "graphway_workers 2.0" in (await response.text()).splitlines()


async def test_others_may_add_routes(client: Client) -> None:
    assert await (await client.get("/apis/things")).json() == {"kind": "List"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 404, id="the root"),
        pytest.param("GET", "/graphs/ns/none", 404, id="no such graph"),
        pytest.param("GET", "/graphs/ns", 404, id="half a key"),
        pytest.param("GET", "/graphs/%ff/%00", 404, id="odd bytes"),
        pytest.param("GET", "/metrics/../../etc/passwd", 404, id="out of the tree"),
        pytest.param("POST", "/graphs", 405, id="a write"),
        pytest.param("DELETE", "/graphs/ns/a", 405, id="a delete"),
        pytest.param("PATCH", "/metrics", 405, id="a patch"),
    ],
)
async def test_garbage_gets_a_clean_answer(
    client: Client, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path, data=b"\xff\x00")
    assert response.status == status
    assert response.content_type == "application/json"
    assert set(await response.json()) == {"error", "cause"}
    assert ("Allow" in response.headers) is (status == 405)


async def test_requests_that_asked_to_be_explained(client: Client) -> None:
    answer = await client.get("/explain")
    assert answer.content_type == "application/json"
    assert await answer.json() == {
        "requests": [{"id": "b", "took_ms": 2}, {"id": "a", "took_ms": 1}]
    }
    assert await (await client.get("/explain/a")).json() == {"id": "a", "took_ms": 1}
    missing = await client.get("/explain/c")
    assert missing.status == 404
    assert "/explain lists all" in (await missing.json())["cause"]
