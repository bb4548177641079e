"""Azure's containers, against its answers by script."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import tree


@pytest_asyncio.fixture
async def azure() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """One container `models` with two blobs, as the service answers; and what was asked."""
    blobs = {
        "bert/model.bin": b"x" * 250_000,
        "bert/vocab.txt": b"a b",
        "odd/model.bin": b"y" * 250_001,
        "young/model.bin": b"z",
    }
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        name = request.path.removeprefix("/acc/models").strip("/")
        if request.query.get("comp") == "list":
            rows = "".join(
                f"<Blob><Name>{key}</Name><Properties><Last-Modified>Wed, 21 Oct 2015 07:28:00 GMT"
                f"</Last-Modified><Etag>{'' if 'bert' in key else 'other-'}0x{len(content)}</Etag>"
                f"<Content-Length>{len(content)}"
                "</Content-Length><Content-Type>application/octet-stream</Content-Type>"
                "</Properties></Blob>"
                for key, content in blobs.items()
                if key.startswith(request.query.get("prefix", ""))
            )
            start = '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
            return web.Response(text=f"{start}{rows}</Blobs><NextMarker/></EnumerationResults>")
        if name not in blobs:
            return web.Response(status=404)
        content = blobs[name]
        etag = f'"0x{len(content)}"'
        if request.headers.get("If-Match", etag) != etag:
            return web.Response(status=412)
        date = "Fri, 21 Oct 2016" if name.startswith("young") else "Wed, 21 Oct 2015"
        headers = {"ETag": etag, "Last-Modified": f"{date} 07:28:00 GMT"}
        asked_range = request.http_range
        if asked_range.start is None:
            return web.Response(body=content, headers=headers)
        part = content[asked_range]
        headers["Content-Range"] = (
            f"bytes {asked_range.start}-{asked_range.start + len(part) - 1}/{len(content)}"
        )
        return web.Response(status=206, body=part, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/acc", asked
    await runner.cleanup()


AZURE = {
    "nobody's": ("", {}, lambda asked: "Authorization" not in asked.headers),
    "a key": (
        "",
        {"AZURE_STORAGE_ACCESS_KEY": "c2VjcmV0"},
        lambda asked: asked.headers["Authorization"].startswith("SharedKey acc:"),
    ),
    "a token": (
        "",
        {"AZURE_ACCESS_TOKEN": "t0ken"},
        lambda asked: asked.headers["Authorization"] == "Bearer t0ken",
    ),
    "a signature in the URI": (
        "?sv=2024&sig=s1g",
        {},
        lambda asked: asked.query["sig"] == "s1g" and "Authorization" not in asked.headers,
    ),
}


@pytest.mark.parametrize(("query", "env", "is_right"), AZURE.values(), ids=AZURE)
async def test_azure_blobs_below_a_prefix_with_credentials_that_are(
    query: str,
    env: dict[str, str],
    is_right: object,
    azure: tuple[str, list[web.Request]],
    fetcher: Fetcher,
    tmp_path: Path,
) -> None:
    endpoint, asked = azure
    request = Request(
        f"https://acc.blob.core.windows.net/models/bert{query}",
        tmp_path / "m",
        credentials=Credentials(env | {"AZURE_STORAGE_ENDPOINT": endpoint}),
    )
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": b"x" * 250_000, "vocab.txt": b"a b"}
    assert callable(is_right)
    assert all(is_right(one) for one in asked)
    assert len(asked) >= 5


async def test_azure_a_principal_that_gets_no_token_is_denied(
    azure: tuple[str, list[web.Request]],
    refusing: list[tuple[int, str]],
    fetcher: Fetcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing.append((400, "invalid_grant"))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"http://127.0.0.1:{refusing[0][0]}")
    env = {
        "AZURE_CLIENT_ID": "c",
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_SECRET": "s3cret",
        "AZURE_STORAGE_ENDPOINT": azure[0],
    }
    uri = "https://acc.blob.core.windows.net/models/bert"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=Credentials(env)))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.DENIED
    assert "s3cret" not in found.message


async def test_an_etag_that_only_the_listing_has_is_no_change(
    azure: tuple[str, list[web.Request]], fetcher: Fetcher, tmp_path: Path
) -> None:
    credentials = Credentials({"AZURE_STORAGE_ENDPOINT": azure[0]})
    uri = "https://acc.blob.core.windows.net/models/odd"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=credentials))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": b"y" * 250_001}


async def test_an_object_that_is_younger_than_its_listing_has_changed(
    azure: tuple[str, list[web.Request]], fetcher: Fetcher, tmp_path: Path
) -> None:
    credentials = Credentials({"AZURE_STORAGE_ENDPOINT": azure[0]})
    uri = "https://acc.blob.core.windows.net/models/young"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.CHANGED
