"""What a caller meets first: which graph answers, and what is too large for any."""

import json
from collections.abc import Callable

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo, reply

LIMIT = 10_000


async def test_the_path_decides_then_the_host_then_the_default(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = ""
    for name in ("red", "blue"):
        predictor.on(f"/{name}", reply(json.dumps(name).encode()))
        manifest += graph(name, "Sequence", {"serviceUrl": predictor.url(f"/{name}")})
    asked = {
        ("/graphs/test/red", "any"): "red",
        ("/graphs/test/blue/v1/models/x:predict", "any"): "blue",
        ("/graphs/test/red?a=b", "blue.test.example.com"): "red",
        ("/", "blue.test.svc.cluster.local"): "blue",
        ("/v1/models/x:predict", "blue-test.example.com:8080"): "blue",
        ("/", "BLUE.test"): "blue",
        ("/", "unknown.example.com"): "red",
        ("/", "bluetest.example.com"): "red",
        ("/graphs/test/green", "red.test"): None,
        ("/graphs/test", "red.test"): None,
    }
    seen: dict[tuple[str, str], str | None] = {}
    async with (
        serve(manifest, "--default-graph", "test/red") as router,
        Client.to(router.port) as client,
    ):
        for at, host in asked:
            response = await client.ask(request(at, host=host))
            body = json.loads(response.body)
            if response.status == 404:
                assert body.keys() == {"error", "cause"}
            seen[at, host] = body if response.status == 200 else None
    assert seen == asked


async def test_without_a_default_an_unknown_host_is_404(predictor: Predictor, serve: Serve) -> None:
    manifest = "".join(
        graph(name, "Sequence", {"serviceUrl": predictor.url("/m")}) for name in ("red", "blue")
    )
    async with serve(manifest) as router, Client.to(router.port) as client:
        assert (await client.ask(request("/", host="unknown"))).status == 404
        assert (await client.ask(request("/", host="red.test"))).status == 200


async def test_a_body_beyond_the_limit_is_413_however_it_is_framed(
    predictor: Predictor, serve: Serve
) -> None:
    """That is: one that is gathered, here because two steps are fed with it."""
    predictor.default = echo()
    steps = [{"serviceUrl": predictor.url("/m")}] * 2
    manifest = graph("g", "Sequence", *steps)
    chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    small = b"x" * LIMIT
    large = small + b"x"
    framings: dict[str, Callable[[bytes], bytes]] = {
        "content-length": lambda body: request(body=body),
        "one chunk": lambda body: chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        "small chunks": lambda body: chunked + b"1\r\nx\r\n" * len(body) + b"0\r\n\r\n",
    }
    async with serve(manifest, env={"GRAPHWAY_LIMIT_BODY_BYTES": str(LIMIT)}) as router:
        for name, frame in framings.items():
            async with Client.to(router.port) as client:
                response = await client.ask(frame(small))
                assert (response.status, response.body) == (200, small), name
                response = await client.ask(frame(large))
                assert (response.status, response.closes) == (413, True), name
                assert json.loads(response.body).keys() == {"error", "cause"}
                await client.closed()
    assert predictor.served == len(framings) * len(steps)


async def test_a_length_beyond_the_limit_is_413_before_the_body_comes(
    predictor: Predictor, serve: Serve
) -> None:
    manifest = graph("g", "Switch", {"serviceUrl": predictor.url("/m"), "condition": "a"})
    async with serve(manifest) as router, Client.to(router.port) as client:
        beyond = 100 * 1024 * 1024 + 1
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {beyond}\r\n\r\n"
        await client.send(head.encode())
        assert (await client.response()).status == 413
