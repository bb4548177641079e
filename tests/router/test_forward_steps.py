"""`forward: Caller` on a step: what reaches its target, and what comes back, byte by byte."""

from typing import Any

import pytest

from router.config import DataPlaneConfig, GraphSource
from tests.kit.client import Client
from tests.kit.predictor import Predictor
from tests.kit.scripts import raw, reply
from tests.router.plane import QUIET, Plane
from tests.router.upstream.asking import table
from tests.router.whole import source
from tests.scripts import sequence, splitter, step, switch


def passing(predictor: Predictor, base: str = "") -> GraphSource:
    return source("g", {"root": splitter(forwarding(predictor, base, weight=100))})


def forwarding(predictor: Predictor, base: str = "", **fields: Any) -> dict[str, Any]:
    return {"serviceUrl": predictor.origin + base, "forward": "Caller", **fields}


PATHS = {
    "the graph itself": ("", "/graphs/test/g", "/"),
    "a path below it": ("", "/graphs/test/g/v1/models", "/v1/models"),
    "a path of the host": ("", "/v1/models", "/v1/models"),
    "a query": ("", "/graphs/test/g/v1?a=%2F&a", "/v1?a=%2F&a"),
    "slashes and escapes": ("", "/graphs/test/g//a/%2e%2e/b/", "//a/%2e%2e/b/"),
    "below the URL's path": ("/openai/", "/graphs/test/g/v1/models", "/openai/v1/models"),
    "behind the URL's query": ("/x?key=1", "/graphs/test/g/v1?a=2", "/x/v1?key=1&a=2"),
    "the URL's query alone": ("?key=1", "/graphs/test/g/v1", "/v1?key=1"),
}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
@pytest.mark.parametrize("name", PATHS)
async def test_method_path_and_query(predictor: Predictor, name: str, method: str) -> None:
    base, asked, told = PATHS[name]
    async with Plane.of(passing(predictor, base), config=DEFAULT) as plane:
        assert (await plane.ask(asked, b"", method)).status == 200
    assert predictor.requests[0].head.start_line == f"{method} {told} HTTP/1.1".encode()


DEFAULT = DataPlaneConfig(log=QUIET, default_graph="test/g", propagate_headers=("^X-Tenant$",))
OUT_OF = ["/a/../b", "/..", "/.", "/%2E%2e/b", "/a/.%2e", "/..%2fb", "/..;/b", "/%2e%5cb"]


@pytest.mark.parametrize("path", OUT_OF)
async def test_a_path_that_may_leave_the_url(predictor: Predictor, path: str) -> None:
    async with Plane.of(passing(predictor, "/tenant")) as plane:
        answer = await plane.ask(f"/graphs/test/g{path}")
    assert answer.status == 400
    assert b"may lead out of the URL of the step" in answer.body
    assert predictor.requests == []


@pytest.mark.parametrize("path", ["/a..b/.c/...", "/a?x=/../"])
async def test_dots_that_lead_nowhere(predictor: Predictor, path: str) -> None:
    async with Plane.of(passing(predictor, "/tenant")) as plane:
        assert (await plane.ask(f"/graphs/test/g{path}")).status == 200
    assert [seen.path for seen in predictor.requests] == [b"/tenant" + path.encode()]


async def test_headers_of_the_call(predictor: Predictor) -> None:
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Authorization": "Bearer a",
        "Cookie": "b",
        "X-Tenant": "c",
        "X-Other": "d",
    }
    async with Plane.of(passing(predictor), config=DEFAULT) as plane:
        await plane.ask("/v1", b"{}", headers=headers)
    assert predictor.requests[0].head.headers == (
        (b"host", predictor.origin.removeprefix("http://").encode()),
        (b"content-type", b"application/json"),
        (b"x-tenant", b"c"),
        (b"accept", b"text/event-stream"),
        (b"content-length", b"2"),
    )


async def test_what_is_propagated_is_not_doubled(predictor: Predictor) -> None:
    config = DataPlaneConfig(log=QUIET, propagate_headers=("Accept",))
    async with Plane.of(passing(predictor), config=config) as plane:
        await plane.ask("/graphs/test/g", headers={"Accept": "a/b"})
    assert predictor.requests[0].header(b"accept") == b"a/b"


async def test_nothing_describes_a_body_that_is_not_there(predictor: Predictor) -> None:
    async with Plane.of(passing(predictor)) as plane:
        await plane.get("/graphs/test/g/v1/models")
    (seen,) = predictor.requests
    assert [name for name, _ in seen.head.headers] == [b"host"]


