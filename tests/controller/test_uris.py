"""Where a storageUri is on this disk."""

from pathlib import Path

import pytest

from controller.storage.outcome import FetchFailed
from controller.storage.uris import local_path, parse_uri_map

MAP = {
    "gs://bucket": Path("/copies/bucket"),
    "gs://bucket/special": Path("/elsewhere"),
    "s3://b/one": Path("/one"),
    "models": Path("/mapped"),
}

PLACES = {
    "a path beside the manifest": ("./model", "/manifests/model"),
    "without a dot, too": ("model/v1", "/manifests/model/v1"),
    "above it": ("../model", "/model"),
    "an absolute path": ("/data/model", "/data/model"),
    "a file URI": ("file:///data/model", "/data/model"),
    "a file URI with a host": ("file://localhost/data", "/data"),
    "a file URI with a space": ("file:///my%20data", "/my data"),
    "a mapped prefix": ("gs://bucket/iris/v1", "/copies/bucket/iris/v1"),
    "a mapped prefix itself": ("gs://bucket", "/copies/bucket"),
    "the longest mapped prefix": ("gs://bucket/special/x", "/elsewhere/x"),
    "whole segments only": ("gs://bucket/specialist", "/copies/bucket/specialist"),
    "a path may be mapped as well": ("models/a", "/mapped/a"),
}


@pytest.mark.parametrize(("uri", "place"), PLACES.values(), ids=PLACES)
def test_place(uri: str, place: str) -> None:
    assert local_path(uri, Path("/manifests"), MAP) == Path(place)


REFUSED = {
    "two slashes only": ("file://data/model", "three slashes"),
    "nothing": ("", "empty"),
}


@pytest.mark.parametrize(("uri", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(uri: str, words: str) -> None:
    failed = local_path(uri, Path("/manifests"), MAP)
    assert isinstance(failed, FetchFailed)
    assert words in failed.message


ELSEWHERE = {
    "a store that nobody mapped": "gs://other/x",
    "a volume": "pvc://claim/x",
    "a prefix that ends within a segment": "s3://b/oneself",
}


@pytest.mark.parametrize("uri", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_lies_elsewhere_is_fetched(uri: str) -> None:
    assert local_path(uri, Path("/manifests"), MAP) is None


def test_the_map_is_relative_to_where_it_was_given() -> None:
    given = ["gs://a/=./models", "s3://b=/abs", "hf://c=x=y"]
    assert parse_uri_map(given, Path("/here")) == {
        "gs://a": Path("/here/models"),
        "s3://b": Path("/abs"),
        "hf://c": Path("/here/x=y"),
    }


@pytest.mark.parametrize("entry", ["gs://a", "=x", "gs://a="])
def test_an_entry_that_maps_nothing_says_how_to_write_one(entry: str) -> None:
    with pytest.raises(ValueError, match="PREFIX=FOLDER"):
        parse_uri_map([entry], Path("/here"))
