"""Buckets of S3, from a real server, and names that no disk can have."""

import asyncio
from pathlib import Path

import pytest

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.names import Patterns
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import Bucket, MakeFetcher, tree
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