async def test_all_headers_of_the_answer_but_those_of_the_front(predictor: Predictor) -> None:
    lines = (
        b"Content-Type: text/x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nServer: u\r\nDate: never\r\n"
        b"X-Request-Id: theirs\r\nX-Graphway-Revision: theirs\r\nConnection: x-hop\r\nX-Hop: 1\r\n"
        b"Transfer-Encoding: chunked\r\n"
    )
    predictor.default = raw(b"HTTP/1.1 418 I\r\n" + lines + b"\r\n2\r\nab\r\n0\r\n\r\n")
    async with Plane.of(passing(predictor)) as plane:
        answer = await plane.ask("/graphs/test/g", headers={"X-Request-Id": "mine"})
    assert (answer.status, answer.body) == (418, b"ab")
    shown = [pair for pair in answer.head.headers if pair[0] not in (b"date", b"connection")]
    revision = dict(shown)[b"x-graphway-revision"]
    assert len(revision) == 8
    assert shown == [
        (b"content-type", b"text/x"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"server", b"u"),
        (b"x-request-id", b"mine"),
        (b"x-graphway-revision", revision),
        (b"content-length", b"2"),
    ]


@pytest.mark.parametrize(
    ("told", "length"), [(b"Content-Length: 12\r\n", b"12"), (b"", None)], ids=["told", "untold"]
)
async def test_head_tells_what_get_would(
    predictor: Predictor, told: bytes, length: bytes | None
) -> None:
    predictor.default = raw(b"HTTP/1.1 200 OK\r\nX-A: b\r\n" + told + b"\r\n")
    async with Plane.of(passing(predictor)) as plane:
        answer = await plane.ask("/graphs/test/g/v1", b"", "HEAD")
    assert (answer.header(b"content-length"), answer.header(b"x-a")) == (length, b"b")


async def test_a_service_is_asked_at_its_origin(predictor: Predictor) -> None:
    graph = source("g", {"root": sequence({"serviceName": "iris", "forward": "Caller"})})
    services = table(("r1", 100, (predictor.origin,)), key="test/iris")
    async with Plane.of(graph, services=services) as plane:
        await plane.get("/graphs/test/g/v2/models/m/config?a=b")
    assert [seen.path for seen in predictor.requests] == [b"/v2/models/m/config?a=b"]


async def test_the_next_step_gets_the_body_and_no_other_header(predictor: Predictor) -> None:
    headers = ((b"content-type", b"text/csv"), (b"set-cookie", b"a"), (b"server", b"u"))
    predictor.on("/v1", reply(b"1,2", headers=headers))
    first = forwarding(predictor)
    then = step("b", data="$response") | {"serviceUrl": f"{predictor.origin}/next"}
    async with Plane.of(source("g", {"root": sequence(first, then)})) as plane:
        answer = await plane.ask("/graphs/test/g/v1")
    following = predictor.requests[1]
    assert (following.method, following.path, following.body) == (b"POST", b"/next", b"1,2")
    assert following.header(b"content-type") == b"text/csv"
    assert following.header(b"server") is None
    assert answer.header(b"server") is None


async def test_conditions_on_bodies_do_not_match_a_get(predictor: Predictor) -> None:
    root = switch(
        forwarding(predictor, "/by-model", condition='[@this].#(model=="a")'),
        forwarding(predictor, "/any", condition="@this"),
    )
    async with Plane.of(source("g", {"root": root})) as plane:
        assert (await plane.get("/graphs/test/g/v1/models")).status == 404
        assert (await plane.ask("/graphs/test/g/v1", b'{"model":"a"}')).status == 200
    assert [seen.path for seen in predictor.requests] == [b"/by-model/v1"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_arrives_whole(predictor: Predictor, chunked: bool) -> None:
    body = bytes(range(256)) * 4096
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    head = b"PUT /graphs/test/g/v1/files?a=b HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\n%b\r\n\r\n"
    predictor.default = reply(body[::-1], 201, ((b"content-type", b"a/c"), (b"etag", b"x")))
    async with Plane.of(passing(predictor)) as plane, Client.to(plane.port) as client:
        answer = await client.ask(head % framing + sent)
    assert (answer.status, answer.body, answer.header(b"etag")) == (201, body[::-1], b"x")
    (seen,) = predictor.requests
    assert (seen.method, seen.path, seen.body) == (b"PUT", b"/v1/files?a=b", body)
    assert seen.header(b"content-type") == b"a/b"
