"""hf:// against a hub by script: its API, files behind redirects, tokens."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import names, tree
from tests.controller.storage.site import Site

SHA = "f" * 40
FILES = {"config.json": b'{"a": 1}', "onnx/model.onnx": bytes(range(256)) * 1500, ".git": b""}


class Hub:
    """One model `owner/bert`, its large files at `cdn`."""

    def __init__(self, cdn: Site) -> None:
        self.cdn = cdn
        self.files = dict(FILES)
        self.errors: list[tuple[int, str]] = []
        self.authorizations: list[str | None] = []
        self.revisions: list[str] = []

    async def api(self, request: web.Request) -> web.Response:
        self.authorizations.append(request.headers.get("Authorization"))
        if self.errors:
            status, code = self.errors[-1]
            return web.Response(status=status, headers={"X-Error-Code": code})
        self.revisions.append(request.match_info.get("revision", "main"))
        siblings = [_sibling(name, content) for name, content in FILES.items()]
        return web.json_response({"id": "owner/bert", "sha": SHA, "siblings": siblings})

    async def file(self, request: web.Request) -> web.Response:
        self.authorizations.append(request.headers.get("Authorization"))
        name = request.match_info["name"]
        self.cdn.put(f"/{name}", self.files[name])
        return web.Response(status=302, headers={"Location": self.cdn.url(f"/{name}")})


def _sibling(name: str, content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": name, "size": len(content)}
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if name.endswith(".onnx"):
        sha256 = hashlib.sha256(content).hexdigest()
        found["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 1}
        blob = "0" * 40
    return found | {"blobId": blob}


@pytest_asyncio.fixture
async def hub(site: Site) -> AsyncIterator[tuple[Hub, Credentials]]:
    running = Hub(site)
    app = web.Application()
    app.router.add_get("/api/models/owner/bert", running.api)
    app.router.add_get("/api/models/owner/bert/revision/{revision}", running.api)
    app.router.add_get(f"/owner/bert/resolve/{SHA}/{{name:.+}}", running.file)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running, Credentials({"HF_ENDPOINT": endpoint, "HF_TOKEN": "hf_s3cret"})
    await runner.cleanup()


async def test_a_model_comes_whole_and_the_token_stays_at_the_hub(
    hub: tuple[Hub, Credentials], fetcher: Fetcher, tmp_path: Path
) -> None:
    running, credentials = hub
    request = Request("hf://owner/bert:v1.0", tmp_path / "m", credentials=credentials)
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert tree(found.path) == FILES
    assert running.revisions == ["v1.0"]
    assert set(running.authorizations) == {"Bearer hf_s3cret"}
    assert {asked.headers.get("authorization") for asked in running.cdn.asked} == {None}
    assert len(running.cdn.bodies()) == 5  # the large one in four parts, nothing of the empty one


async def test_without_a_token_nobody_is_asked_for_one(
    hub: tuple[Hub, Credentials], fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, credentials = hub
    monkeypatch.setitem(os.environ, "HF_TOKEN", "of-the-process")
    anonymous = Credentials({"HF_ENDPOINT": credentials.env["HF_ENDPOINT"]})
    found = await fetcher.fetch(Request("hf://owner/bert", tmp_path / "m", credentials=anonymous))
    assert isinstance(found, Fetched)
    assert set(running.authorizations) == {None}


@pytest.mark.parametrize("name", ["onnx/model.onnx", "config.json"])
async def test_bytes_that_are_not_those_of_the_commit_are_refused(
    name: str, hub: tuple[Hub, Credentials], fetcher: Fetcher, tmp_path: Path
) -> None:
    running, credentials = hub
    running.files[name] = running.files[name][:-1] + b"?"
    found = await fetcher.fetch(Request("hf://owner/bert", tmp_path / "m", credentials=credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.CORRUPT
    assert name in found.message
    assert names(tmp_path) == ["m.lock"]


ERRORS = {
    "gated": (403, "GatedRepo", Reason.DENIED, "ask for access"),
    "not there": (404, "RepoNotFound", Reason.NOT_FOUND, "owner/bert"),
    "no such revision": (404, "RevisionNotFound", Reason.NOT_FOUND, "revision v9"),
    "forbidden": (403, "", Reason.DENIED, "HF_TOKEN"),
    "ill": (500, "", Reason.UNREACHABLE, "500"),
    "too many": (429, "", Reason.UNREACHABLE, "429"),
    "nonsense": (418, "", Reason.BAD_ANSWER, "418"),
}


@pytest.mark.parametrize(("status", "code", "reason", "words"), ERRORS.values(), ids=ERRORS)
async def test_refusals_in_our_words(
    status: int,
    code: str,
    reason: Reason,
    words: str,
    hub: tuple[Hub, Credentials],
    fetcher: Fetcher,
    tmp_path: Path,
) -> None:
    running, credentials = hub
    running.errors = [(status, code)]
    request = Request("hf://owner/bert:v9", tmp_path / "m", credentials=credentials)
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert found.reason is reason
    assert words in found.message
    assert "s3cret" not in found.message


async def test_no_hub_at_all(fetcher: Fetcher, tmp_path: Path) -> None:
    async with Site() as closed:
        credentials = Credentials({"HF_ENDPOINT": closed.url("")})
    found = await fetcher.fetch(Request("hf://a/b", tmp_path / "m", credentials=credentials))
    assert isinstance(found, FetchFailed)
    assert (found.reason, found.retry) == (Reason.UNREACHABLE, True)
