"""What needs no store: paths, volumes, the URI map; a missing extra; settings; bugs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.storage import fetch
from controller.storage.outcome import Fetched, FetchFailed, Reason
from controller.storage.request import Request
from controller.storage.settings import PREFIX, StorageSettings, read_settings
from tests.controller.storage.conftest import MakeFetcher

ROOT = Path(__file__).parents[3]
Fetcher = fetch.Fetcher


@pytest.mark.parametrize("uri", ["./m", "m", "../here/m", "file://{here}/m", "{here}/m"])
async def test_a_path_is_used_where_it_is(uri: str, fetcher: Fetcher, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "m").mkdir(parents=True)
    request = Request(uri.format(here=here), tmp_path / "target", folder=here)
    found = await fetcher.fetch(request)
    assert isinstance(found, Fetched)
    assert found.path.samefile(here / "m")
    assert not (tmp_path / "target").exists()


async def test_a_path_without_anything_is_told(fetcher: Fetcher, tmp_path: Path) -> None:
    found = await fetcher.fetch(Request("./none", tmp_path / "t", folder=tmp_path))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.NOT_FOUND
    assert f"{tmp_path}/none" in found.message


async def test_the_uri_map_goes_before_every_store(
    make_fetcher: MakeFetcher, tmp_path: Path
) -> None:
    (tmp_path / "copy" / "iris").mkdir(parents=True)
    async with make_fetcher({"gs://bucket": tmp_path / "copy"}) as fetcher:
        found = await fetcher.fetch(Request("gs://bucket/iris", tmp_path / "t"))
        gone = await fetcher.fetch(Request("gs://bucket/none", tmp_path / "t"))
    assert found == Fetched(tmp_path / "copy" / "iris", None, None)
    assert isinstance(gone, FetchFailed)
    assert "gs://bucket/none" in gone.message


async def test_a_folder_stands_for_a_volume(make_fetcher: MakeFetcher, tmp_path: Path) -> None:
    (tmp_path / "claim" / "iris").mkdir(parents=True)
    async with make_fetcher(volumes=f"models={tmp_path}/claim") as fetcher:
        found = await fetcher.fetch(Request("pvc://models/iris", tmp_path / "t"))
        other = await fetcher.fetch(Request("pvc://other/iris", tmp_path / "t"))
    assert found == Fetched(tmp_path / "claim" / "iris", None, None)
    assert isinstance(other, FetchFailed)
    assert "GRAPHWAY_STORAGE_VOLUMES=other=" in other.message


@pytest.mark.parametrize(
    ("uri", "library"), [("s3://bucket/m", "obstore"), ("hf://o/m", "huggingface_hub")]
)
async def test_without_the_extra_its_name_is_told(
    uri: str, library: str, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    found = await fetcher.fetch(Request(uri, tmp_path / "t"))
    assert isinstance(found, FetchFailed)
    assert found.reason is Reason.NO_LIBRARY
    assert "pip install 'graphway[storage]'" in found.message


async def test_a_bug_is_raised_where_somebody_waits_and_ends_nothing_else(
    fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> Fetched:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "bring", broken)
        with pytest.raises(ZeroDivisionError):
            await fetcher.fetch(Request("./m", tmp_path / "t"))
    found = await fetcher.fetch(Request(str(tmp_path), tmp_path / "t"))
    assert isinstance(found, Fetched)


def test_settings_come_from_variables() -> None:
    environ = {
        PREFIX + "PARALLEL": "3",
        PREFIX + "PART_SIZE": "1MiB",
        PREFIX + "VOLUMES": "a=/x, b=/y",
        PREFIX + "ATTEMPTS": "",
    }
    read = read_settings(environ)
    assert isinstance(read, StorageSettings)
    assert (read.parallel, read.part_size, read.attempts) == (3, 1024 * 1024, 6)
    assert read.volumes == {"a": Path("/x"), "b": Path("/y")}


BAD: dict[str, tuple[str, str]] = {
    "no figure": ("PARALLEL", "many"),
    "none at all": ("ATTEMPTS", "0"),
    "no size": ("PART_SIZE", "large"),
    "an endless time": ("STALL_SECONDS", "inf"),
    "no folder": ("VOLUMES", "claim"),
}


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_a_bad_setting_is_told_by_its_variable(name: str, value: str) -> None:
    read = read_settings({PREFIX + name: value})
    assert isinstance(read, list)
    assert [line.split(":")[0] for line in read] == [PREFIX + name]


def test_every_setting_and_every_reason_is_documented() -> None:
    page = (ROOT / "docs" / "storage.md").read_text()
    shown: Callable[[str], bool] = lambda word: f"`{word}`" in page  # noqa: E731
    settings = [PREFIX + name.upper() for name in StorageSettings.model_fields]
    assert [name for name in settings if not shown(name)] == []
    assert [reason for reason in Reason if not shown(reason)] == []
