"""https:// and http://: a server that cuts connections, changes files, lies and redirects."""

import asyncio
import gzip
from pathlib import Path

import pytest

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import MakeFetcher, tree
from tests.controller.storage.site import File, Site

MODEL = bytes(range(256)) * 2000  # 512,000 bytes: six parts


def asks(site: Site, path: str, tmp_path: Path, **rest: object) -> Request:
    return Request(site.url(path), tmp_path / "model", **rest)  # type: ignore[arg-type]


async def test_a_large_file_comes_in_parts_side_by_side(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/m/model.bin", MODEL)
    found = await fetcher.fetch(asks(site, "/m/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": MODEL}
    assert sorted(filter(None, site.bodies())) == [
        "bytes=0-99999",
        "bytes=100000-199999",
        "bytes=200000-299999",
        "bytes=300000-399999",
        "bytes=400000-499999",
        "bytes=500000-511999",
    ]


async def test_a_cut_part_goes_on_where_it_broke(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL, cuts=[70_000, 90_000])
    async with make_fetcher(parallel=1) as fetcher:
        found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": MODEL}
    assert site.bodies()[:4] == [
        "bytes=0-99999",
        "bytes=70000-99999",  # the second cut lies behind its end
        "bytes=100000-199999",
        "bytes=200000-299999",
    ]


async def test_a_server_without_ranges_is_read_anew_after_a_cut(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL, cuts=[300_000], ranges=False)
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": MODEL}


async def test_nobody_tries_for_ever(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    site.put("/model.bin", b"x" * 50_000, cuts=[10] * 100)
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert (found.reason, found.retry) == (Reason.INTERRUPTED, True)
    assert len(site.bodies()) == 6
    assert not (tmp_path / "model").exists()


async def test_the_next_fetch_brings_only_what_was_missing(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    file = site.put("/model.bin", MODEL)

    def fail_after_three() -> None:
        if len(site.bodies()) > 3:
            file.statuses = [503] * 100

    site.on_body = fail_after_three
    async with make_fetcher(parallel=1) as fetcher:
        failed = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
        assert isinstance(failed, FetchFailed)
        assert failed.reason is Reason.UNREACHABLE
        file.statuses, site.on_body, site.asked = [], lambda: None, []
        steps: list[tuple[int, int | None]] = []
        found = await fetcher.fetch(
            asks(site, "/model.bin", tmp_path), lambda done, total: steps.append((done, total))
        )
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": MODEL}
    assert site.bodies() == ["bytes=400000-499999", "bytes=500000-511999"]
    assert (steps[0], steps[-1]) == ((400_000, 512_000), (512_000, 512_000))


async def test_a_file_that_changed_after_a_cut_is_fetched_anew(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    changed = MODEL[::-1]

    def change_once() -> None:
        if len(site.bodies()) == 3:
            site.put("/model.bin", changed)

    site.on_body = change_once
    async with make_fetcher(parallel=1) as fetcher:
        found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": changed}


async def test_a_file_that_changes_all_the_time_is_given_up(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", MODEL)
    versions = iter(range(1000))
    site.on_body = lambda: site.put("/model.bin", b"%d" % next(versions) + MODEL) and None  # type: ignore[assignment, return-value]
    async with make_fetcher(parallel=1) as fetcher:
        found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.CHANGED
    assert not (tmp_path / "model").exists()


FAILURES = {
    "nothing there": (404, Reason.NOT_FOUND, "mend the URI"),
    "gone": (410, Reason.NOT_FOUND, "mend the URI"),
    "not for us": (403, Reason.DENIED, "https-host"),
    "no credentials": (401, Reason.DENIED, "https-host"),
    "too many requests": (429, Reason.UNREACHABLE, "429"),
    "ill": (503, Reason.UNREACHABLE, "503"),
    "nonsense": (204, Reason.BAD_ANSWER, "no download"),
}


@pytest.mark.parametrize(("status", "reason", "words"), FAILURES.values(), ids=FAILURES)
async def test_statuses(
    status: int, reason: Reason, words: str, site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", b"x", statuses=[status] * 20)
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is reason
    assert words in found.message


async def test_a_status_that_passes_is_waited_out(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.put("/model.bin", b"x", statuses=[503, 429, 500])
    assert isinstance(await fetcher.fetch(asks(site, "/model.bin", tmp_path)), Fetched)


PLAIN = {
    "an empty file": File(b"", etag='"e"'),
    "no validator at all": File(MODEL, etag=None),
    "a weak one": File(MODEL, etag='W/"w"'),
    "the time of the last change": File(
        MODEL, etag=None, headers={"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    ),
    "chunks, no length": File(MODEL, ranges=False, length=False),
    "an unknown type": File(MODEL, headers={"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("file", PLAIN.values(), ids=PLAIN)
async def test_files_as_servers_give_them(
    file: File, site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.files["/model.bin"] = file
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"model.bin": file.content}


LIES = {
    "a page to log in": (
        File(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}),
        "web page",
    ),
    "an encoding nobody asked for": (
        File(gzip.compress(b"x"), headers={"Content-Encoding": "gzip"}),
        "encoded",
    ),
}


@pytest.mark.parametrize(("file", "words"), LIES.values(), ids=LIES)
async def test_answers_that_are_no_download(
    file: File, words: str, site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.files["/model.bin"] = file
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_ANSWER
    assert words in found.message


async def test_an_end_that_could_be_a_cut_is_none(fetcher: Fetcher, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nperhaps all of it")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        request = Request(f"http://127.0.0.1:{port}/model.bin", tmp_path / "model")
        found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_ANSWER
    assert "where its answer ends" in found.message


async def test_a_packed_file_that_is_called_an_encoding_stays_packed(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    packed = gzip.compress(b"weights")
    site.put("/weights.gz", packed, headers={"Content-Encoding": "x-gzip"})
    found = await fetcher.fetch(asks(site, "/weights.gz", tmp_path))
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"weights.gz": packed}


async def test_redirects_are_followed_and_a_secret_header_stays_at_its_host(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    async with Site() as elsewhere:
        elsewhere.put("/cdn/abc", b"weights")
        site.redirects["/model.bin"] = elsewhere.url("/cdn/abc?sig=1")
        host = f"127.0.0.1:{site.port}"
        credentials = Credentials({f"{host}-headers": '{"X-Token": "s3cret"}'})
        request = asks(site, "/model.bin", tmp_path, credentials=credentials)
        found = await fetcher.fetch(request)
        assert isinstance(found, Fetched)
        assert tree(found.path) == {"model.bin": b"weights"}
        assert {asked.headers.get("x-token") for asked in site.asked} == {"s3cret"}
        assert {asked.headers.get("x-token") for asked in elsewhere.asked} == {None}
        assert {asked.path for asked in elsewhere.asked} == {"/cdn/abc?sig=1"}


async def test_a_circle_of_redirects_ends(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    site.redirects["/a.bin"] = "/b.bin"
    site.redirects["/b.bin"] = "/a.bin"
    found = await fetcher.fetch(asks(site, "/a.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_ANSWER


async def test_a_signed_url_is_sent_whole_and_told_without_its_signature(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    found = await fetcher.fetch(asks(site, "/a%20b.bin?sig=s%2Bcret&x=1", tmp_path))
    assert {asked.path for asked in site.asked} == {"/a%20b.bin?sig=s%2Bcret&x=1"}
    assert isinstance(found, FetchFailed)
    assert "cret" not in found.message
    assert "/a%20b.bin" in found.message


async def test_a_checksum_that_the_server_gives_is_held_against_the_bytes(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    wrong = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
    site.put("/model.bin", MODEL, headers={"Repr-Digest": wrong})
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.CORRUPT
    assert not (tmp_path / "model").exists()


async def test_a_server_that_falls_silent_is_tried_again(
    site: Site, make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    file = site.put("/model.bin", b"x" * 50_000, wait=asyncio.Event())

    def only_once() -> None:
        if len(site.bodies()) > 1:
            file.wait = None

    site.on_body = only_once
    async with make_fetcher(stall_seconds=0.2) as fetcher:
        found = await fetcher.fetch(asks(site, "/model.bin", tmp_path))
    assert isinstance(found, Fetched)
    assert site.bodies() == ["bytes=0-49999", "bytes=25000-49999"]


async def test_nobody_listens(fetcher: Fetcher, tmp_path: Path) -> None:
    async with Site() as site:
        request = asks(site, "/model.bin", tmp_path)
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert (found.reason, found.retry) == (Reason.UNREACHABLE, True)
    assert "connected" in found.message


async def test_a_token_goes_before_what_netrc_says(
    site: Site, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    site.put("/model.bin", MODEL)
    credentials = Credentials({"127.0.0.1-headers": '{"Authorization": "Bearer t"}'})
    found = await fetcher.fetch(asks(site, "/model.bin", tmp_path, credentials=credentials))
    assert isinstance(found, Fetched)
    assert {asked.headers["authorization"] for asked in site.asked} == {"Bearer t"}


PROXIES = [
    pytest.param("http://models.test/model.bin", "", True, id="another host"),
    pytest.param("http://models.test/model.bin", "models.test", False, id="a host without one"),
]


@pytest.mark.parametrize(("url", "without", "by_proxy"), PROXIES)
async def test_the_proxy_of_the_environment(
    url: str,
    without: str,
    by_proxy: bool,
    site: Site,
    make_fetcher: MakeFetcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", site.url(""))
    monkeypatch.setenv("no_proxy", without)
    site.put("/model.bin", MODEL)
    async with make_fetcher(attempts=1) as fetcher:
        found = await fetcher.fetch(Request(url, tmp_path / "model"))
    assert isinstance(found, Fetched) == by_proxy
    assert bool(site.asked) == by_proxy
