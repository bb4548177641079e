"""Authorities of one's own, for web files and for S3; redirects that would leave TLS."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import tree
from tests.controller.storage.site import Site

DATE = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}


@pytest_asyncio.fixture
async def secure(server_tls: ssl.SSLContext) -> AsyncIterator[Site]:
    async with Site(server_tls) as running:
        running.put("/bkt/m.bin", b"weights", headers=DATE)
        yield running


@pytest.fixture
def authorities(authority_file: Path) -> str:
    return authority_file.read_text()


def wanted(kind: str, secure: Site, tmp_path: Path, **env: str) -> Request:
    uri = secure.url("/bkt/m.bin") if kind == "web" else "s3://bkt/m.bin"
    credentials = Credentials({"AWS_ENDPOINT_URL": secure.url(""), **env})
    return Request(uri, tmp_path / "m", credentials=credentials)


@pytest.mark.parametrize("kind", ["web", "s3"])
async def test_nobody_unknown_is_trusted(
    kind: str, secure: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    found = await fetcher.fetch(wanted(kind, secure, tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.UNREACHABLE
    assert "not trusted" in found.message


@pytest.mark.parametrize("kind", ["web", "s3"])
async def test_an_authority_of_a_config_map_is_trusted(
    kind: str, secure: Site, fetcher: Fetcher, tmp_path: Path, authorities: str
) -> None:
    request = wanted(kind, secure, tmp_path)
    credentials = Credentials(request.credentials.env, ca_pem=authorities)
    request = Request(request.uri, request.target, credentials=credentials)
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert tree(found.path) == {"m.bin": b"weights"}


S3_TRUST = {"a bundle": "AWS_CA_BUNDLE", "no check at all": "S3_VERIFY_SSL"}


@pytest.mark.parametrize("name", S3_TRUST.values(), ids=S3_TRUST)
async def test_s3_settings_say_whom_to_trust(
    name: str, secure: Site, fetcher: Fetcher, tmp_path: Path, authority_file: Path
) -> None:
    value = str(authority_file) if name == "AWS_CA_BUNDLE" else "0"
    found = await fetcher.fetch(wanted("s3", secure, tmp_path, **{name: value}))
    assert isinstance(found, Fetched)


@pytest.mark.parametrize("kind", ["web", "s3"])
async def test_a_bundle_that_is_none_is_told(
    kind: str, secure: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    request = wanted(kind, secure, tmp_path)
    bundle = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
    credentials = Credentials(request.credentials.env, ca_pem=bundle)
    found = await fetcher.fetch(Request(request.uri, request.target, credentials=credentials))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_CREDENTIALS


async def test_https_never_leads_to_http(
    secure: Site, site: Site, fetcher: Fetcher, tmp_path: Path, authorities: str
) -> None:
    site.put("/m.bin", b"from anybody")
    secure.redirects["/bkt/m.bin"] = site.url("/m.bin")
    credentials = Credentials(ca_pem=authorities)
    request = Request(secure.url("/bkt/m.bin"), tmp_path / "m", credentials=credentials)
    found = await fetcher.fetch(request)
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.BAD_ANSWER
    assert site.asked == []
