"""Google's buckets, against an emulator."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from controller.storage.credentials import Credentials
from controller.storage.fetch import Fetcher
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from tests.controller.storage.conftest import tree
from tests.controller.storage.google_front import Google


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
