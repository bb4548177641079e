"""How a predictor is reached: by unix socket, by name, past any proxy, and never anywhere that it
points to itself.
"""

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.kit.client import Client, request
from tests.kit.manifests import graph, path
from tests.kit.predictor import Predictor
from tests.kit.scripts import echo, reply

ELSEWHERE = "http://127.0.0.1:9"  # nobody is there
REDIRECTS = (301, 302, 303, 307, 308)
PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


async def test_a_service_may_live_on_a_unix_socket(tmp_path: Path, serve: Serve) -> None:
    socket = str(tmp_path / "iris.sock")
    manifest = graph("g", "Sequence", {"serviceName": "iris"})
    async with Predictor(unix=socket) as predictor:
        predictor.default = echo()
        async with (
            serve(manifest, "--workers", "1", "--service", f"iris=unix:{socket}") as router,
            Client.to(router.port) as client,
        ):
            for number in range(3):
                response = await client.ask(request(path("g"), b"%d" % number))
                assert (response.status, response.body) == (200, b"%d" % number)
        assert len(predictor.connections) == 1, "it is kept alive"
        assert {call.path for call in predictor.requests} == {b"/v1/models/iris:predict"}


async def test_a_host_name_is_resolved(predictor: Predictor, serve: Serve) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": f"http://localhost:{predictor.port}/m"})
    async with (
        serve(manifest, "--workers", "1") as router,
        Client.to(router.port) as client,
    ):
        assert (await client.ask(request(path("g")))).status == 200
    (call,) = predictor.requests
    assert call.header(b"host") == b"localhost:%d" % predictor.port


async def test_proxies_of_the_environment_are_not_asked(predictor: Predictor, serve: Serve) -> None:
    manifest = graph("g", "Sequence", {"serviceUrl": predictor.url("/m")})
    env = {**dict.fromkeys(PROXIES, ELSEWHERE), "no_proxy": "", "NO_PROXY": ""}
    async with (
        serve(manifest, "--workers", "1", env=env) as router,
        Client.to(router.port) as client,
    ):
        assert (await client.ask(request(path("g")))).status == 200
    assert predictor.served == 1


@pytest.mark.parametrize("kserve", [False, True], ids=["ours", "KServe's statuses"])
async def test_a_redirect_is_the_answer_and_is_not_followed(
    kserve: bool, predictor: Predictor, serve: Serve
) -> None:
    manifest = ""
    for status in REDIRECTS:
        location = ((b"location", predictor.url("/there").encode()),)
        predictor.on(f"/{status}", reply(b'{"moved": true}', status, location))
        here = {"serviceUrl": predictor.url(f"/{status}")}
        manifest += graph(f"last-{status}", "Sequence", here)
        manifest += graph(f"hard-{status}", "Sequence", {**here, "dependency": "Hard"}, here)
    env = {"GRAPHWAY_COMPAT": "kserve"} if kserve else {}
    async with (
        serve(manifest, "--workers", "1", env=env) as router,
        Client.to(router.port) as client,
    ):
        for status in REDIRECTS:
            for name in (f"last-{status}", f"hard-{status}"):
                response = await client.ask(request(path(name)))
                assert (response.status, response.body) == (status, b'{"moved": true}')
                assert response.header(b"location") is None, "it is for us, not for the caller"
    assert [call.path for call in predictor.requests] == [
        b"/%d" % status for status in REDIRECTS for _ in range(2)
    ]
