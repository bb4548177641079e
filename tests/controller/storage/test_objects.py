"""Buckets and blob containers: a real S3 server, Google's emulator, Azure's answers by script."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.names import Patterns
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import Bucket, MakeFetcher, tree
from tests.controller.storage.google_front import Google
from tests.controller.storage.site import Site
from tests.controller.storage.test_unpack import tar


async def test_s3_what_lies_below_the_prefix_comes_with_its_names(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("models/iris/model.joblib", b"x" * 350_000)
    bucket.put("models/iris/extra dir/50%.txt", b"half")
    bucket.put("models/iris/empty", b"")
    bucket.put("models/iris-2/model.joblib", b"not this one")
    target = tmp_path / "iris"
    uri = f"s3://{bucket.name}/models/iris"
    found = await fetcher.fetch(Request(uri, target, credentials=bucket.credentials))
    assert isinstance(found, Fetched)
    assert tree(target) == {
        "model.joblib": b"x" * 350_000,
        "extra dir/50%.txt": b"half",
        "empty": b"",
    }
    assert found.size_bytes == 350_004
    assert found.digest


KEYS = {
    "one/model.bin": b"1",
    "one/model.bin.md5": b"2",
    "one/deep/er/x": b"3",
    "two/pack.tar.gz": tar(("inside", b"4")),
}

PREFIXES: dict[str, tuple[str, dict[str, bytes]]] = {
    "an object is itself": ("one/model.bin", {"model.bin": b"1"}),
    "a slash at the end changes nothing": ("one/deep/", {"er/x": b"3"}),
    "a folder of folders": (
        "one",
        {"model.bin": b"1", "model.bin.md5": b"2", "deep/er/x": b"3"},
    ),
    "one archive is unpacked": ("two", {"inside": b"4"}),
    "named by itself, too": ("two/pack.tar.gz", {"inside": b"4"}),
}


@pytest.mark.parametrize(("prefix", "files"), PREFIXES.values(), ids=PREFIXES)
async def test_s3_prefixes(
    prefix: str, files: dict[str, bytes], bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    for key, content in KEYS.items():
        bucket.put(key, content)
    uri = f"s3://{bucket.name}/{prefix}"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=bucket.credentials))
    assert isinstance(found, Fetched)
    assert tree(found.path) == files


async def test_s3_a_whole_bucket_and_patterns(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    for key, content in KEYS.items():
        bucket.put(key, content)
    wanted = Patterns(allow=("one/*",), ignore=("*.md5",))
    request = Request(
        f"s3://{bucket.name}", tmp_path / "m", credentials=bucket.credentials, patterns=wanted
    )
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"one/model.bin": b"1", "one/deep/er/x": b"3"}


async def test_s3_patterns_that_leave_nothing_are_told(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("x/a", b"1")
    request = Request(
        f"s3://{bucket.name}/x",
        tmp_path / "m",
        credentials=bucket.credentials,
        patterns=Patterns(ignore=("*",)),
    )
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert "STORAGE_IGNORE_PATTERNS" in found.message


async def test_s3_folder_markers_are_no_files(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    import urllib.request

    bucket.put("m/sub/file", b"1")
    for marker in ("m/", "m/sub/"):
        url = f"{bucket.endpoint}/{bucket.name}/{marker.replace('/', '%2F')}"
        await asyncio.to_thread(_put, urllib.request.Request(url, data=b"", method="PUT"))
    found = await fetcher.fetch(
        Request(f"s3://{bucket.name}/m", tmp_path / "m", credentials=bucket.credentials)
    )
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"sub/file": b"1"}


def _put(request: object) -> None:
    import urllib.request

    urllib.request.urlopen(request).close()  # type: ignore[arg-type]


MISSING = {
    "no such bucket": ("s3://there-is-none/m", "no such bucket"),
    "nothing below it": ("s3://{bucket}/none", "nothing at"),
    "nothing below it, with a slash": ("s3://{bucket}/none/", "nothing at"),
    "part of a name only": ("s3://{bucket}/mod", "nothing at"),
}


@pytest.mark.parametrize(("uri", "words"), MISSING.values(), ids=MISSING)
async def test_s3_what_is_not_there(
    uri: str, words: str, bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("model/x", b"1")
    request = Request(
        uri.format(bucket=bucket.name), tmp_path / "m", credentials=bucket.credentials
    )
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert (found.reason, found.retry) == (Reason.NOT_FOUND, False)
    assert words in found.message


ANSWERS = {
    "denied": (403, "AccessDenied", Reason.DENIED, "may not read it"),
    "a wrong key": (403, "InvalidAccessKeyId", Reason.DENIED, "credentials"),
    "a wrong signature": (403, "SignatureDoesNotMatch", Reason.DENIED, "credentials"),
    "an old token": (400, "ExpiredToken", Reason.DENIED, "ExpiredToken"),
    "another region": (301, "PermanentRedirect", Reason.BAD_ANSWER, "AWS_DEFAULT_REGION"),
    "slow down": (503, "SlowDown", Reason.UNREACHABLE, "503"),
    "ill": (500, "InternalError", Reason.UNREACHABLE, "500"),
}


@pytest_asyncio.fixture
async def refusing() -> AsyncIterator[list[tuple[int, str]]]:
    """A store that answers everything with the last of the list; its endpoint is the first."""
    answers: list[tuple[int, str]] = []

    async def answer(request: web.Request) -> web.Response:
        status, code = answers[-1]
        return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answers.append((runner.addresses[0][1], ""))
    yield answers
    await runner.cleanup()


@pytest.mark.parametrize(("status", "code", "reason", "words"), ANSWERS.values(), ids=ANSWERS)
async def test_s3_refusals_in_our_words_without_secrets(
    status: int,
    code: str,
    reason: Reason,
    words: str,
    refusing: list[tuple[int, str]],
    fetcher: Fetcher,
    tmp_path: Path,
) -> None:
    env = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{refusing[0][0]}",
    }
    refusing.append((status, code))
    found = await fetcher.fetch(
        Request("s3://bucket/m", tmp_path / "m", credentials=Credentials(env))
    )
    assert isinstance(found, FetchFailed)
    assert found.reason is reason
    assert words in found.message
    assert "s3cret" not in found.message
    assert "AKID" not in found.message


async def test_s3_without_credentials_the_request_is_anonymous_and_says_so(
    refusing: list[tuple[int, str]], fetcher: Fetcher, tmp_path: Path
) -> None:
    refusing.append((403, "AccessDenied"))
    env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{refusing[0][0]}"}
    found = await fetcher.fetch(Request("s3://b-1/m", tmp_path / "m", credentials=Credentials(env)))
    assert isinstance(found, FetchFailed)
    assert "no credentials were given" in found.message


async def test_credentials_of_the_process_are_not_mixed_in(
    site: Site, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "of-the-process")
    key = {"AWS_ACCESS_KEY_ID": "GIVEN", "AWS_SECRET_ACCESS_KEY": "x"}
    endpoint = {"AWS_ENDPOINT_URL": site.url("")}
    for env in (endpoint, endpoint | key):
        await fetcher.fetch(Request("s3://b-1/m", tmp_path / "m", credentials=Credentials(env)))
    authorizations = [asked.headers.get("authorization", "") for asked in site.asked]
    assert authorizations[0] == ""
    assert "Credential=GIVEN/" in authorizations[-1]
    assert "of-the-process" not in repr(site.asked)


async def test_s3_a_cut_body_goes_on_where_it_broke(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 2000
    dates = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    site.put("/bkt/m.bin", content, cuts=[80_000], headers=dates)
    credentials = Credentials({"AWS_ENDPOINT_URL": site.url("")})
    async with make_fetcher(parallel=1) as fetcher:
        found = await fetcher.fetch(
            Request("s3://bkt/m.bin", tmp_path / "m", credentials=credentials)
        )
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"m.bin": content}
    first, second = [asked.range for asked in site.asked if asked.range][:2]
    assert first == "bytes=0-99999"
    assert second is not None
    assert int(second.removeprefix("bytes=").split("-")[0]) > 0


# Google


@pytest_asyncio.fixture
async def google() -> AsyncIterator[Google]:
    async with Google() as running:
        yield running


async def test_gs_a_prefix_and_an_object(google: Google, fetcher: Fetcher, tmp_path: Path) -> None:
    await google.create("examples")
    await google.put("examples", "iris/1.0/model.joblib", b"x" * 250_000)
    await google.put("examples", "iris/1.0/conf/a b.json", b"{}")
    credentials = Credentials({"GOOGLE_BASE_URL": google.endpoint})
    wanted = {
        "gs://examples/iris": {"1.0/model.joblib": b"x" * 250_000, "1.0/conf/a b.json": b"{}"},
        "gs://examples/iris/1.0/conf/a b.json": {"a b.json": b"{}"},
    }
    for number, (uri, files) in enumerate(wanted.items()):
        request = Request(uri, tmp_path / f"{number}", credentials=credentials)
        found = await fetcher.fetch(request)
        assert isinstance(found, Fetched)
        assert tree(found.path) == files
    assert google.authorizations == {None}


async def test_gs_what_is_not_there(google: Google, fetcher: Fetcher, tmp_path: Path) -> None:
    await google.create("examples")
    credentials = Credentials({"GOOGLE_BASE_URL": google.endpoint})
    for uri in ("gs://none/m", "gs://examples/none"):
        found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=credentials))
        assert isinstance(found, FetchFailed)
        assert found.reason is Reason.NOT_FOUND


GOOGLE_KEYS = {
    "no JSON": "hunter2-is-no-json",
    "a person's": json.dumps({"type": "authorized_user", "refresh_token": "hunter2"}),
    "half of one": json.dumps({"type": "service_account", "private_key": "hunter2"}),
    "a list": "[]",
}


@pytest.mark.parametrize("key", GOOGLE_KEYS.values(), ids=GOOGLE_KEYS)
async def test_gs_a_key_that_cannot_be_used_is_told_and_not_shown(
    key: str, fetcher: Fetcher, tmp_path: Path
) -> None:
    credentials = Credentials(google_key=key)
    found = await fetcher.fetch(Request("gs://b-1/m", tmp_path / "m", credentials=credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_CREDENTIALS
    assert "hunter2" not in found.message


# Azure


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


async def test_names_that_no_disk_can_have_are_told(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("m/" + "n" * 300, b"1")
    uri = f"s3://{bucket.name}/m"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=bucket.credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_NAME


async def test_a_name_that_is_a_file_and_a_folder_is_told(
    bucket: Bucket, fetcher: Fetcher, tmp_path: Path
) -> None:
    bucket.put("m/a", b"1")
    bucket.put("m/a/b", b"2")
    uri = f"s3://{bucket.name}/m"
    found = await fetcher.fetch(Request(uri, tmp_path / "m", credentials=bucket.credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_NAME
    assert "as a file and as a folder" in found.message
